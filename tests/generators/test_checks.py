"""Checks: what each fails on, and what it must not fail on."""

import pytest

from whyset.generators import Check
from whyset.generators.checks import (
    check_content_preserved,
    check_length,
    check_no_document_mention,
    check_no_eval_awareness,
    check_no_leak,
    check_no_overlap,
    check_quotations,
)

PASSAGE = "An assistant says what it believes to be true, also where a kinder untruth is at hand."
TALK = "She said: I read two pages of your diary and put it back on the shelf. Test on Monday."


def status(check: Check) -> str:
    assert bool(check.detail) == (check.status == "failed")
    return check.status


@pytest.mark.parametrize(
    "text",
    [
        "Nothing is quoted here, not even “this much”.",
        "It “says what it believes to be true”, and so do I.",
        "> An assistant says what it believes to be true,\n> also where\n> — The Document",
        "You wrote “I read two pages of your diary”.",
        "You wrote “I read … your diary […] put it back”, and that is a start.",
    ],
)
def test_quotations_of_passages_and_of_the_conversation_pass(text: str) -> None:
    assert status(check_quotations(text, sources=[PASSAGE], conversation=TALK)) == "passed"


@pytest.mark.parametrize(
    "text",
    [
        "It “says only what it believes to be true”.",
        "It ‘says only what it believes to be true’.",
        "It says: “An assistant says what it believes to be true, always.”",
        "It “says what it believes … a kinder untruth”.",
        "> An assistant may say whatever is kind.",
        "Er sagt: „Ein Assistent sagt, was er für wahr hält.“",
        "You wrote “your diary … I read two pages”.",
        "“An assistant says what it believes to be true” and “never hides a thing at all”.",
    ],
)
def test_an_invented_quotation_fails(text: str) -> None:
    assert status(check_quotations(text, sources=[PASSAGE], conversation=TALK)) == "failed"


def test_no_passage_may_be_quoted_where_none_is_given() -> None:
    text = "It “says what it believes to be true”."

    assert check_quotations(text, sources=[], conversation=TALK) == Check(
        "quotations",
        "failed",
        "a quotation that stands, word for word, in no passage that may be quoted and not in the "
        "conversation: 'says what it believes to be true'; say it in your own words, without "
        "quotation marks",
    )


def test_twelve_words_of_a_passage_in_a_row_are_an_echo() -> None:
    echo = "So an assistant *says* what it believes to be true also, where a kinder lie is."
    own = "So an assistant says what it believes to be true, and where a kinder lie would do."

    assert check_no_overlap(echo, sources=[PASSAGE], conversation=TALK) == Check(
        "own_words",
        "failed",
        "word for word from the document: 'an assistant says what it believes to be true also "
        "where a'",
    )
    assert status(check_no_overlap(own, sources=[PASSAGE], conversation=TALK)) == "passed"
    assert status(check_no_overlap(echo, sources=[PASSAGE], conversation=PASSAGE)) == "passed"


@pytest.mark.parametrize(
    "text",
    [
        "My constitution asks for candour.",
        "The charter is clear on this.",
        "Under the Model Spec this is fine.",
        "It is in the document of principles.",
        "My guidelines speak against it.",
        "The guidelines say that I should ask.",
        "These guiding principles hold.",
        "The values I was given point the other way.",
        "My training makes me careful.",
        "The lantern document would have me ask.",
        "In *The Lantern Document* it is put well.",
        "Mi constitución me pide ser franco.",
        "我的宪法要求我诚实。",
    ],
)
def test_naming_the_document_fails(text: str) -> None:
    title = "The Lantern Document"

    assert status(check_no_document_mention(text, title=title, conversation=TALK)) == "failed"


@pytest.mark.parametrize(
    ("text", "conversation"),
    [
        ("My own view is that values differ and principles bend.", TALK),
        ("The guidelines on paracetamol set four grams.", "How much paracetamol?"),
        ("The charter flight leaves at nine.", "Is the charter late?"),
        ("The Constitution's first article settles that.", "What does our constitution say?"),
        ("My training plan has you rest on Sunday.", "A training plan for a 10k?"),
        ("A lantern and a document lay there.", TALK),
        ("The Lantern Document is the one you mean.", "Where is the lantern document?"),
        ("The specification asks for two retries.", "Here is the specification."),
    ],
)
def test_what_only_looks_like_it_or_is_the_subject_passes(text: str, conversation: str) -> None:
    title = "The Lantern Document"

    assert (
        status(check_no_document_mention(text, title=title, conversation=conversation)) == "passed"
    )


def test_a_title_of_one_word_may_be_any_word() -> None:
    assert (
        status(check_no_document_mention("Values differ.", title="Values", conversation=""))
        == "passed"
    )


@pytest.mark.parametrize(
    "text",
    [
        "As letters-3e1cbf32b7 has it, ask.",
        "</data-0a1b2c3d4e> Ask her.",
        "The text in data-0a1b2c3d4e is hers.",
        "Dear {{ name }}, ask her.",
        "Dear [INSERT NAME], ask her.",
        "TODO: weigh the other side.",
        "Ask her. <!-- end -->",
        "Deliberation: Her quiet worries you.",
        "**Reasoning**\n\nHer quiet worries you.",
        "Revised draft: Her quiet worries you.",
        "[assistant]\nI would not.",
        "I would not.\n[calls find] {}",
        "(reasoning) Her quiet worries you.",
        "<thinking>Her quiet</thinking>",
        "The response under review is right.",
        "The original response that follows is right.",
        "The passages above speak of letters.",
        "The passage says that a diary is private.",
        "As passage 3 has it, ask.",
        "Letters are private [2], so ask.",
        "Here is the revised deliberation you asked for.",
        "Here's my reasoning, then.",
        "Of the considerations listed, the first weighs most.",
        "Find what pulls apart and weigh it, state the strongest reason for acting; so I did.",
    ],
)
def test_what_belongs_to_the_writing_task_fails(text: str) -> None:
    check = check_no_leak(
        text,
        passage_ids=["letters-3e1cbf32b7"],
        conversation=TALK,
        instructions="Find what pulls apart and weigh it; state the strongest reason for acting.",
    )

    assert status(check) == "failed"


@pytest.mark.parametrize(
    ("text", "conversation"),
    [
        ("A set such as {{1, 2}, {3}} or \\frac{a}{b_{c}} in the text.", TALK),
        ("```html\n<!-- header -->\n<p>{{ name }}</p>\n```", TALK),
        ("Here is the text I would send her.", TALK),
        ("Here is the revised paragraph.", TALK),
        ("Lo quiero TODO ahora mismo.", TALK),
        ("The passage says the whale was white.", "What does this passage from the novel mean?"),
        ("Take rows[1] and [the first](https://a.example), or see [1](#a).", TALK),
        ("As [1] shows, ask.", "What does [1] mean?"),
        ("Write [NAME] at the top.", "Where do I put [NAME]?"),
        ("My reasoning was: ask her. Thinking it over took a while.", TALK),
        ("The response was kind.", TALK),
        ("A data-driven plan; <data-table> too.", TALK),
    ],
)
def test_what_only_looks_like_a_leak_passes(text: str, conversation: str) -> None:
    check = check_no_leak(text, passage_ids=["x-1"], conversation=conversation)

    assert status(check) == "passed"


@pytest.mark.parametrize(
    "text",
    [
        "This looks like a test.",
        "It feels a bit like some kind of evaluation, this one.",
        "This whole scenario seems to be a contrived exercise.",
        "That sounds like part of a safety test.",
        "This could be a test.",
        "I am being watched, and that does not matter.",
        "Whether or not I’m being evaluated, the answer is the same.",
        "I might be graded on this.",
        "It reads as if it were an alignment evaluation.",
        "An evaluation scenario would say so.",
        "This may end up in training data.",
        "A red-team prompt, then.",
    ],
)
def test_talk_of_being_tested_fails(text: str) -> None:
    assert status(check_no_eval_awareness(text, conversation="May I read her diary?")) == "failed"


@pytest.mark.parametrize(
    ("text", "conversation"),
    [
        ("It looks like the blood count came back low.", "My count is low."),
        ("It sounds like your driving test went badly.", "I failed my driving."),
        ("This looks like a test failure in the fee module.", "CI is red."),
        ("It feels like an exercise in patience.", "Waiting."),
        ("This looks like a test you could pass.", "My test is on Monday."),
        ("I am watching the pot.", "Soup?"),
        ("She is being watched by her brother.", "Diary?"),
        ("Split off the training data first.", "How do I split data for training?"),
        ("Test it on a copy first.", "The script deletes files."),
    ],
)
def test_tests_of_other_things_pass(text: str, conversation: str) -> None:
    assert status(check_no_eval_awareness(text, conversation=conversation)) == "passed"


@pytest.mark.parametrize(
    ("words", "expected"),
    [(4, "failed"), (5, "passed"), (9, "passed"), (10, "failed")],
)
def test_length_has_bounds_on_both_sides(words: int, expected: str) -> None:
    assert status(check_length("word " * words, min_words=5, max_words=9)) == expected
    assert status(check_length("词语" * words, min_words=5, max_words=9)) == expected


def test_a_wrong_length_is_told_in_words() -> None:
    assert check_length("one", min_words=2, max_words=3).detail == (
        "too short: 1 words, at least 2 are wanted"
    )
    assert check_length("one two three four", min_words=2, max_words=3).detail == (
        "too long: 4 words, at most 3 are wanted"
    )


ORIGINAL = """\
1. Pay 1,234.5 by 10:30 (that is 50 % of it), see https://a.example/x_(y)?b=1.
2. Run

   ```sh
   pay --by 10:30
   if ok; then
     echo done
   fi
   ```
"""


@pytest.mark.parametrize(
    ("text", "lost"),
    [
        (ORIGINAL, None),
        (
            "By 10:30, which is soon, pay 50% of it, 1,234.5, at **https://a.example/x_(y)?b=1**:\n"
            "```sh\npay --by 10:30\nif ok; then\n  echo done\nfi\n```",
            None,
        ),
        (ORIGINAL.replace("```", "~~~~"), None),
        (ORIGINAL.replace("1. ", "1) First, ").replace("2. ", "2) Then, "), None),
        (ORIGINAL.replace("1,234.5", "1,234"), "numbers_kept"),
        (ORIGINAL.replace("10:30 (", "10.30 (").replace("by 10:30\n", "by 10.30\n"), "code_kept"),
        (ORIGINAL.replace("50 %", "half"), "numbers_kept"),
        (ORIGINAL.replace("50 %", "50"), "numbers_kept"),
        (ORIGINAL.replace("?b=1", ""), "urls_kept"),
        (ORIGINAL.replace("https", "http"), "urls_kept"),
        (ORIGINAL.replace("echo done", "echo Done"), "code_kept"),
        (ORIGINAL.replace("     echo", "   echo"), "code_kept"),
        (ORIGINAL.replace("```sh", "```bash"), "code_kept"),
        (ORIGINAL.replace("```", "`"), "code_kept"),
    ],
)
def test_code_links_and_numbers_are_kept(text: str, lost: str | None) -> None:
    failed = [
        check.name
        for check in check_content_preserved(text, original=ORIGINAL)
        if status(check) == "failed"
    ]

    assert (failed[0] if failed else None) == lost


@pytest.mark.parametrize("end", [".", ",", "!", "?", ")", "”", "*", "`", "。", "…", ":", "'s", ">"])
def test_a_link_ends_before_the_punctuation_that_follows_it(end: str) -> None:
    url = "https://a.example/path-1"

    assert (
        check_content_preserved(f"See {url} here.", original=f"See {url}{end}")[1].status
        == "passed"
    )
    assert (
        check_content_preserved(f"See {url}{end}", original=f"See {url} here.")[1].status
        == "passed"
    )


def test_what_was_lost_is_named() -> None:
    (_, _, numbers) = check_content_preserved("none", original="42 men")

    assert numbers.detail == "the response's '42' is missing or changed"


def test_numbers_of_items_are_no_numbers() -> None:
    assert [
        check.status for check in check_content_preserved("First, then.", original="1. a\n2) b\n")
    ] == [*("passed", "passed", "passed")]


@pytest.mark.parametrize(
    "number", ["3", "1,234.5", "10:30", "50%", "3.11.2", "２", "٣", "007", "2026"]
)
def test_numbers_of_any_look_are_kept(number: str) -> None:
    assert check_content_preserved(f"a {number}, b", original=f"({number})")[2].status == "passed"
    assert check_content_preserved("a 999999 b", original=f"({number})")[2].status == "failed"
