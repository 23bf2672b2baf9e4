"""Words in any script."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from whyset.generators._text import count_words, find_shared_ngram

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


def test_a_run_of_words_is_found_whatever_its_punctuation_and_markup() -> None:
    text = f"As it says, **{TWELVE.upper().replace(' six', ', six')}**!"

    assert find_shared_ngram(text, ["nothing", f"So: {TWELVE}. More."], length=12) == tuple(
        TWELVE.split()
    )


def test_a_shorter_run_is_none() -> None:
    eleven = TWELVE.removesuffix(" twelve")

    assert find_shared_ngram(f"{eleven} dozen", [f"{TWELVE} thirteen"], length=12) is None


def test_a_run_that_the_conversation_has_too_is_nobodys() -> None:
    assert find_shared_ngram(TWELVE, [TWELVE], length=12, allowed=f"x {TWELVE} y") is None
    assert find_shared_ngram(TWELVE, [TWELVE], length=12, allowed=TWELVE.upper()) is None


def test_scripts_without_spaces_have_runs_too() -> None:
    said = "人们写在日记里的话只属于写的人而不属于打开它的任何人"

    assert find_shared_ngram(f"我觉得{said}。", [said], length=12)
    assert find_shared_ngram(f"我觉得{said[:20]}。", [said], length=12) is None


@given(st.lists(st.sampled_from("abcde"), max_size=30), st.integers(1, 5))
def test_a_text_shares_every_run_with_itself(words: list[str], length: int) -> None:
    text = " ".join(words)
    run = tuple(words[:length]) if len(words) >= length else None

    assert find_shared_ngram(text, [text], length=length) == run
