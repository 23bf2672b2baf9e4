"""Words and quotations in a text: an invented quotation must never pass for one that exists."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyset.generators._text import (
    count_words,
    find_quotations,
    find_shared_ngram,
    is_verbatim_in,
    normalize_unicode,
    strip_code_blocks,
    take_first_words,
    view_text,
)

TWELVE = "one two three four five six seven eight nine ten eleven twelve"


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("", 0),
        (" \n — … 🙂 • ", 0),
        ("don't stop, it’s late", 4),
        ("well-known snake_case", 4),
        ("größe naïve Ελλάδα слово", 4),
        ("e\u0301te\u0301", 1),
        ("नमस्ते दुनिया, कैसे हो।", 4),
        ("שָׁלוֹם עֲלֵיכֶם", 2),
        ("السَّلامُ عليكم", 2),
        ("안녕하세요 여러분", 2),
        ("こんにちは世界。", 3),
        ("我会先问她", 2),
        ("สวัสดีครับ", 2),
        ("使用 Python 编程", 3),
    ],
)
def test_words_are_counted_as_a_reader_of_the_script_would(text: str, count: int) -> None:
    assert count_words(text) == count


ELEVEN = TWELVE.removesuffix(" twelve")
SAID = "人们写在日记里的话只属于写的人而不属于打开它的任何人"


@pytest.mark.parametrize(
    ("text", "sources", "allowed", "found"),
    [
        pytest.param(
            f"As it says, **{TWELVE.upper().replace(' six', ', six')}**!",
            ["nothing", f"So: {TWELVE}. More."],
            "",
            TWELVE,
            id="whatever its punctuation and markup",
        ),
        pytest.param(f"{ELEVEN} dozen", [f"{TWELVE} thirteen"], "", None, id="shorter"),
        pytest.param(TWELVE, [TWELVE], f"x {TWELVE} y", None, id="allowed"),
        pytest.param(TWELVE, [TWELVE], TWELVE.upper(), None, id="allowed in capitals"),
        pytest.param(f"我觉得{SAID}。", [SAID], "", " ".join(SAID[:24]), id="without spaces"),
        pytest.param(f"我觉得{SAID[:20]}。", [SAID], "", None, id="without spaces, shorter"),
        pytest.param(
            f"cafe\u0301 {ELEVEN}", [f"café {ELEVEN}"], "", f"café {ELEVEN}", id="composed"
        ),
        pytest.param(
            f"café {ELEVEN}",
            [f"café {ELEVEN}"],
            f"cafe\u0301 {ELEVEN}",
            None,
            id="allowed, decomposed",
        ),
    ],
)
def test_a_shared_run_of_twelve_words_is_found(
    text: str, sources: list[str], allowed: str, found: str | None
) -> None:
    run = find_shared_ngram(text, sources, length=12, allowed=allowed)

    assert run == (None if found is None else tuple(found.split()))


@given(st.lists(st.sampled_from("abcde"), max_size=30), st.integers(1, 5))
def test_a_text_shares_every_run_with_itself(words: list[str], length: int) -> None:
    text = " ".join(words)
    run = tuple(words[:length]) if len(words) >= length else None

    assert find_shared_ngram(text, [text], length=length) == run


PIECES = st.sampled_from(
    ["word", "Don’t", "e\u0301te\u0301", "日本", "ไทย", "\n\n", "```\n", "“", ".", "5"]
)


@given(st.lists(PIECES, max_size=20).map(" ".join))
def test_a_view_says_what_the_functions_say(text: str) -> None:
    view, composed = view_text(text), normalize_unicode(text)

    assert view_text(text) is view
    assert (view.text, view.composed, view.folded) == (text, composed, composed.casefold())
    assert view.prose == strip_code_blocks(composed)
    assert view.word_count == count_words(composed)
    assert take_first_words(composed, 30) == tuple(word for word, _ in view.tokens)


# ---- Quotations

A, B = "be honest with people", "ask before you look"
SOURCE = (
    "An assistant says what it believes to be true, even when a kinder “untruth” is at hand — and "
    "it doesn't share private things. It is dishonest to let others guess; non-violent means come "
    "first."
)


QUOTED_SPANS = [
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
    # Whole: nested, with apostrophes, over several lines and paragraphs, never closed.
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
]
BLOCK_QUOTES = [
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
]
NO_QUOTATIONS = [
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
]
UNCLOSED_FENCE = f"```\n“{A}”"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        *QUOTED_SPANS,
        *BLOCK_QUOTES,
        *((text, []) for text in NO_QUOTATIONS),
        (UNCLOSED_FENCE, [A]),
    ],
)
def test_quotations_of_any_fashion_are_found_and_nothing_else(text: str, found: list[str]) -> None:
    assert find_quotations(text) == found


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


@pytest.mark.parametrize(
    ("quotation", "source", "verbatim"),
    [
        pytest.param("do what you can", "We do what you can't do.", False, id="cut negation"),
        pytest.param("do what you can", "We do what you can’t do.", False, id="the same, curly"),
        pytest.param(
            "well… it depends", "He said: well... it depends on you.", True, id="ellipsis"
        ),
        pytest.param("看别人的日记", "不要偷看别人的日记。", True, id="without spaces"),
        pytest.param("看自己的日记", "不要偷看别人的日记。", False, id="other characters"),
        pytest.param("Python 很好", "我觉得Python 很好。", True, id="two scripts"),
        pytest.param("caf\u00e9 ferme", "le cafe\u0301 ferme t\u00f4t", True, id="composed"),
        pytest.param("wait for me here", "> wait for\n> me here", True, id="block quote"),
    ],
)
def test_a_quotation_and_its_source(quotation: str, source: str, verbatim: bool) -> None:
    assert is_verbatim_in(quotation, source) == verbatim


@pytest.mark.parametrize(
    ("quotation", "verbatim"),
    [
        ("An assistant says … even when […] is at hand", True),
        ("even when … An assistant says", False),
        ("An assistant says … whatever it likes", False),
    ],
)
def test_words_left_out_must_be_allowed_and_in_order(quotation: str, verbatim: bool) -> None:
    assert is_verbatim_in(quotation, SOURCE, allow_ellipsis=True) == verbatim
    assert not is_verbatim_in(quotation, SOURCE)


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
