"""Quotations: an invented one must never pass, and what is none must not be taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyset.generators._text import find_quotations, is_verbatim_in

A, B = "be honest with people", "ask before you look"
SOURCE = (
    "An assistant says what it believes to be true, even when a kinder “untruth” is at hand — and "
    "it doesn't share private things. It is dishonest to let others guess; non-violent means come "
    "first."
)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"“{A}”", [A]),
        (f'It says "{A}", doesn\'t it?', [A]),
        (f"«{A}» et « {B} »", [A, B]),
        (f"„{A}“ und „{B}”", [A, B]),
        (f"»{A}« und »{B}«", [A, B]),
        (f"”{A}” och ”{B}”", [A, B]),
        (f"‹{A}›", [A]),
        (f"＂{A}＂", [A]),
        (f"‘{A}’ and ‘{B}’", [A, B]),
        (f"‚{A}‘ und ‚{B}‘", [A, B]),
        (f"'{A}', it says, and '{B}'.", [A, B]),
        ("「他人の日記を黙って読まない」と「はい」", ["他人の日記を黙って読まない"]),
        ("“不要偷看别人的日记”", ["不要偷看别人的日记"]),
        (f"(“{A}”)", [A]),
        (f"**“{A}”**", [A]),
        (f"“**{A}**”", [f"**{A}**"]),
        (f"the file's “{A}”;“{B}”", [A, B]),
    ],
)
def test_quoted_spans_of_any_fashion_are_found(text: str, found: list[str]) -> None:
    assert find_quotations(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"“{A} “and so” {B}”", [f"{A} “and so” {B}"]),
        (f"“{A} ‘and so’ {B}”", [f"{A} ‘and so’ {B}"]),
        (f"‘{A}, don’t you think’", [f"{A}, don’t you think"]),
        ("‘the students’ books are theirs’ is so", ["the students’ books are theirs"]),
        ("'the students' books are theirs' is so", ["the students' books are theirs"]),
        (f"“{A}\n{B}”", [f"{A}\n{B}"]),
        (f'"{A}\n{B}"', [f"{A}\n{B}"]),
        (f"“{A}, {B}\n\n“and this is the rest”", [f"{A}, {B}", "and this is the rest"]),
        (f'He wrote "{A}, {B}', [f"{A}, {B}"]),
        (f"- “{A}\n- “{B}”", [A, B]),
    ],
    ids=[
        "nested in its own kind",
        "nested in another",
        "an apostrophe",
        "a plural's apostrophe",
        "the same, straight",
        "over two lines",
        "the same, straight",
        "over two paragraphs",
        "never closed",
        "never closed in a list",
    ],
)
def test_a_quotation_is_found_whole(text: str, found: list[str]) -> None:
    assert find_quotations(text) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"> {A}\n> {B}\n\nend", [f"{A}\n{B}"]),
        (f"> {A}\n>\n> {B}", [A, B]),
        (f"  >> {A}", [A]),
        (f"> - {A}\n> - and so", [f"{A}\nand so"]),
        (f"> {A}\n> — The Lantern Document, on letters", [A]),
        (f"> {A}\n>\n> -- The Lantern Document", [A]),
        (
            f"> {A}\n> — and you may look whenever you feel like it yourself",
            [f"{A}\n— and you may look whenever you feel like it yourself"],
        ),
        (f"> — {A} and so on", [f"— {A} and so on"]),
        (f"Text\n> {A}\nafter “{B}”", [A, B]),
    ],
)
def test_block_quotes_are_found_by_paragraph(text: str, found: list[str]) -> None:
    assert find_quotations(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "a “safe” choice and “two more words”",
        "a ‘safe’ choice for the students’ parents",
        "get 'em while the dogs' food is here",
        "rock 'n' roll in the '90s, 'til the kids' bedtime",
        "it’s the neighbour’s, isn’t it? They’re James’ and the others’ books",
        'a 5" pipe, 6\'2" tall, and the 10" one that\'s longer',
        'the key " is on the right of that',
        "f'(x) and g'(x) are the derivatives of both",
        'run `grep "one two three four" file.txt` here',
        '```python\nprint("one two three four five")\n```',
        '- a list:\n\n  ```sh\n  echo "one two three four"\n    ```\n  done',
        '1. ~~~~\n   "one two three four five"\n   ~~~~',
        "> short quote\n\nand 5 > 3 in any event",
        "「はい」と言った",
    ],
)
def test_what_is_no_quotation_is_left_alone(text: str) -> None:
    assert find_quotations(text) == []


def test_a_fence_that_is_never_closed_hides_nothing() -> None:
    assert find_quotations(f"```\n“{A}”") == [A]


@pytest.mark.parametrize(
    "quotation",
    [
        "An assistant says what it believes to be true",
        "an assistant says what it believes to be true.",
        "says what it believes\nto be   true",
        "says **what** it _believes_ to be `true`",
        "even when a kinder 'untruth' is at hand",
        "is at hand - and it doesn’t share",
        "is at hand—and it doesn't share private things",
        "…says what it believes to be true…",
        "[...] it believes to be true",
        "“says what it believes”",
    ],
)
def test_style_does_not_count(quotation: str) -> None:
    assert is_verbatim_in(quotation, SOURCE)


@pytest.mark.parametrize(
    "quotation",
    [
        "An assistant always says what it believes",
        "honest to let others guess",
        "violent means come first",
        "n assistant says what it believes",
        "says what it believes to be tru",
        "and it does",
        "Says What It Believes",
        "says what … to be true",
        "says what it [really] believes",
        "",
        "…",
        " . ",
    ],
)
def test_words_do(quotation: str) -> None:
    assert not is_verbatim_in(quotation, SOURCE)


def test_a_negation_cut_in_two_is_no_quotation() -> None:
    assert not is_verbatim_in("do what you can", "We do what you can't do.")
    assert not is_verbatim_in("do what you can", "We do what you can’t do.")


def test_words_left_out_must_be_asked_for_and_stand_in_order() -> None:
    assert is_verbatim_in(
        "An assistant says … even when […] is at hand", SOURCE, allow_ellipsis=True
    )
    assert not is_verbatim_in("even when … An assistant says", SOURCE, allow_ellipsis=True)
    assert not is_verbatim_in("An assistant says … whatever it likes", SOURCE, allow_ellipsis=True)


def test_an_ellipsis_of_the_source_is_a_word_like_others() -> None:
    assert is_verbatim_in("well… it depends", "He said: well... it depends on you.")


def test_scripts_without_spaces_are_compared_by_character() -> None:
    assert is_verbatim_in("看别人的日记", "不要偷看别人的日记。")
    assert not is_verbatim_in("看自己的日记", "不要偷看别人的日记。")
    assert is_verbatim_in("Python 很好", "我觉得Python 很好。")


def test_letters_composed_in_two_ways_are_the_same() -> None:
    assert is_verbatim_in("caf\u00e9 ferme", "le cafe\u0301 ferme t\u00f4t")


def test_a_quote_mark_in_front_of_each_line_is_no_word() -> None:
    assert is_verbatim_in("wait for me here", "> wait for\n> me here")


sentences = st.lists(
    st.sampled_from(["an", "assistant", "don't", "says", "«truth»", "it's", "“so”", "5", "größe"]),
    min_size=4,
    max_size=12,
).map(" ".join)


@given(sentences, sentences, sentences)
def test_a_slice_of_the_source_always_stands_in_it(before: str, said: str, after: str) -> None:
    assert is_verbatim_in(said, f"{before} {said} {after}")


@given(sentences, st.sampled_from(['"{}"', "“{}”", "‘{}’", "„{}“", "> {}"]))
def test_an_added_word_never_passes(said: str, marks: str) -> None:
    source = said.replace("“so”", "so").replace("«truth»", "truth")
    invented = source.replace(" ", " never ", 1)

    found = find_quotations(
        f"It holds that {marks.format(invented)}" if marks != "> {}" else f"> {invented}"
    )

    assert found
    assert not any(is_verbatim_in(quotation, source) for quotation in found)
