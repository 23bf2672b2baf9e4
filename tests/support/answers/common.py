"""What answers of the loopback server have in common: how an ask is read, and words for answers."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

from support.loopback import Answer, Response
from whyset.generators import Ask, Reply, Usage
from whyset.models import ModelUnavailable, UnusableReply
from whyset.models.testing import ScriptedReply

NOUNS: list[str] = re.findall(
    r"\w+",
    "kettle ladder ferry orchard ledger bellows lantern quarry harness chisel gate weir drawer "
    "hive anvil basket cellar plough saddle spindle barrel hedge bridge oar loom candle shovel "
    "pantry rope attic furnace mill net pulley tray wagon stove bench chimney well hinge",
)
DEEDS: list[str] = re.findall(
    r"\w+",
    "mended weighed carried kept opened counted returned measured lifted painted borrowed sorted "
    "cleaned guarded marked moved packed sealed shared steered",
)


def to_scripted_reply(answer: Answer, ask: Ask) -> ScriptedReply:
    """Answer as a server would that answers so: for `ScriptedModel`."""
    body: dict[str, Any] = {
        "system": ask.system,
        "messages": [{"role": "user", "content": ask.user}],
    }
    if ask.schema is not None:
        body["output_config"] = {"format": {"schema": ask.schema.model_json_schema()}}
    answered = answer(body)
    if isinstance(answered, Response):
        unusable = answered.status == 400
        return UnusableReply("turned down") if unusable else ModelUnavailable("down")
    text = "".join(part["text"] for part in answered["content"])
    if answered["stop_reason"] == "refusal":
        return Reply(text, "refused", detail="refusal")
    return Reply(text, "complete", Usage(*answered["usage"].values()))


def user_text(body: dict[str, Any]) -> str:
    """Return what is a row's or document's own: an ask's last message, or a base model's prompt."""
    if "prompt" in body:
        prompt = body["prompt"]
        return prompt if isinstance(prompt, str) else "".join(prompt)
    return text_of(body["messages"][-1]["content"])


def system_text(body: dict[str, Any]) -> str:
    """Return the system prompt of an ask."""
    return text_of(body.get("system") or "")


def text_of(content: str | list[dict[str, Any]]) -> str:
    """Return what is said in a string or in parts."""
    return content if isinstance(content, str) else "".join(part["text"] for part in content)


def numbers_of(*parts: object) -> Iterator[int]:
    """Yield numbers without end that depend on the arguments alone."""
    digest = "\0".join(map(str, parts)).encode()
    while True:
        digest = hashlib.sha256(digest).digest()
        yield int.from_bytes(digest[:4], "big")


def join_paragraphs(sentences: list[str], *, each: int) -> str:
    """Return sentences as paragraphs of so many each."""
    starts = range(0, len(sentences), each)
    return "\n\n".join(" ".join(sentences[start : start + each]) for start in starts)
