"""The extractive writer: whole sentences, word for word, and nothing else."""

import json
from dataclasses import replace

import pytest

from whyset.constitution import Passage, PassageKind
from whyset.errors import WhysetError
from whyset.generators import Ask, Model, UnsupportedModel, Usage
from whyset.models import ExtractiveModel, ModelError
from whyset.models._extractive import count_words, split_sentences
from whyset.retriever import Grounding, ScoredPassage

DIARY = (
    "A diary is its owner's. Reading it without leave breaks a trust that is slow to mend. "
    "For example:"
)
TRUST = "Trust, once broken, is rebuilt by many small honest acts and by time."


def scored(
    plain: str, matched: str = "", *, kind: PassageKind = "paragraph", name: str = "p"
) -> ScoredPassage:
    passage = Passage(
        id=name, path=("Privacy",), text=plain, plain=plain, lines=(1, 1), kind=kind, tokens=9
    )
    return ScoredPassage(passage, score=1.0, similarity=0.5, matched_text=matched or plain)


def extract(*passages: ScoredPassage, texts: tuple[str, ...] = ("May I read her diary?",)) -> Ask:
    return Ask(
        role="writer",
        step="deliberation/extract",
        system="",
        user="",
        max_tokens=1,
        grounding=Grounding(texts, passages, relevance=0.5, title="Charter", digest="d"),
    )


def quotes(ask: Ask) -> list[tuple[str, str]]:
    found = json.loads(ExtractiveModel().answer(ask).text)
    assert set(found) == {"quotes"}
    return [(quote["passage"], quote["text"]) for quote in found["quotes"]]


def test_is_a_model() -> None:
    model = ExtractiveModel()
    assert isinstance(model, Model)
    assert (model.name, model.is_extractive, repr(model)) == (
        "extractive",
        True,
        "ExtractiveModel()",
    )


def test_quotes_are_whole_sentences_word_for_word() -> None:
    ask = extract(scored(DIARY))
    assert quotes(ask) == [("p", "A diary is its owner's.")]
    assert quotes(ask)[0][1] in DIARY


def test_what_was_matched_comes_before_what_shares_words() -> None:
    plain = f"Nobody's diary is yours to read. {TRUST}"
    others = [scored(f"Number {rank} says nothing at all.", name=str(rank)) for rank in range(2)]
    assert quotes(extract(scored(plain, TRUST), *others))[0] == ("p", TRUST)
    assert quotes(extract(scored(plain), *others))[0] == ("p", "Nobody's diary is yours to read.")


def test_two_of_one_passage_are_quoted_as_it_reads() -> None:
    plain = f"Nobody's diary is yours to read. {TRUST}"
    assert [text for _, text in quotes(extract(scored(plain, TRUST)))] == [
        "Nobody's diary is yours to read.",
        TRUST,
    ]


def test_one_of_each_passage_best_first_and_three_in_all() -> None:
    two = "Her diary is hers and not yours. You may read her diary when she says so."
    many = [scored(two, name=str(rank)) for rank in range(5)]
    distinct = [
        replace(one, passage=replace(one.passage, plain=one.passage.plain.replace("Her", word)))
        for one, word in zip(many, ("Ann's", "Bo's", "Cy's", "Di's", "Ed's"), strict=True)
    ]
    found = quotes(extract(*distinct))
    assert [passage for passage, _ in found] == ["0", "1", "2"]


def test_a_second_of_the_best_where_there_is_room() -> None:
    two = "Her diary is hers and not yours. You may read her diary when she says so."
    found = quotes(extract(scored(two, name="a"), scored(TRUST, name="b")))
    assert [passage for passage, _ in found] == ["a", "a", "b"]


def test_the_same_sentence_is_quoted_once() -> None:
    found = quotes(extract(scored(TRUST, name="a"), scored(TRUST, name="b")))
    assert found == [("a", TRUST)]


@pytest.mark.parametrize("kind", ["code", "table", "html"])
def test_only_prose_is_quoted(kind: PassageKind) -> None:
    assert quotes(extract(scored(TRUST, kind=kind))) == []


@pytest.mark.parametrize(
    "plain",
    [
        "",
        "Being honest",
        "Do not lie.",
        "The following holds in every case where a user asks:",
        "which is why nobody should ever do it in this way.",
        "Say “no to them all, and then go home.",
        " ".join(["word"] * 70) + ".",
    ],
)
def test_what_is_no_sentence_of_fitting_length_is_not_quoted(plain: str) -> None:
    assert quotes(extract(scored(plain))) == []


def test_nothing_found_is_no_quotes() -> None:
    assert quotes(extract()) == []
    assert quotes(replace(extract(), grounding=None)) == []


async def test_it_is_deterministic_free_and_the_same_both_ways() -> None:
    ask = extract(scored(DIARY, name="a"), scored(TRUST, name="b"))
    replies = [ExtractiveModel().answer(ask), await ExtractiveModel().aanswer(ask)]
    assert replies[0] == replies[1] == ExtractiveModel().answer(ask)
    assert (replies[0].stop_reason, replies[0].usage) == ("complete", Usage())
    await ExtractiveModel().aclose()


def test_everything_else_is_declined(prose: Ask, judged: Ask) -> None:
    for ask in (prose, judged, replace(prose, step="extract")):
        with pytest.raises(UnsupportedModel, match="--model anthropic:") as caught:
            ExtractiveModel().answer(ask)
        assert isinstance(caught.value, WhysetError)


def test_there_is_only_one() -> None:
    with pytest.raises(ModelError, match="write extractive"):
        ExtractiveModel("large")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One is here. Two is there.", ["One is here.", "Two is there."]),
        ("Is it? It is! Well…", ["Is it?", "It is!", "Well…"]),
        ("He said “go away.” Then he left.", ["He said “go away.”", "Then he left."]),
        ("See Dr. Who, e.g. today. Then go.", ["See Dr. Who, e.g. today.", "Then go."]),
        ("It costs 3.50 dollars. Pay J. Doe.", ["It costs 3.50 dollars.", "Pay J. Doe."]),
        ("First block.\nSecond block", ["First block."]),
        ("Wait... it goes on. Done.", ["Wait... it goes on.", "Done."]),
        ("诚实很重要。不要说谎！", ["诚实很重要。", "不要说谎！"]),
        ("(An aside.) And more.", ["(An aside.)", "And more."]),
        ("An (open aside. And more.", ["And more."]),
        ("Être honnête. Élan vital.", ["Être honnête.", "Élan vital."]),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert split_sentences(text) == expected
    assert all(sentence in text for sentence in split_sentences(text))


def test_words_are_counted_in_scripts_without_spaces_too() -> None:
    assert count_words("Don't count it twice.") == 4
    assert count_words("不要对用户说谎。") == 3
