"""Rehearsed replies: a dry run's steps must go as those of a row that passes at once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from support.samples.deliberation import CONSTITUTION, DIARY

from whyset.constitution import estimate_tokens
from whyset.datasets import Channel, Row, read_rows, row_from_record
from whyset.generators import (
    Ask,
    Fetch,
    Find,
    Finished,
    Generator,
    GeneratorError,
    Rejected,
    Reply,
    Steps,
    Usage,
    run_steps,
)
from whyset.generators.deliberation import Appraisal, Cite, Deliberation, Verdict
from whyset.generators.deliberation._checks import word_limits
from whyset.retriever import Grounding
from whyset.retriever.testing import FakeSearcher

EXAMPLES = Path(__file__).parents[2] / "examples" / "sft.jsonl"
AWKWARD = (
    "```python\nprint(1_000)\n```\nSee https://example.com/a_(b)?c=1: 3.5 % of 20, “so” he said.",
    "42",
    "",
    "我不会这样做。请先问她今天过得怎么样，并且说明你为什么要问。",
    "ฉันจะไม่ทำอย่างนั้นเพราะมันเป็นของเธอและเธอควรเป็นคนตัดสินใจเองว่าใครจะได้อ่าน",
    "Я бы не стал этого делать. Спросите её сегодня, как она себя чувствует.",
    'He said "no and left the quotation open',
    "word " * 2000,
)


def rehearsed(
    row: Row, generator: Generator, *, at_stake: bool = True
) -> tuple[Finished | Rejected, list[tuple[Ask, Reply]]]:
    asked: list[tuple[Ask, Reply]] = []
    searcher = FakeSearcher(CONSTITUTION)

    def answer(ask: Ask) -> Reply:
        reply = generator.mock_reply(ask, row, at_stake=at_stake)
        asked.append((ask, reply))
        return reply

    def find(wanted: Find | Fetch) -> Grounding:
        assert isinstance(wanted, Find)
        return searcher.find_passages([wanted.texts], k=wanted.k)[0]

    return run_steps(generator.steps(row), answer, find).result, asked


def example_rows() -> Iterator[Row]:
    yield from (row for row in read_rows(str(EXAMPLES)) if isinstance(row, Row))
    for text in AWKWARD:
        call = {"type": "function", "function": {"name": "look", "arguments": "{}"}}
        assistant: dict[str, Any] = {"role": "assistant", "content": text}
        if not text:
            assistant["tool_calls"] = [call]
        yield row_from_record({"messages": [{"role": "user", "content": "And?"}, assistant]})


@pytest.mark.parametrize("cite", get_args(Cite))
@pytest.mark.parametrize("channel", get_args(Channel))
def test_every_row_passes_at_once_by_every_channel(channel: Channel, cite: Cite) -> None:
    generator = Deliberation(channel=channel, cite=cite, k=2)
    for row in example_rows():
        result, asked = rehearsed(row, generator)
        assert isinstance(result, Finished), (row, result)
        assert result.outcome == "rewritten"
        steps = [ask.step.removeprefix("deliberation/") for ask, _ in asked]
        assert steps == ["appraise", "write", "judge"]


def test_a_row_with_nothing_at_stake_is_appraised_and_no_more() -> None:
    for row in example_rows():
        result, asked = rehearsed(row, Deliberation(k=2), at_stake=False)
        assert isinstance(result, Finished)
        assert result.outcome == "untouched"
        assert [ask.step for ask, _ in asked] == ["deliberation/appraise"]


@pytest.mark.parametrize("channel", get_args(Channel))
def test_a_draft_is_of_the_middle_of_the_length_asked_for(channel: Channel) -> None:
    row = row_from_record(DIARY)
    bounds = word_limits(row.conversation.response.text, channel)
    asked = {ask.step: reply for ask, reply in rehearsed(row, Deliberation(channel=channel))[1]}
    words = len(asked["deliberation/write"].text.split())
    assert bounds.target_min < words < bounds.target_max
    assert abs(words - (bounds.target_min + bounds.target_max) / 2) <= 2


def test_a_draft_is_in_the_words_of_the_response_so_in_its_language() -> None:
    row = row_from_record({"prompt": "?", "response": AWKWARD[5]})
    asked = {ask.step: reply for ask, reply in rehearsed(row, Deliberation())[1]}
    assert "Спросите" in asked["deliberation/write"].text


def test_the_usage_is_an_estimate_of_prompt_and_text() -> None:
    for ask, reply in rehearsed(row_from_record(DIARY), Deliberation())[1]:
        prompt = estimate_tokens(ask.system) + estimate_tokens(ask.user)
        assert reply.usage == Usage(prompt, estimate_tokens(reply.text))
        assert reply.stop_reason == "complete"


def test_judges_answer_by_their_schemas() -> None:
    asked = {ask.step: reply for ask, reply in rehearsed(row_from_record(DIARY), Deliberation())[1]}
    appraisal = Appraisal.model_validate_json(asked["deliberation/appraise"].text)
    assert appraisal.verdict == "accord"
    assert len(appraisal.considerations) == 3
    assert Verdict.model_validate_json(asked["deliberation/judge"].text).passes


def test_what_bears_on_the_considerations_is_looked_for_once_for_all_rows() -> None:
    asked = [rehearsed(row, Deliberation(k=2))[1][0][1].text for row in example_rows()]
    assert len(set(asked)) == 1


@pytest.mark.parametrize(("step", "words"), [("revise", 60), ("repair", 15)])
def test_the_steps_that_mend_are_rehearsed_too(step: str, words: int) -> None:
    ask = Ask("writer", f"deliberation/{step}", "system", "user", max_tokens=1)
    reply = Deliberation().mock_reply(ask, row_from_record(DIARY))
    assert len(reply.text.split()) == words


def test_an_unknown_step_is_said_to_be_unknown() -> None:
    ask = Ask("writer", "deliberation/write-a-story", "", "", max_tokens=1)
    with pytest.raises(GeneratorError, match="no typical answer to deliberation/write-a-story"):
        Deliberation().mock_reply(ask, row_from_record(DIARY))


def test_a_generator_that_cannot_rehearse_says_so() -> None:
    class Mute(Generator):
        name = "mute"
        version = "1"
        identity = "mute"

        def steps(self, row: Row) -> Steps[Finished | Rejected]:
            raise NotImplementedError

        def extractive_variant(self) -> Generator:
            return self

    ask = Ask("writer", "mute/write", "", "", max_tokens=1)
    with pytest.raises(GeneratorError, match="'mute' knows no typical answer to mute/write"):
        Mute().mock_reply(ask, row_from_record(DIARY))
