"""Prices: dated, never guessed."""

import tomllib
from decimal import Decimal
from importlib.resources import files
from pathlib import Path
from typing import get_args

import pytest
from anthropic.types.model import Model as AnthropicName

from whyset.generators import Usage
from whyset.models import ModelError, Prices

MILLION = 1_000_000
OWN = """
dated = 2030-01-01
[models."own:large"]
input = 1
output = 2.5
cache_read = 0
cache_write = 0.001
"""


@pytest.fixture(scope="module")
def prices() -> Prices:
    return Prices.load()


def test_the_list_is_dated_and_says_where_it_comes_from(prices: Prices) -> None:
    assert prices.dated.year >= 2026
    text = files("whyset.models").joinpath("prices.toml").read_text(encoding="utf-8")
    assert "Sources" in text
    assert set(tomllib.loads(text)) == {"dated", "batch", "models"}


def test_each_kind_of_token_has_its_price(prices: Prices) -> None:
    def cost(usage: Usage) -> Decimal | None:
        return prices.cost("anthropic:claude-opus-5-5", usage)

    assert cost(Usage()) == 0
    assert cost(Usage(input_tokens=MILLION)) == 4
    assert cost(Usage(output_tokens=MILLION)) == 20
    assert cost(Usage(cache_read_tokens=MILLION)) == Decimal("0.2")
    assert cost(Usage(cache_write_tokens=MILLION)) == 5
    assert cost(Usage(1, 1, 1, 1)) == Decimal("0.0000292")


def test_a_long_prompt_has_a_price_of_its_own(prices: Prices) -> None:
    name = "anthropic:claude-haiku-5-5"
    assert prices.cost(name, Usage(100_000, 1000)) == Decimal("0.0105")
    assert prices.cost(name, Usage(1, 1000, 50_000, 50_000)) == Decimal("0.0362505")


def test_a_batch_costs_half(prices: Prices) -> None:
    usage = Usage(MILLION, MILLION, MILLION, MILLION)
    single = prices.cost("anthropic:claude-sonnet-5-5", usage)
    assert single is not None
    assert prices.cost("anthropic:claude-sonnet-5-5", usage, batch=True) == single / 2


def test_dates_and_the_way_there_do_not_matter(prices: Prices) -> None:
    usage = Usage(MILLION)
    for name in (
        "anthropic:claude-haiku-4-5",
        "anthropic:claude-haiku-4-5-20251001",
        "anthropic:claude-haiku-4-5@20251001",
        "langchain:anthropic:claude-haiku-4-5",
    ):
        assert prices.cost(name, usage) == 1


@pytest.mark.parametrize(
    "name",
    [
        "anthropic:claude-mythos-5-2",
        "anthropic:claude-opus-9",
        "openai:claude-opus-5-5",
        "claude-opus-5-5",
        "ollama:x",
        "",
    ],
)
def test_what_is_not_listed_is_unpriced(prices: Prices, name: str) -> None:
    assert prices.cost(name, Usage(MILLION)) is None
    assert prices.cost(name, Usage(MILLION), batch=True) is None


def test_quoting_is_free(prices: Prices) -> None:
    assert prices.cost("extractive", Usage()) == 0


def test_every_listed_model_is_one_the_sdk_knows(prices: Prices) -> None:
    known = {name for part in get_args(AnthropicName) for name in get_args(part)}
    listed = {name.removeprefix("anthropic:") for name in prices.models} - {"extractive"}
    assert listed <= known


def test_a_file_is_laid_over_the_list(tmp_path: Path) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(OWN, encoding="utf-8")
    own = Prices.load(path)
    assert own.dated.year == 2030
    assert own.cost("own:large", Usage(MILLION, MILLION)) == Decimal("3.5")
    assert own.cost("own:large", Usage(), batch=True) is None, "no factor is known"
    assert own.cost("anthropic:claude-opus-5-5", Usage(MILLION)) == 4


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dated = ", "is no TOML"),
        (OWN.replace("dated = 2030-01-01", ""), "give the date of the prices"),
        (OWN.replace("input = 1\n", ""), "own:large: input is missing"),
        (OWN.replace("2.5", "-2.5"), "own:large: output is missing or not an amount"),
        (OWN.replace("2.5", "nan"), "own:large: output is missing or not an amount"),
        (OWN.replace("2.5", '"2.5"'), "own:large: output is missing or not an amount"),
        (OWN + "reads = 1", "own:large: reads is not a known key"),
        (OWN + "long = 1", "own:large: long is not a table"),
        (OWN + "long = { input = 1 }", "own:large: long: say from how many tokens on"),
        ("dated = 2030-01-01\nmodels = 1", "models is not a table"),
        ("dated = 2030-01-01\n[batch]\nown = true", "batch.own is missing or not an amount"),
    ],
)
def test_a_file_of_another_form_is_refused(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "own.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ModelError, match=r"own\.toml") as caught:
        Prices.load(path)
    assert said in str(caught.value)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="cannot be read"):
        Prices.load(tmp_path / "none.toml")


def test_what_estimates_need_of_a_model_is_in_the_list(prices: Prices) -> None:
    opus, older = (prices.find(f"anthropic:claude-{name}") for name in ("opus-5-5", "haiku-4-5"))
    assert opus is not None
    assert older is not None
    assert (opus.cache_from, opus.tokens) == (512, Decimal("1.3"))
    assert (older.cache_from, older.tokens) == (4096, Decimal(1))


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("cache_from = 0.5", "own:large: cache_from is not a number of tokens"),
        ("cache_from = true", "own:large: cache_from is not a number of tokens"),
        ("cache_from = -1", "own:large: cache_from is not a number of tokens"),
        ('tokens = "many"', "own:large: tokens is missing or not an amount"),
    ],
)
def test_what_estimates_need_is_checked(tmp_path: Path, line: str, says: str) -> None:
    path = tmp_path / "prices.toml"
    path.write_text(f"{OWN}{line}\n")
    with pytest.raises(ModelError, match=says):
        Prices.load(path)
