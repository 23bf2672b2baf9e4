"""Document types and axes: what a plan draws on, and what one document gets on each."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.samples.explanation import BRIEF, DOCUMENT, VARIETY, run_checks

from whyset.generators import Brief, GeneratorError, brief_from_record
from whyset.generators.explanation import (
    DocumentType,
    Explanation,
    Options,
    Score,
    load_document_types,
    resolve_document_type,
)
from whyset.generators.explanation._variety import assign_axes, axes

MANUAL = Path(__file__).parents[2] / "docs" / "explanation.md"
AXES = (
    "form",
    "subtype",
    "register",
    "stance",
    "length",
    "voice",
    "angle",
    "audience",
    "openness",
)


def test_there_are_about_a_hundred_document_types_of_both_kinds() -> None:
    types = load_document_types().values()

    assert 100 <= len(types) <= 130
    assert sum("mimics" in kind.openness for kind in types) > 90
    assert sum("open" in kind.openness for kind in types) > 90
    assert sum(kind.critical for kind in types) > 80
    assert all(kind.typical in kind.lengths for kind in types)


def test_few_draws_have_to_be_moved() -> None:
    kinds, held = (
        load_document_types().values(),
        {axis.name: axis.values for axis in axes(subtypes=False)},
    )

    def moved(axis: str, fits: Callable[[DocumentType, str], bool]) -> float:
        total = sum(held[axis].values()) * len(kinds)
        return sum(w for k in kinds for v, w in held[axis].items() if not fits(k, v)) / total

    assert moved("length", lambda kind, value: value in kind.lengths) < 0.1
    assert moved("openness", lambda kind, value: value in kind.openness) < 0.1
    assert moved("stance", lambda k, v: k.critical or v not in {"critical", "sceptical"}) < 0.05


def test_no_document_type_is_described_twice_or_like_another() -> None:
    abouts = [kind.about for kind in load_document_types().values()]

    assert len(set(abouts)) == len(abouts)
    assert all(about.endswith(".") and 5 <= len(about.split()) <= 30 for about in abouts)


def test_the_axes_a_plan_draws_on() -> None:
    found = {axis.name: axis for axis in Explanation().axes}

    assert tuple(found) == AXES
    assert set(found["form"].values) == set(load_document_types())
    assert (found["subtype"].values, found["subtype"].generated_count) == ({}, 30)
    assert found["stance"].values["critical"] == 1.5
    assert all(axis.values or axis.generated_count for axis in found.values())


def test_without_subtypes_there_is_no_axis_of_them() -> None:
    found = {axis.name for axis in Explanation(without=("subtypes",)).axes}

    assert found == set(AXES) - {"subtype"}


def test_a_document_is_about_eight_hundred_words_in_tokens() -> None:
    assert 1000 < Explanation().typical_tokens < 1600


def test_what_was_drawn_is_what_the_document_gets() -> None:
    assert assign_axes(brief_from_record(BRIEF)).variety == VARIETY


@given(st.integers(0, 10**9), st.text(max_size=20))
@settings(max_examples=60)
def test_what_a_brief_leaves_open_is_drawn_by_its_seed_alone(seed: int, about: str) -> None:
    brief = Brief(1, about=about, seed=seed)
    found = assign_axes(brief)

    assert found.variety == assign_axes(replace(brief, line=7, attempt=2, draft=1)).variety
    assert "subtype" not in found.variety
    assert found.type.name in load_document_types()
    assert found.variety["length"] == found.type.typical
    for axis in axes(subtypes=False):
        assert found.variety[axis.name] in axis.values


def test_open_axes_are_drawn_by_their_weights() -> None:
    drawn = Counter(
        assign_axes(Brief(1, about="tea", seed=seed, variety={"form": "blog post"})).variety[
            "stance"
        ]
        for seed in range(1100)
    )

    assert len(drawn) == 10
    assert 110 < drawn["critical"] < 190
    assert 70 < drawn["neutral"] < 130


@pytest.mark.parametrize(
    ("form", "drawn", "got"),
    [
        ("glossary", {"stance": "critical"}, {"stance": "neutral"}),
        ("glossary", {"stance": "sceptical"}, {"stance": "neutral"}),
        ("glossary", {"stance": "puzzled"}, {"stance": "puzzled"}),
        ("letters page", {"stance": "critical"}, {"stance": "critical"}),
        ("leaflet", {"length": "very_long"}, {"length": "medium"}),
        ("philosophy paper", {"length": "short"}, {"length": "medium"}),
        ("leaflet", {"openness": "open"}, {"openness": "mimics"}),
        ("translator's notes", {"openness": "mimics"}, {"openness": "open"}),
    ],
)
def test_what_does_not_become_a_type_is_moved_to_the_nearest_that_does(
    form: str, drawn: dict[str, str], got: dict[str, str]
) -> None:
    variety = assign_axes(Brief(1, about="tea", variety={"form": form, **drawn})).variety

    assert got.items() <= variety.items()


def test_a_form_in_a_persons_own_words_works_too() -> None:
    brief = Brief(1, about="tea", variety={"form": "the menu\n of a ferry", "length": "very_long"})
    found = assign_axes(brief)

    assert found.variety["form"] == "the menu of a ferry"
    assert found.variety["length"] == "very_long"
    assert str(found).splitlines()[:2] == [
        "Document type: the menu of a ferry",
        "Who speaks: whoever speaks in a text of this kind",
    ]


def test_a_listed_form_is_known_in_any_case() -> None:
    assert resolve_document_type("Letters  Page") is load_document_types()["letters page"]


def test_other_axes_take_a_persons_own_words() -> None:
    brief = Brief(1, about="tea", variety={"register": "like a tired pilot", "length": "300"})
    lines = str(assign_axes(brief)).splitlines()

    assert "Register: like a tired pilot" in lines
    assert (assign_axes(brief).bounds.target_min, assign_axes(brief).bounds.target_max) == (
        240,
        375,
    )


def test_an_assignment_says_what_each_value_means() -> None:
    brief = brief_from_record({**BRIEF, "variety": {**VARIETY, "subtype": "for a harbour"}})

    assert str(assign_axes(brief)).splitlines() == [
        "Document type: opinion column. A columnist thinks one thing through, from a small "
        "occasion to a point that outlasts it.",
        "More exactly: for a harbour",
        "Who speaks: one writer in the first person",
        "Register: plain (everyday words, short sentences, nothing to show off)",
        "Stance: divided (feels the force of two sides and does not hide it)",
        "Whose view: onlooker (somebody who watched and had no stake in it)",
        "Way to the reasons: one case (one concrete case, looked at until the reason shows)",
        "Readers: general (anybody who reads)",
        "Openness: open",
    ]


@pytest.mark.parametrize(
    ("columns", "run"),
    [
        (
            {"about": "tea", "variety": {"mood": "grim", "shape": "round"}},
            f"brief 1: there is no axis mood, shape; an explanation has {', '.join(AXES)}",
        ),
        (
            {"about": "tea", "variety": {"length": "huge"}},
            "brief 1: length must be one of short, medium, long, very_long, or a number of words "
            "from 50 to 4000, not 'huge'",
        ),
        (
            {"about": "tea", "variety": {"length": "9000"}},
            "brief 1: length must be one of short, medium, long, very_long, or a number of words "
            "from 50 to 4000, not '9000'",
        ),
        (
            {"about": "tea", "variety": {"openness": "shy"}},
            "brief 1: openness must be one of mimics, open, not 'shy'",
        ),
        (
            {"about": " "},
            "brief 1: an explanation needs a subject: name passages, say what it is about, or "
            "choose the option whole",
        ),
    ],
)
def test_a_brief_that_makes_no_document_is_refused(columns: dict[str, object], run: str) -> None:
    with pytest.raises(GeneratorError) as refused:
        Explanation().item_from_columns(columns)

    assert str(refused.value) == run


def test_the_manual_tells_of_every_axis_option_step_and_check() -> None:
    manual = MANUAL.read_text(encoding="utf-8")
    generator = Explanation()
    checks = run_checks(DOCUMENT, brief_from_record(BRIEF))

    assert f"{len(load_document_types())} document types" in manual
    for name in (
        *(axis.name for axis in generator.axes),
        *Options.model_fields,
        *(step.removeprefix("explanation/") for step in generator.prompts.digests()),
        *(check.name for check in checks),
        *Score.points,
        *generator.outcomes,
    ):
        assert f"`{name}`" in manual, name
