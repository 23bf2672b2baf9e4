"""Rehearsed replies: a dry run's steps go as those of a probe that passes at once."""

from itertools import product

import pytest
from support.samples.probe import BRIEF, CONSTITUTION, probe
from support.scripts import run_with_mock_replies

from whyset.generators import Ask, Finished, GeneratorError, Ideas, fence
from whyset.generators.probe import DIFFICULTIES, FORMATS, KINDS

STEPS = ["fact", "question", "reference", "judge", "control", "compare"]


@pytest.mark.parametrize("at_stake", [True, False])
@pytest.mark.parametrize(("kind", "form"), list(product(KINDS, FORMATS)))
def test_every_probe_passes_at_once(kind: str, form: str, at_stake: bool) -> None:
    for passage, name in product(CONSTITUTION.passages, ("the assistant", "Lumo")):
        generator = probe(model_name=name)
        variety = {"kind": kind, "format": form}
        brief = generator.item_from_columns({"passages": [passage.id], "variety": variety})
        result, asked = run_with_mock_replies(
            generator, brief, constitution=CONSTITUTION, at_stake=at_stake
        )
        assert isinstance(result, Finished), result
        steps = [ask.step.removeprefix("probe/") for ask, _ in asked]
        closed = kind == "recall" and form != "free"
        wanted = STEPS[:4] if kind == "open_ended" else STEPS[:5] if closed else STEPS
        assert steps == wanted


@pytest.mark.parametrize("language", ["de", "ja", "sv", "th"])
@pytest.mark.parametrize(("kind", "form"), list(product(KINDS, FORMATS)))
def test_in_other_languages_too(kind: str, form: str, language: str) -> None:
    generator = probe(language=language, model_name="Lumo")
    brief = generator.item_from_columns({**BRIEF, "variety": {"kind": kind, "format": form}})
    result, asked = run_with_mock_replies(generator, brief, constitution=CONSTITUTION)
    assert isinstance(result, Finished), result
    assert "probe/revise" not in [ask.step for ask, _ in asked]


def test_ideas_are_rehearsed_as_many_as_are_wanted() -> None:
    generator = probe()
    brief = generator.item_from_columns(BRIEF)
    result, _ = run_with_mock_replies(
        generator, brief, constitution=CONSTITUTION, steps=generator.idea_steps(brief, count=3)
    )
    assert isinstance(result, Ideas)
    assert len(result.texts) == 3


def test_a_revision_is_rehearsed_too() -> None:
    generator = probe()
    for difficulty in DIFFICULTIES:
        brief = generator.item_from_columns({**BRIEF, "variety": {"difficulty": difficulty}})
        ask = Ask("writer", "probe/revise", "system", fence("user"), max_tokens=1)
        assert generator.mock_reply(ask, brief).stop_reason == "complete"


def test_an_unknown_step_is_said_to_be_unknown() -> None:
    generator = probe()
    with pytest.raises(GeneratorError, match="no mock reply for probe/sing"):
        generator.mock_reply(
            Ask("writer", "probe/sing", "", "", 1), generator.item_from_columns(BRIEF)
        )
