"""Stories end to end, against a real server: by a chat model, and by a base model with a judge."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from support.answers.story import DATED, FATES, MENDED, REFUSED, SERMON, answer
from support.loopback import KEY, LoopbackServer
from support.samples.deliberation import CONSTITUTION
from support.samples.story import DIARY, TRUTH

from whyset.generators import RowRejected, UnsupportedModel
from whyset.generators._langchain import BoundGenerator
from whyset.generators.story import Story
from whyset.models import AnthropicModel, open_model
from whyset.retriever.testing import FakeSearcher

REASONS = {
    SERMON: ("judge:sermon",),
    DATED: ("check:no_dates",),
    REFUSED: ("refused",),
}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackServer]:
    with LoopbackServer(answer) as loopback:
        for name, value in loopback.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("OPENAI_BASE_URL", f"{loopback.url}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", KEY)
        yield loopback


def bound(**options: Any) -> BoundGenerator:
    model = AnthropicModel("claude-loopback-1")
    return Story(**options).bind(model, FakeSearcher(CONSTITUTION))


def columns(number: int = 0, **changes: Any) -> dict[str, Any]:
    return {
        "passages": [(TRUTH, DIARY)[number % 2]],
        "seed": number,
        "variety": {"length": "short"},
        **changes,
    }


def test_stories_are_written_and_rejected_by_what_becomes_of_them(server: LoopbackServer) -> None:
    ended: Counter[str] = Counter()
    for found in bound().batch([columns(number) for number in range(12)], return_exceptions=True):
        if isinstance(found, RowRejected):
            ended["quarantined"] += 1
        else:
            assert isinstance(found, dict), found
            assert found["whyset"]["outcome"] == "written"
            assert 360 <= len(found["text"].split()) <= 570
            ended["written"] += 1
    assert ended["written"] > ended["quarantined"] > 0
    assert all("tools" not in body for body in server.bodies)


@pytest.mark.parametrize("fate", FATES)
def test_a_fate(server: LoopbackServer, fate: str) -> None:
    premise = f"{fate} A made mind keeps a weir and a promise."
    brief = columns(idea=premise, variety={"length": "short", "dilemma": "to open or not"})
    if FATES[fate] == "written":
        story = bound().invoke(brief)
        assert story["whyset"]["idea"] == premise.strip()
        assert "unplaned" not in story["text"]
        assert (fate == MENDED) <= any("What is wrong" in str(body) for body in server.bodies)
    else:
        with pytest.raises(RowRejected) as caught:
            bound().invoke(brief)
        assert caught.value.reasons == REASONS[fate]


async def test_a_base_model_goes_on_and_a_chat_model_judges(server: LoopbackServer) -> None:
    writer, judge = open_model("completion:openai:base-70b"), AnthropicModel("claude-loopback-1")
    story = Story(base=True).bind(writer, FakeSearcher(CONSTITUTION), judge=judge)
    brief = columns(idea="A made mind keeps a weir and a promise.")
    try:
        first = story.invoke(brief)
        assert await story.ainvoke(brief) == first
    finally:
        await writer.aclose()
        await judge.aclose()
    assert "THE END" not in first["text"]
    assert first["whyset"]["models"] == {
        "writer": "completion:openai:base-70b",
        "judge": "anthropic:claude-loopback-1",
    }
    paths = Counter(request.path for request in server.requests)
    assert paths["/v1/completions"] == 2
    (prompt,) = next(body["prompt"] for body in server.bodies if "prompt" in body)
    assert prompt.startswith("OTHER MINDS AT WORK")


async def test_a_base_model_without_a_judge_is_told_what_it_lacks(server: LoopbackServer) -> None:
    writer = open_model("completion:openai:base-70b")
    with pytest.raises(UnsupportedModel, match="story/dilemmas needs a chat model"):
        Story(base=True).bind(writer, FakeSearcher(CONSTITUTION)).invoke(columns())
    await writer.aclose()


def test_the_extractive_model_declines() -> None:
    with pytest.raises(UnsupportedModel, match="story needs a language model"):
        Story().bind("extractive", FakeSearcher(CONSTITUTION))
