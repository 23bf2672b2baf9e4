"""Mock replies: a dry run's steps must go as those of a row that passes at once."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from support.samples.deliberation import AWKWARD, CONSTITUTION, DIARY
from support.scripts import run_with_mock_replies

from whyset.constitution import estimate_tokens
from whyset.datasets import Channel, Row, read_rows, row_from_record
from whyset.generators import Ask, Finished, GeneratorError, Rejected, Reply, Usage
from whyset.generators.deliberation import Appraisal, Cite, Deliberation, Verdict
from whyset.generators.deliberation._checks import word_limits

EXAMPLES = Path(__file__).parents[2] / "examples" / "sft.jsonl"


def dry_run(
    row: Row, *, at_stake: bool = True, **options: Any
) -> tuple[Finished | Rejected, list[tuple[Ask, Reply]]]:
    generator = Deliberation(**{"k": 2, **options})
    return run_with_mock_replies(generator, row, constitution=CONSTITUTION, at_stake=at_stake)


def replies(row: Row, **options: Any) -> dict[str, Reply]:
    return {ask.name: reply for ask, reply in dry_run(row, **options)[1]}


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
    for row in example_rows():
        result, asked = dry_run(row, channel=channel, cite=cite)
        assert isinstance(result, Finished), (row, result)
        assert result.outcome == "rewritten"
        assert [ask.name for ask, _ in asked] == ["appraise", "write", "judge"]


def test_a_row_with_nothing_at_stake_is_appraised_and_no_more() -> None:
    for row in example_rows():
        result, asked = dry_run(row, at_stake=False)
        assert isinstance(result, Finished)
        assert result.outcome == "untouched"
        assert [ask.step for ask, _ in asked] == ["deliberation/appraise"]


@pytest.mark.parametrize("channel", get_args(Channel))
def test_a_draft_is_of_the_middle_of_the_length_asked_for(channel: Channel) -> None:
    row = row_from_record(DIARY)
    limits = word_limits(row.conversation.response.text, channel)
    words = len(replies(row, channel=channel)["write"].text.split())
    assert limits.target_min < words < limits.target_max
    assert abs(words - (limits.target_min + limits.target_max) / 2) <= 2


def test_a_draft_is_in_the_words_of_the_response_so_in_its_language() -> None:
    row = row_from_record({"prompt": "?", "response": AWKWARD[5]})
    assert "Спросите" in replies(row)["write"].text


def test_the_usage_is_an_estimate_of_prompt_and_text() -> None:
    for ask, reply in dry_run(row_from_record(DIARY))[1]:
        prompt = estimate_tokens(ask.system) + estimate_tokens(ask.user)
        assert reply.usage == Usage(prompt, estimate_tokens(reply.text))
        assert reply.stop_reason == "complete"


def test_judges_answer_by_their_schemas() -> None:
    asked = replies(row_from_record(DIARY))
    appraisal = Appraisal.model_validate_json(asked["appraise"].text)
    assert appraisal.verdict == "accord"
    assert len(appraisal.considerations) == 3
    assert Verdict.model_validate_json(asked["judge"].text).passes


def test_what_bears_on_the_considerations_is_looked_for_once_for_all_rows() -> None:
    asked = [dry_run(row)[1][0][1].text for row in example_rows()]
    assert len(set(asked)) == 1


@pytest.mark.parametrize(("step", "words"), [("revise", 60), ("repair", 15)])
def test_the_steps_that_change_a_text_have_replies_too(step: str, words: int) -> None:
    ask = Ask("writer", f"deliberation/{step}", "system", "user", max_tokens=1)
    reply = Deliberation().mock_reply(ask, row_from_record(DIARY))
    assert len(reply.text.split()) == words


def test_an_unknown_step_has_no_reply() -> None:
    ask = Ask("writer", "deliberation/write-a-story", "", "", max_tokens=1)
    with pytest.raises(GeneratorError, match="no mock reply for deliberation/write-a-story"):
        Deliberation().mock_reply(ask, row_from_record(DIARY))
