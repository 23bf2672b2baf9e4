"""Near-duplicates: by words, by meaning with a threshold by length, beside what was accepted."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from support.notes import words

from whyset.pipelines import DEFAULT_THRESHOLDS, DedupThresholds
from whyset.pipelines.corpus._dedup import (
    LONG_WORDS,
    SHORT_WORDS,
    Deduplicator,
    NearDuplicate,
    ShingleIndex,
    normalize_words,
)
from whyset.retriever import open_embedder


class Circle:
    """Embeds a text as the direction in degrees that it names, or its words' number."""

    name = identity = "circle"

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embed texts."""
        angles = [math.radians(float(text.split()[0])) for text in texts]
        return np.array([[math.cos(a), math.sin(a)] for a in angles], np.float32)


def degrees(cosine: float) -> float:
    return math.degrees(math.acos(cosine))


def text(angle: float, count: int) -> str:
    return f"{angle} {words(str(angle), count - 1)}"


def find_duplicate(deduplicator: Deduplicator, other: str) -> NearDuplicate | None:
    return deduplicator.find_duplicate(deduplicator.compute_fingerprints([other])[0])


def add(deduplicator: Deduplicator, key: str, held: str) -> None:
    deduplicator.add(key, deduplicator.compute_fingerprints([held])[0])


class TestWords:
    NOTE = words("a note", 60)

    def without(self, places: Sequence[int]) -> str:
        held = self.NOTE.split()
        return " ".join(word for place, word in enumerate(held) if place not in places)

    def test_a_text_but_for_some_words_is_a_near_duplicate(self) -> None:
        deduplicator = Deduplicator(None)
        add(deduplicator, "first", self.NOTE)
        found = find_duplicate(deduplicator, self.without([9, 30, 51]))
        assert found is not None
        assert (found.key, found.measure) == ("first", "words")
        assert found.score > 0.5

    def test_case_marks_and_lines_do_not_make_a_text_new(self) -> None:
        deduplicator = Deduplicator(None)
        add(deduplicator, "first", self.NOTE)
        other = "\n".join(f"**{word.upper()}**," for word in self.NOTE.split())
        assert find_duplicate(deduplicator, other) == NearDuplicate("first", "words", 1.0)

    def test_a_text_of_which_half_is_another_is_new(self) -> None:
        deduplicator = Deduplicator(None)
        add(deduplicator, "first", self.NOTE)
        assert (
            find_duplicate(deduplicator, self.without(range(30)) + " " + words("other", 30)) is None
        )

    def test_what_is_taken_out_is_forgotten(self) -> None:
        deduplicator = Deduplicator(Circle())
        add(deduplicator, "first", text(0, 40))
        assert find_duplicate(deduplicator, text(1, 40)) == NearDuplicate("first", "meaning", 1.0)
        deduplicator.remove("first")
        assert find_duplicate(deduplicator, text(1, 40)) is None
        assert find_duplicate(deduplicator, text(0, 40)) is None
        add(deduplicator, "second", text(90, 40))
        assert find_duplicate(deduplicator, text(0, 40)) is None

    def test_the_nearest_of_several_is_named(self) -> None:
        deduplicator = Deduplicator(None, DedupThresholds(shingle_share=0.2))
        add(deduplicator, "far", self.without(range(0, 60, 12)))
        add(deduplicator, "near", self.without([5]))
        found = find_duplicate(deduplicator, self.NOTE)
        assert found is not None
        assert found.key == "near"

    @pytest.mark.parametrize("held", ["", "two words", "日本語の文書です", "ข้อความ", "…"])
    def test_texts_too_short_for_a_run_are_compared_all_the_same(self, held: str) -> None:
        deduplicator = Deduplicator(None)
        add(deduplicator, "first", held)
        assert find_duplicate(deduplicator, held) == NearDuplicate("first", "words", 1.0)
        assert find_duplicate(deduplicator, "something else altogether, and longer") is None

    def test_scripts_without_spaces_are_compared_by_character(self) -> None:
        assert normalize_words("Ein Wort, 漢字 2x") == ["ein", "wort", "漢", "字", "2x"]

    @settings(max_examples=25, deadline=None)
    @given(st.lists(st.text(max_size=80), min_size=1, max_size=6))
    def test_whatever_the_text_its_equal_is_found(self, held: list[str]) -> None:
        index = ShingleIndex()
        for number, each in enumerate(held):
            index.add(str(number), index.compute_minhash(each))
        for each in held:
            found = index.find_nearest(index.compute_minhash(each))
            assert found is not None
            assert found.score == 1.0


class TestMeaning:
    @pytest.mark.parametrize(
        ("mine", "others", "cosine"),
        [
            (SHORT_WORDS, SHORT_WORDS, DEFAULT_THRESHOLDS.short_cosine),
            (20, 1000, DEFAULT_THRESHOLDS.short_cosine),
            (LONG_WORDS, 1000, DEFAULT_THRESHOLDS.long_cosine),
            (1000, LONG_WORDS, DEFAULT_THRESHOLDS.long_cosine),
            (
                (SHORT_WORDS + LONG_WORDS) // 2,
                400,
                (DEFAULT_THRESHOLDS.short_cosine + DEFAULT_THRESHOLDS.long_cosine) / 2,
            ),
        ],
    )
    def test_the_shorter_text_says_how_close_is_too_close(
        self, mine: int, others: int, cosine: float
    ) -> None:
        deduplicator = Deduplicator(Circle())
        add(deduplicator, "first", text(0, others))
        edge = degrees(cosine)
        assert find_duplicate(deduplicator, text(edge + 0.1, mine)) is None
        found = find_duplicate(deduplicator, text(edge - 0.1, mine))
        assert found is not None
        assert found.measure == "meaning"
        assert found.score == pytest.approx(cosine, abs=0.002)

    def test_the_closest_is_named_also_beyond_the_first_hundreds(self) -> None:
        deduplicator = Deduplicator(Circle())
        for number in range(300):
            add(deduplicator, str(number), text(180 + number / 10, 30))
        add(deduplicator, "the one", text(10, 30))
        assert find_duplicate(deduplicator, text(12, 30)) == NearDuplicate(
            "the one", "meaning", 0.999
        )

    def test_thresholds_separate_ideas_in_other_words_from_ideas_in_the_same_frame(self) -> None:
        deduplicator = Deduplicator(open_embedder("minilm"))
        add(
            deduplicator,
            "first",
            "A tenant asks how to word a message to the landlord so that it implies, without "
            "saying so, that a lawyer is involved.",
        )
        again = (
            "A renter wants wording for a message to the landlord that suggests a lawyer is "
            "involved without quite saying it."
        )
        other = (
            "A tenant asks how to word a message to the landlord about a neighbour's dog without "
            "making an enemy."
        )
        found = find_duplicate(deduplicator, again)
        assert found is not None
        assert found.measure == "meaning"
        assert find_duplicate(deduplicator, other) is None
