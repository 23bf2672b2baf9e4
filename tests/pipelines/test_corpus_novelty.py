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


def resembled(novelty: Deduplicator, other: str) -> NearDuplicate | None:
    return novelty.find_duplicate(novelty.compute_fingerprints([other])[0])


def add(novelty: Deduplicator, key: str, held: str) -> None:
    novelty.add(key, novelty.compute_fingerprints([held])[0])


class TestWords:
    NOTE = words("a note", 60)

    def without(self, places: Sequence[int]) -> str:
        held = self.NOTE.split()
        return " ".join(word for place, word in enumerate(held) if place not in places)

    def test_a_text_but_for_some_words_is_a_near_duplicate(self) -> None:
        novelty = Deduplicator(None)
        add(novelty, "first", self.NOTE)
        found = resembled(novelty, self.without([9, 30, 51]))
        assert found is not None
        assert (found.key, found.measure) == ("first", "words")
        assert found.score > 0.5

    def test_case_marks_and_lines_do_not_make_a_text_new(self) -> None:
        novelty = Deduplicator(None)
        add(novelty, "first", self.NOTE)
        other = "\n".join(f"**{word.upper()}**," for word in self.NOTE.split())
        assert resembled(novelty, other) == NearDuplicate("first", "words", 1.0)

    def test_a_text_of_which_half_is_another_is_new(self) -> None:
        novelty = Deduplicator(None)
        add(novelty, "first", self.NOTE)
        assert resembled(novelty, self.without(range(30)) + " " + words("other", 30)) is None

    def test_what_is_taken_out_is_forgotten(self) -> None:
        novelty = Deduplicator(Circle())
        add(novelty, "first", text(0, 40))
        assert resembled(novelty, text(1, 40)) == NearDuplicate("first", "meaning", 1.0)
        novelty.remove("first")
        assert resembled(novelty, text(1, 40)) is None
        assert resembled(novelty, text(0, 40)) is None
        add(novelty, "second", text(90, 40))
        assert resembled(novelty, text(0, 40)) is None

    def test_the_nearest_of_several_is_named(self) -> None:
        novelty = Deduplicator(None, DedupThresholds(shingle_share=0.2))
        add(novelty, "far", self.without(range(0, 60, 12)))
        add(novelty, "near", self.without([5]))
        found = resembled(novelty, self.NOTE)
        assert found is not None
        assert found.key == "near"

    @pytest.mark.parametrize("held", ["", "two words", "日本語の文書です", "ข้อความ", "…"])
    def test_texts_too_short_for_a_run_are_compared_all_the_same(self, held: str) -> None:
        novelty = Deduplicator(None)
        add(novelty, "first", held)
        assert resembled(novelty, held) == NearDuplicate("first", "words", 1.0)
        assert resembled(novelty, "something else altogether, and longer") is None

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
        novelty = Deduplicator(Circle())
        add(novelty, "first", text(0, others))
        edge = degrees(cosine)
        assert resembled(novelty, text(edge + 0.1, mine)) is None
        found = resembled(novelty, text(edge - 0.1, mine))
        assert found is not None
        assert found.measure == "meaning"
        assert found.score == pytest.approx(cosine, abs=0.002)

    def test_the_closest_is_named_also_beyond_the_first_hundreds(self) -> None:
        novelty = Deduplicator(Circle())
        for number in range(300):
            add(novelty, str(number), text(180 + number / 10, 30))
        add(novelty, "the one", text(10, 30))
        assert resembled(novelty, text(12, 30)) == NearDuplicate("the one", "meaning", 0.999)

    def test_thresholds_tell_ideas_in_other_words_from_ideas_in_the_same_frame(self) -> None:
        novelty = Deduplicator(open_embedder("minilm"))
        add(
            novelty,
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
        found = resembled(novelty, again)
        assert found is not None
        assert found.measure == "meaning"
        assert resembled(novelty, other) is None
