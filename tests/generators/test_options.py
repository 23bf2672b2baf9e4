"""Options, and how a generator is found by its name."""

from importlib.metadata import EntryPoint
from typing import Any

import pytest

from whyset.generators import Generator, GeneratorError, list_generators, load_generator_class
from whyset.generators.deliberation import Deliberation, Options


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"channel": "footer"}, "channel must be one of thinking, preface, inline, not 'footer'"),
        ({"cite": True}, "cite must be one of none, implicit, explicit, not True"),
        (
            {"on_conflict": "drop"},
            "on_conflict must be one of quarantine, repair, keep, not 'drop'",
        ),
        ({"k": 0}, "k must be at least 1, not 0"),
        ({"max_revisions": -1}, "max_revisions must be at least 0, not -1"),
        ({"settle_below": -0.1}, "settle_below must be at least 0, not -0.1"),
        ({"settle_below": float("nan")}, "settle_below must be a number, not nan"),
    ],
)
def test_a_value_that_no_step_could_follow_is_refused(options: Any, message: str) -> None:
    with pytest.raises(GeneratorError) as refused:
        Deliberation(**options)

    assert str(refused.value) == message


def test_the_defaults_are_those_of_the_options() -> None:
    assert Deliberation().options == Options()
    assert Options().record() == {
        "channel": "preface",
        "cite": "implicit",
        "on_conflict": "quarantine",
        "k": 8,
        "settle_below": 0.0,
        "max_revisions": 2,
    }


@pytest.mark.parametrize(
    "change",
    [
        {"channel": "thinking"},
        {"cite": "none"},
        {"on_conflict": "keep"},
        {"k": 9},
        {"settle_below": 0.1},
        {"max_revisions": 1},
    ],
    ids=str,
)
def test_the_identity_changes_with_every_option(change: Any) -> None:
    assert Deliberation(**change).identity != Deliberation().identity
    assert Deliberation(**change).identity == Deliberation(**change).identity


def test_the_built_in_generator_comes_through_the_door_of_all() -> None:
    assert load_generator_class("deliberation") is Deliberation


def test_an_unknown_name_is_answered_with_those_that_are_installed() -> None:
    with pytest.raises(GeneratorError) as refused:
        load_generator_class("haiku")

    listed = ", ".join(sorted(list_generators()))
    assert str(refused.value) == f"no generator 'haiku'; installed: {listed}"
    assert "deliberation" in listed


def test_what_is_no_generator_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    odd = EntryPoint("odd", "pathlib:Path", "whyset.generators")
    monkeypatch.setattr("whyset.generators._generator.entry_points", lambda group: [odd])

    with pytest.raises(GeneratorError) as refused:
        load_generator_class("odd")

    assert str(refused.value) == (
        "generator 'odd' is not a subclass of whyset.generators.Generator"
    )


def test_a_generator_of_ones_own_needs_nothing_but_its_steps() -> None:
    assert Generator.__abstractmethods__ == {"steps"}
