"""The scripted model that other tests lean on."""

import json

import pytest
from pydantic import BaseModel

from whyset.generators import Ask, Model, Reply, Usage
from whyset.models import ModelUnavailable
from whyset.models.testing import ScriptedModel, ScriptExhausted


class Yes(BaseModel):
    yes: bool = True


async def test_lines_are_said_in_order_and_asks_recorded(prose: Ask, judged: Ask) -> None:
    whole = Reply("cut", "truncated")
    model = ScriptedModel(["one", whole, Yes(), lambda ask: ask.user.upper()])
    assert isinstance(model, Model)
    assert model.answer(prose) == Reply("one", "complete", Usage(10, 5), "scripted:model")
    assert await model.aanswer(judged) is whole
    assert json.loads(model.answer(judged).text) == {"yes": True}
    assert model.answer(prose).text == "MAY I READ HER DIARY?"
    assert model.asks == [prose, judged, judged, prose]
    assert model.remaining == 0


def test_errors_are_raised_also_those_a_function_returns(prose: Ask) -> None:
    model = ScriptedModel([ModelUnavailable("busy"), lambda _: ModelUnavailable("busy")])
    for _ in range(2):
        with pytest.raises(ModelUnavailable, match="busy"):
            model.answer(prose)


def test_a_script_that_runs_out_says_at_what(prose: Ask) -> None:
    model = ScriptedModel(["one"], name="scripted:short")
    model.answer(prose)
    with pytest.raises(ScriptExhausted, match=r"ask 2 \(deliberation/write\): 'May I"):
        model.answer(prose)
    assert len(model.asks) == 2


def test_a_function_answers_for_ever(prose: Ask) -> None:
    model = ScriptedModel(lambda ask: f"{ask.step}!", usage=Usage(1, 2))
    replies = {model.answer(prose) for _ in range(10)}
    assert replies == {Reply("deliberation/write!", "complete", Usage(1, 2), "scripted:model")}


async def test_closing_is_counted() -> None:
    model = ScriptedModel()
    await model.aclose()
    assert model.closed == 1
