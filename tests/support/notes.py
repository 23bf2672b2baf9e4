"""A small generator of documents, and what the loopback server answers to it.

Notes have two axes, a tone and a subject that a model lists; an idea stage; a writer; a judge.
What is answered depends on the ask alone, so that an interrupted and an undisturbed run must
agree: by a digest of the ask some ideas are alike, some notes are refused and some are judged bad.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any, ClassVar

from pydantic import BaseModel

from support.answers.common import to_scripted_reply, user_text
from support.loopback import Response, message, structured
from whyset.generators import (
    Ask,
    Axis,
    Brief,
    DocumentGenerator,
    Finished,
    GeneratorOptions,
    Ideas,
    ItemRejected,
    Rejected,
    Steps,
    WorkState,
    filler_text,
    render_list,
    resolve_index,
)
from whyset.models.testing import ScriptedReply

OLD_IDEA = "The same old note about a locked garden gate, and the neighbour who keeps its only key."
"""An idea that comes up again and again."""

BAD = "[bad]"
ALIKE, REFUSED, BADLY = "alike", "refused", "badly"
RARELY: dict[str, int] = {ALIKE: 7, REFUSED: 11, BADLY: 5}
"""Fate → one in how many meets it."""

SUBJECTS = ("gates", "letters", "borrowed tools")
_BEGINNINGS = ("bra", "cle", "dro", "fen", "gri", "hol", "jun", "kal", "lum", "mor", "nev", "pol")
_ENDINGS = ("ba", "den", "fit", "gor", "hul", "kin", "lop", "men", "nar", "pet", "rik", "sul")
_WORDS = tuple(a + b for a in _BEGINNINGS for b in _ENDINGS)


class Subjects(BaseModel):
    """What the list is answered with."""

    subjects: list[str]


class NoteIdeas(BaseModel):
    """What the idea stage is answered with."""

    ideas: list[str]


class NoteVerdict(BaseModel):
    """What the judge answers."""

    sound: bool


class NoteOptions(GeneratorOptions):
    """Options of notes."""

    language: str = "en"
    length: int = 40
    revisions: bool = False


class Notes(DocumentGenerator):
    """Writes notes."""

    name = "notes"
    version = "1"
    summary = "notes about passages"
    outcomes: ClassVar[dict[str, str]] = {"written": "a note"}
    options_class = NoteOptions
    templates: ClassVar[dict[str, str]] = {
        "list": "<!-- system -->\nList subjects.\n<!-- user -->\nList {{ count }} subjects.\n",
        "ideas": (
            "<!-- system -->\nFind ideas.\n<!-- user -->\nPassages:\n{{ passages }}\n"
            "Tone {{ tone }}, subject {{ subject }}, {{ count }} ideas; try {{ attempt }} of "
            "draft {{ draft }}, seed {{ seed }}.\nNot again:\n{{ avoid }}\n"
        ),
        "write": (
            "<!-- system -->\nWrite a note.\n<!-- user -->\nPassages:\n{{ passages }}\n"
            "Tone {{ tone }}. Idea: {{ idea }}\nSeed {{ seed }}.\nNot again:\n{{ avoid }}\n"
        ),
        "judge": "<!-- system -->\nJudge.\n<!-- user -->\nThe note:\n{{ note }}\n",
    }

    @property
    def axes(self) -> tuple[Axis, ...]:
        """A tone and a subject."""
        return (
            Axis("tone", "How a note sounds.", {"dry": 2, "warm": 1}),
            Axis("subject", "What a note is about.", {}, generated_count=len(SUBJECTS)),
        )

    @property
    def typical_tokens(self) -> int:
        """About so many."""
        return 50

    def idea_steps(self, brief: Brief, *, count: int = 1) -> Steps[Ideas | Rejected]:
        """Find ideas."""
        work = self.begin()
        return work.conclude(self._find_ideas(work, brief, count))

    def steps(self, item: Brief) -> Steps[Finished | Rejected]:
        """Write a note."""
        if not item.idea:
            ideas = yield from self.idea_steps(item)
            if isinstance(ideas, Rejected):
                return ideas
            return (yield from self.steps(_with(item, ideas)))
        work = self.begin(
            max_tokens={"writer": 300, "judge": 100}, idea=item.idea, variety=dict(item.variety)
        )
        return (yield from work.conclude(self._write(work, item)))

    def typical_answer(self, ask: Ask, item: Brief, *, at_stake: bool) -> str | BaseModel:
        """Return what stands for an answer."""
        answers: dict[str, str | BaseModel] = {
            "list": Subjects(subjects=list(SUBJECTS)),
            "ideas": NoteIdeas(ideas=[filler_text(20)] * 3),
            "write": filler_text(self.options.length),
            "judge": NoteVerdict(sound=True),
        }
        return answers[ask.name]

    def _find_ideas(self, work: WorkState, brief: Brief, count: int) -> Steps[Ideas]:
        yield from work.fetch(brief.passages, scope="passages")
        listed = yield from work.ask_judge(
            "list", Subjects, {"count": str(len(SUBJECTS))}, role="writer", max_tokens=100
        )
        subject = resolve_index(brief.variety["subject"], listed.subjects)
        values = {
            "tone": brief.variety["tone"],
            "subject": subject,
            "count": str(count),
            "attempt": str(brief.attempt),
            "draft": str(brief.draft),
            "seed": str(brief.seed),
            "avoid": _avoided(brief),
        }
        found = yield from work.ask_judge("ideas", NoteIdeas, values, role="writer", max_tokens=200)
        return Ideas(tuple(found.ideas), work.evidence, {"subject": subject})

    def _write(self, work: WorkState, brief: Brief) -> Steps[Finished]:
        yield from work.fetch(brief.passages, scope="passages")
        values = {
            "tone": brief.variety["tone"],
            "idea": brief.idea,
            "seed": str(brief.seed),
            "avoid": _avoided(brief),
        }
        note = work.draft = yield from work.ask_writer("write", values)
        verdict = yield from work.ask_judge("judge", NoteVerdict, {"note": note})
        if not verdict.sound:
            raise ItemRejected("judge:sound", detail="the note is bad")
        return work.finish("written", {"text": note})


def _with(brief: Brief, ideas: Ideas) -> Brief:
    return replace(brief, idea=ideas.texts[0], variety={**brief.variety, **ideas.variety})


def _avoided(brief: Brief) -> str:
    return render_list(f"{kind}: {', '.join(common)}" for kind, common in brief.avoid.items())


def answer(body: dict[str, Any]) -> dict[str, Any] | Response:
    """Answer an ask for notes."""
    asked, step = user_text(body), step_of(body)
    usage = {"input_tokens": 100 + len(asked) % 50, "output_tokens": 20}
    if step == "list":
        return structured({"subjects": list(SUBJECTS)}, usage=usage)
    if step == "ideas":
        count = int(asked.split(" ideas; try")[0].rsplit(" ", 1)[1])
        return structured({"ideas": [_idea(asked, n) for n in range(count)]}, usage=usage)
    if step == "judge":
        return structured({"sound": BAD not in asked}, usage=usage)
    if has_fate(REFUSED, asked):
        return message("", content=[], stop_reason="refusal", usage=usage)
    bad = f" {BAD}" if has_fate(BADLY, asked) else ""
    return message(words(asked, 40) + bad, usage=usage)


def script(ask: Ask) -> ScriptedReply:
    """Answer as `answer` does, without a server: for `ScriptedModel`."""
    return to_scripted_reply(answer, ask)


def step_of(body: dict[str, Any]) -> str:
    """Return `list`, `ideas`, `write` or `judge`."""
    wanted = (body.get("output_config") or {}).get("format")
    if wanted is None:
        return "write"
    known = {"subjects": "list", "ideas": "ideas", "sound": "judge"}
    (name,) = wanted["schema"]["properties"]
    return known[name]


def has_fate(fate: str, asked: str) -> bool:
    """Say whether an ask meets a fate."""
    return _number(f"{fate} {asked}") % RARELY[fate] == 0


def words(source: str, count: int) -> str:
    """Return so many made-up words that depend on a source alone."""
    digest = hashlib.shake_256(source.encode()).digest(2 * count)
    numbers = (int.from_bytes(digest[at : at + 2]) for at in range(0, 2 * count, 2))
    return " ".join(_WORDS[number % len(_WORDS)] for number in numbers)


def _idea(asked: str, number: int) -> str:
    return OLD_IDEA if has_fate(ALIKE, f"{asked} {number}") else words(f"{asked} {number}", 16)


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6])


def records(path: Any) -> list[dict[str, Any]]:
    """Return what a file of JSON lines holds; nothing where there is none."""
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
