"""An ask's key: it changes with what could change the reply and with nothing else."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import BaseModel, Field
from support.samples.deliberation import CONSTITUTION

from whyset.generators import Ask, Tool, Turn
from whyset.generators.deliberation import Verdict
from whyset.retriever.testing import FakeSearcher


class Opinion(BaseModel):
    """What is thought."""

    good: bool


def same_fields() -> type[BaseModel]:
    class Opinion(BaseModel):
        """What is thought."""

        good: bool

    return Opinion


def other_description() -> type[BaseModel]:
    class Opinion(BaseModel):
        """What is thought."""

        good: bool = Field(description="Whether it is good.")

    return Opinion


SEARCHER = FakeSearcher(CONSTITUTION)
ASK = Ask("judge", "deliberation/judge", "system", "user", 100, Opinion)
EXTRACT = Ask(
    "writer", "x/extract", "", "diary", 0, grounding=SEARCHER.find_passages([["diary"]], k=2)[0]
)


@pytest.mark.parametrize(
    ("ask", "model", "key"),
    [
        (
            Ask("writer", "deliberation/write", "system", "user", 100),
            "anthropic:m",
            "ee0960c4def4179a3fe46418d55ec317c69572adbf2d51ddd10d968540ec62b5",
        ),
        # Digests made by the version before asks had turns, tools and completions.
        (
            Ask("writer", "x/y", "s", "u", 10),
            "m",
            "90c8f9af8d774cecba10124a0d584ca2875e1b4b792214f42568497cb3e0b165",
        ),
        (
            Ask("judge", "deliberation/judge", "s", "u", 10, schema=Verdict),
            "m",
            "b4f365caa5c14a249393147e71705d174633f8476f855a4ccf160d00b065abe6",
        ),
    ],
)
def test_a_key_is_the_one_under_which_a_reply_was_paid_for(ask: Ask, model: str, key: str) -> None:
    assert ask.key(model) == key


@pytest.mark.parametrize(
    "change",
    [
        {"system": "system "},
        {"user": "User"},
        {"max_tokens": 101},
        {"schema": None},
        {"schema": other_description()},
        {"sample": 1},
        {"system": "systemuser", "user": ""},
        {"turns": (Turn("user", "a"), Turn("assistant", "b"))},
        {"tools": (Tool("t", "d", "{}"),)},
        {"is_completion": True},
    ],
    ids=str,
)
def test_it_changes_with_what_could_change_the_reply(change: dict[str, Any]) -> None:
    assert replace(ASK, **change).key("m") != ASK.key("m")


def test_it_changes_with_the_model() -> None:
    assert ASK.key("m") != ASK.key("m effort=high")


@pytest.mark.parametrize(
    "change",
    [{"role": "writer"}, {"step": "deliberation/other"}, {"schema": same_fields()}],
    ids=["role", "step", "an equal schema"],
)
def test_it_does_not_change_with_anything_else(change: dict[str, Any]) -> None:
    assert replace(ASK, **change).key("m") == ASK.key("m")


def test_it_changes_with_the_passages_that_a_quoting_model_sees() -> None:
    found = EXTRACT.grounding
    assert found is not None
    fewer = replace(found, passages=found.passages[:1])
    other = replace(found, digest="another document")
    matched = replace(found, passages=(replace(found.passages[0], matched_text="A diary."),))

    keys = {
        replace(EXTRACT, grounding=grounding).key("extractive/1")
        for grounding in (None, found, fewer, other, matched)
    }

    assert len(keys) == 5


def test_scores_alone_do_not_change_it() -> None:
    found = EXTRACT.grounding
    assert found is not None
    rescored = replace(found, passages=tuple(replace(p, score=0.5) for p in found.passages))

    assert replace(EXTRACT, grounding=rescored).key("m") == EXTRACT.key("m")


def test_text_that_no_file_can_hold_has_a_key_too() -> None:
    assert replace(ASK, user="\ud800").key("m") != replace(ASK, user="\ud801").key("m")


def test_it_changes_with_what_turns_and_tools_say() -> None:
    keys = {
        replace(ASK, turns=(Turn("user", "a"), Turn("assistant", said))).key("m") for said in "bc"
    } | {
        replace(ASK, tools=(Tool("t", "d", parameters),)).key("m")
        for parameters in ("{}", '{"type":"object"}')
    }

    assert len(keys) == 4
