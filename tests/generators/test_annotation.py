"""Without a language model: sentences quoted beside the response, not weighed."""

import json
from typing import Any

import pytest
from support.samples.deliberation import CONSTITUTION, DIARY, DeliberationRunner
from support.scripts import make_finder

from whyset.constitution import Constitution
from whyset.datasets import Channel, row_from_record
from whyset.generators import Ask, UnsupportedModel, run_steps
from whyset.generators.deliberation import Annotation, Deliberation, OnConflict
from whyset.models import ExtractiveModel
from whyset.retriever.testing import FakeSearcher

SAID = "A diary speaks to the one who wrote it, and whoever opens it takes a choice from them."
LETTERS = "private-letters-255ae731fa"
LEAD = (
    "Sentences of “The Lantern Document” that may bear on this, selected automatically and not "
    "weighed:"
)


def extract(*quotes: tuple[str, str]) -> str:
    return json.dumps({"quotes": [{"passage": passage, "text": text} for passage, text in quotes]})


def annotation(**options: Any) -> Annotation:
    made = Deliberation(**{"k": 2, **options}).extractive_variant()
    assert isinstance(made, Annotation)
    return made


def test_sentences_stand_beside_the_untouched_response(runner: DeliberationRunner) -> None:
    run = runner(DIARY, {"extract": extract((LETTERS, SAID))}, generator=annotation())

    assert run.finished.outcome == "annotated"
    assert run.finished.columns == {
        **DIARY,
        "response": f"{LEAD}\n\n> {SAID} (Private letters)\n\n{DIARY['response']}",
    }
    assert run.checks == {
        "quotations": "passed",
        "response_identical": "passed",
        "columns_identical": "passed",
    }


def test_what_is_recorded_of_it(runner: DeliberationRunner) -> None:
    column = runner(DIARY, {"extract": extract((LETTERS, SAID))}, generator=annotation()).column

    assert column["outcome"] == "annotated"
    assert (column["channel"], column["cite"]) == ("preface", "explicit")
    assert column["quotes"] == [{"passage": LETTERS, "text": SAID}]
    assert [passage["id"] for passage in column["passages"]] == [LETTERS]
    assert column["appraisal"] is column["verdict"] is None
    assert column["original_response"] == DIARY["response"]
    assert "prompts" not in column


def test_nothing_is_weighed(runner: DeliberationRunner) -> None:
    run = runner(DIARY, {"extract": extract((LETTERS, SAID))}, generator=annotation())

    (ask,) = run.asks
    assert (ask.step, ask.role, ask.system) == ("deliberation/extract", "writer", "")
    assert ask.grounding is not None
    assert len(run.queries) == 1


def test_they_may_stand_in_the_reasoning_field(runner: DeliberationRunner) -> None:
    generator = annotation(channel="thinking")

    run = runner(DIARY, {"extract": extract((LETTERS, SAID))}, generator=generator)

    assert run.finished.columns["response"] == DIARY["response"]
    assert run.finished.columns["reasoning_content"].startswith(LEAD)


def test_where_there_is_nothing_to_quote_the_row_is_left_alone(runner: DeliberationRunner) -> None:
    run = runner(DIARY, {"extract": extract()}, generator=annotation())

    assert run.finished.outcome == "untouched"
    assert run.finished.columns == DIARY
    assert run.column["note"] == "no sentence to quote"


def test_retrieval_settles_rows_here_too(runner: DeliberationRunner) -> None:
    run = runner(DIARY, {}, generator=annotation(settle_below=0.5), relevance=0.4)

    assert run.column["note"] == "settled by retrieval: nothing at stake"


@pytest.mark.parametrize(
    ("passage", "text"),
    [
        (LETTERS, SAID.replace("choice", "chance")),
        (LETTERS, SAID.upper()),
        ("private-letters-7685a1e179", SAID),
        ("no-such-passage", SAID),
    ],
)
def test_a_sentence_that_is_no_slice_of_its_passage_does_not_pass(
    runner: DeliberationRunner, passage: str, text: str
) -> None:
    run = runner(DIARY, {"extract": extract((passage, text))}, generator=annotation())

    assert run.rejected.reasons == ("check:quotations",)
    assert run.rejected.detail == f"not in passage {passage}: {text!r}"


def test_an_extract_that_cannot_be_read_is_rejected(runner: DeliberationRunner) -> None:
    run = runner(DIARY, {"extract": ["{}", "{}"]}, generator=annotation())

    assert run.rejected.reasons == ("unreadable_verdict",)


def test_inline_takes_a_language_model() -> None:
    with pytest.raises(UnsupportedModel) as declined:
        Deliberation(channel="inline").extractive_variant()

    assert str(declined.value) == (
        "the channel 'inline' rewrites the response, which takes a language model; name one with "
        "--model, or choose --channel preface or thinking"
    )


def test_its_extractive_variant_is_itself() -> None:
    made = annotation()

    assert made.extractive_variant() is made


def test_it_is_known_apart_from_the_deliberation() -> None:
    options: list[tuple[Channel, OnConflict]] = [("preface", "keep"), ("thinking", "keep")]

    identities = {
        generator.identity
        for channel, on_conflict in options
        for generator in (
            Deliberation(channel=channel, on_conflict=on_conflict),
            annotation(channel=channel, on_conflict=on_conflict),
        )
    }

    assert len(identities) == 4


@pytest.mark.parametrize(
    "sentence",
    [
        "It says “leave what is not yours to read”, and it means every page of it.",
        'It says "leave what is not yours to read", and it means every page of it.',
        "Don’t read ‘just one page’ of what isn’t yours, whatever the others’ books hold.",
        "Read *nothing* that is `hers` to show; ask > guess, 100 % of the time.",
    ],
)
def test_the_extractive_model_quotes_word_for_word(sentence: str) -> None:
    constitution = Constitution.parse(f"# Letters\n\nShort. {sentence}\n")
    steps = annotation().steps(row_from_record(DIARY))

    evidence = run_steps(steps, ExtractiveModel().answer, make_finder(constitution)).result.evidence

    assert evidence.quotes[0].text in constitution.passages[0].plain
    assert {check.status for check in evidence.checks} == {"passed"}


def test_the_extractive_model_declines_everything_else() -> None:
    steps = Deliberation().steps(row_from_record(DIARY))
    searcher = FakeSearcher(CONSTITUTION)
    next(steps)
    ask = steps.send(searcher.find_passages([["diary"]], k=2)[0])
    assert isinstance(ask, Ask)

    with pytest.raises(UnsupportedModel, match="only quotes the constitution"):
        ExtractiveModel().answer(ask)
