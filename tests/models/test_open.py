"""From what a user types to a model, and what it costs to import."""

import importlib.metadata
import subprocess
import sys
from typing import Any

import pytest
from support.loopback import LoopbackServer

import whyset.models
from whyset.generators import Ask
from whyset.models import (
    AnthropicModel,
    ExtractiveModel,
    LangChainModel,
    ModelError,
    default_model_name,
    open_model,
)
from whyset.models.testing import ScriptedModel


def test_extractive() -> None:
    assert isinstance(open_model("extractive"), ExtractiveModel)


def test_anthropic_goes_through_its_own_sdk(server: LoopbackServer, prose: Ask) -> None:
    model = open_model("anthropic:claude-opus-5-5", effort="low", timeout=60)
    assert isinstance(model, AnthropicModel)
    assert model.name == "anthropic:claude-opus-5-5"
    assert model.answer(prose).text == "Hello."
    assert server.bodies[0]["output_config"] == {"effort": "low"}


def test_anything_goes_through_langchain_where_asked_to(server: LoopbackServer, prose: Ask) -> None:
    model = open_model("langchain:anthropic:claude-opus-5-5", timeout=60)
    assert isinstance(model, LangChainModel)
    assert model.name == "langchain:anthropic:claude-opus-5-5"
    assert model.answer(prose).text == "Hello."


@pytest.mark.parametrize("prefix", ["anthropic:", "langchain:anthropic:"])
def test_a_base_url(server: LoopbackServer, prose: Ask, prefix: str) -> None:
    with LoopbackServer() as other:
        model = open_model(f"{prefix}claude-opus-5-5", base_url=other.url)
        assert model.answer(prose).text == "Hello."
        assert (len(other.requests), len(server.requests)) == (1, 0)


def test_the_default_spends_nothing(server: LoopbackServer) -> None:
    assert default_model_name() == "extractive"


@pytest.mark.parametrize(
    ("spec", "options", "said"),
    [
        ("", {}, "write provider:model"),
        ("gibberish", {}, "Known here: anthropic, completion, extractive, langchain"),
        ("claude-opus-5-5", {}, "write anthropic:claude-opus-5-5"),
        ("gpt-6", {}, "write openai:gpt-6"),
        ("nobody:large", {}, "there is no provider 'nobody'"),
        (":large", {}, "write provider:model"),
        ("openai:", {}, "write provider:model"),
        ("anthropic:", {}, "Name the model as well"),
        ("anthropic", {}, "Name the model as well"),
        ("langchain:", {}, "langchain:provider:model"),
        ("langchain:large", {}, "langchain:provider:model"),
        ("openai:gpt-6", {}, "set OPENAI_API_KEY"),
        ("groq:large", {}, "pip install langchain-groq"),
        ("completion:openai:base", {}, "OPENAI_API_KEY. A server of your own"),
        ("completion:openai:base", {"effort": "low"}, "does not take effort"),
        ("completion:", {}, "write completion:openai:NAME"),
        ("completion:openai:", {}, "write completion:openai:NAME"),
        ("completion:base", {}, "'completion:base:' is no completion model"),
        ("completion:groq:base", {}, "give any BaseLLM"),
        ("google_genai:gemini-4", {}, "pip install langchain-google-genai"),
        ("anthropic:claude-opus-5-5", {}, "set ANTHROPIC_API_KEY"),
        ("langchain:anthropic:claude-opus-5-5", {}, "set ANTHROPIC_API_KEY"),
        ("extractive:large", {}, "write extractive"),
        ("extractive", {"effort": "low"}, "extractive does not take effort"),
        ("anthropic:claude-opus-5-5", {"effort": "huge"}, "one of low, medium, high, xhigh, max"),
    ],
)
def test_what_cannot_be_opened_says_what_to_type(
    spec: str, options: dict[str, Any], said: str
) -> None:
    with pytest.raises(ModelError) as caught:
        open_model(spec, **options)
    assert said in str(caught.value)
    assert caught.value.exit_code == 2


def third_party(name: str) -> ScriptedModel:
    return ScriptedModel(["Said."], name=f"thirdparty:{name}")


def test_third_parties_come_through_the_same_door(
    monkeypatch: pytest.MonkeyPatch, prose: Ask
) -> None:
    # Only the list of what is installed is replaced: nothing is loaded through it by path.
    class Door(importlib.metadata.EntryPoint):
        def load(self) -> Any:
            return {"third_party": third_party}[self.value]

    doors = importlib.metadata.EntryPoints(
        [
            *importlib.metadata.entry_points(group="whyset.models"),
            Door("thirdparty", "third_party", "whyset.models"),
            Door("missing", "nothing", "whyset.models"),
        ]
    )
    monkeypatch.setattr("whyset.models._open.entry_points", lambda group: doors)
    model = open_model("thirdparty:large")
    assert (model.name, model.answer(prose).text) == ("thirdparty:large", "Said.")
    with pytest.raises(ModelError, match="thirdparty:large does not take base_url"):
        open_model("thirdparty:large", base_url="http://x")
    with pytest.raises(ModelError, match=r"'missing' .* cannot be loaded"):
        open_model("missing:large")


def test_the_face() -> None:
    def place(name: str) -> tuple[bool, bool, str]:
        return not name.isupper(), name.islower(), name

    assert whyset.models.__all__ == sorted(whyset.models.__all__, key=place)
    for name in whyset.models.__all__:
        assert getattr(whyset.models, name) is not None
        assert name in dir(whyset.models)
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        whyset.models.Nothing  # noqa: B018 - the access is what raises


def loaded(statement: str, *packages: str) -> set[str]:
    """Return which of the packages a fresh interpreter has loaded after a statement."""
    script = f"{statement}\nimport sys\nprint(*sys.modules.keys() & set({packages!r}))"
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60
    )
    return set(done.stdout.split())


HEAVY = ("anthropic", "langchain", "langchain_core", "aiohttp", "httpx2")


@pytest.mark.parametrize(
    "statement",
    [
        "import whyset.models",
        "from whyset.models import ModelError, Prices, RETRYABLE_ERRORS, open_model; Prices.load()",
        "from whyset.models import open_model; open_model('extractive')",
        "import whyset.models.testing",
    ],
)
def test_imports_are_light(statement: str) -> None:
    assert loaded(statement, *HEAVY) == set()


@pytest.mark.parametrize(
    ("name", "needed", "others"),
    [
        ("AnthropicModel", "anthropic", {"langchain", "langchain_core"}),
        ("LangChainModel", "langchain", {"anthropic"}),
        ("CompletionModel", "langchain_core", {"anthropic", "langchain"}),
    ],
)
def test_an_adapter_loads_no_other_ones_packages(name: str, needed: str, others: set[str]) -> None:
    found = loaded(f"from whyset.models import {name}", *HEAVY)
    assert needed in found
    assert not found & others
