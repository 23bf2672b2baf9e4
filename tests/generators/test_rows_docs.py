"""The manual's pages on diversified and resampled rows name everything there is."""

from pathlib import Path

import pytest
from support.row_scripts import draw_row, run_row_script
from support.samples.diversify import CHAT, HAND, RESPOND_SCRIPT, RESPONDING
from support.samples.resample import SCRIPT

from whyset.generators import Generator, PointedVerdict
from whyset.generators.diversify import Diversify, ResponseVerdict, StandingVerdict
from whyset.generators.diversify._variety import axes
from whyset.generators.resample import RUTHLESS_VARIANTS, DeliberateVerdict, Resample

DOCS = Path(__file__).parents[2] / "docs"


def _page(generator: type[Generator]) -> str:
    return (DOCS / f"{generator.name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("generator", [Diversify, Resample])
def test_every_option_and_outcome_is_told(generator: type[Generator]) -> None:
    page = _page(generator)

    for name in (*generator.options_class.model_fields, *generator.outcomes):
        assert f"`{name}`" in page, name
    for field in generator.options_class.model_fields.values():
        if field.annotation is int:
            assert f"| {field.default} |" in page


@pytest.mark.parametrize(
    ("generator", "verdict"),
    [(Diversify, StandingVerdict), (Diversify, ResponseVerdict), (Resample, DeliberateVerdict)],
)
def test_every_point_of_a_judge_is_told(
    generator: type[Generator], verdict: type[PointedVerdict]
) -> None:
    for point in verdict.points:
        assert f"`{point}`" in _page(generator), point


def test_every_check_is_told() -> None:
    furnished = run_row_script(
        Diversify(respond=True), draw_row(CHAT, RESPONDING, **HAND), RESPOND_SCRIPT
    )
    resampled = run_row_script(Resample(), CHAT, SCRIPT)

    for run, generator in ((furnished, Diversify), (resampled, Resample)):
        for check in run.column["checks"]:
            assert f"`{check.removeprefix('response_')}`" in _page(generator) or (
                f"`{check}`" in _page(generator)
            ), check


def test_every_prompt_and_deck_is_told() -> None:
    page = _page(Diversify)
    for name in (*Diversify.prompt_sources(), *axes()):
        assert f"`{name}`" in page, name
    page = _page(Resample)
    for name in Resample.prompt_sources():
        kind, _, value = name.partition("_")
        assert f"`{value or kind}`" in page, name
    assert all(f"`{kind}`" in page for kind in RUTHLESS_VARIANTS)
