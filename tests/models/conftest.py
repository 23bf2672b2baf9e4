"""A server, an environment that leads to it, asks, and both ways to answer one."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel
from support.loopback import LoopbackServer

from whyset.generators import Ask, Model, Reply

KEYS = (
    "ANTHROPIC_API_KEY",
    "ANTHROPIC_AUTH_TOKEN",
    "ANTHROPIC_BASE_URL",
    "ANTHROPIC_API_URL",
    "ANTHROPIC_CONFIG_DIR",
    "ANTHROPIC_PROFILE",
    "OPENAI_API_KEY",
)


class Verdict(BaseModel):
    """What a judge says."""

    passes: bool
    reasons: list[str] = []


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide every key and profile of whoever runs the tests."""
    for name in KEYS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_CONFIG_HOME", raising=False)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[LoopbackServer]:
    with LoopbackServer() as loopback:
        for name, value in loopback.environment.items():
            monkeypatch.setenv(name, value)
        yield loopback


@pytest.fixture
def prose() -> Ask:
    return Ask(
        role="writer",
        step="deliberation/write",
        system="You weigh what pulls apart.",
        user="May I read her diary?",
        max_tokens=300,
    )


@pytest.fixture
def judged() -> Ask:
    return Ask(
        role="judge",
        step="deliberation/judge",
        system="You judge.",
        user="Is it sound?",
        max_tokens=200,
        schema=Verdict,
    )


def answer_sync(model: Model, ask: Ask) -> Reply:
    try:
        return model.answer(ask)
    finally:
        asyncio.run(model.aclose())


def answer_async(model: Model, ask: Ask) -> Reply:
    async def answered() -> Reply:
        try:
            return await model.aanswer(ask)
        finally:
            await model.aclose()

    return asyncio.run(answered())


@pytest.fixture(params=[answer_sync, answer_async])
def answer(request: pytest.FixtureRequest) -> Callable[[Model, Ask], Reply]:
    """Answer an ask synchronously or not, and close the model."""
    chosen: Callable[[Model, Ask], Reply] = request.param
    return chosen
