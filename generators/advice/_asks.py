"""How the asks of one conversation are rendered: what was drawn for it, as writers are told it."""

from collections.abc import Sequence
from functools import cached_property

from whyset.retriever import ScoredPassage

from .._asking import Answer, afresh, judged
from .._axes import chosen, is_numbered
from .._brief import Brief
from .._decks import seed_of
from .._lengths import LengthBounds
from .._names import draw_names
from .._prompts import PromptSet, fence
from .._rendering import render_list
from .._result import Evidence
from .._steps import Ask, Role, Steps
from .._working import Working
from ..checks import Check
from . import _variety as variety
from ._conversation import Dialogue
from ._options import Options

_ROOM: dict[Role, int] = {"writer": 6000, "judge": 4000}
"""For the answer itself, in tokens; models that reason before they answer spend from it too."""

_NAMES_OFFERED = 4
# 32 bits of a seed tell the samples of an ask apart well enough.
_SPARE_BITS = 20


class Asking(Working):
    """What the steps of one conversation have in hand. Good for one only."""

    def __init__(
        self, brief: Brief, options: Options, evidence: Evidence, prompts: PromptSet
    ) -> None:
        super().__init__(evidence, prompts)
        self._brief = brief
        self._options = options
        self._drawn = variety.drawn(brief)
        self._focus: tuple[ScoredPassage, ...] = ()
        self._scenario = brief.idea
        self._checked: tuple[Check, ...] = ()

    @property
    def _run(self) -> dict[str, str]:
        return {"cite": self._options.cite, "language": self._options.language}

    def _ask(self, role: Role, name: str, **row: str) -> Ask:
        return self.ask(role, name, max_tokens=_ROOM[role], run=self._run, row=row)

    def _listed(
        self, name: str, schema: type[Answer], axis: str, row: dict[str, str]
    ) -> Steps[Answer]:
        count, _ = variety.LISTED[axis]
        run = {**self._run, "count": str(count)}
        ask = self.ask("writer", name, max_tokens=_ROOM["writer"], run=run, row=row)
        return judged(ask, schema)

    def _fresh(self, ask: Ask) -> Ask:
        """Return an ask that gets an answer of its own, also where a brief is tried anew."""
        return afresh(ask, _number(self._brief))

    def _choose(self, axis: str, listed: Sequence[str]) -> None:
        self._drawn[axis] = chosen(self._drawn[axis], listed)

    def _forget_numbers(self) -> None:
        """Leave open what nobody has looked up; a scenario that is there needs it no more."""
        self._drawn = {axis: held for axis, held in self._drawn.items() if not is_numbered(held)}

    def _settle(self) -> None:
        self.settle(variety=dict(self._drawn), idea=self._scenario)

    def _told(self, axis: str) -> str:
        return variety.told(axis, self._drawn.get(axis, ""))

    def _common(self, kind: str) -> str:
        return fence(render_list(self._brief.avoid.get(kind, ())))

    def _words(self, axis: str) -> LengthBounds:
        return variety.words(axis, self._drawn[axis])

    @cached_property
    def _names(self) -> tuple[str, ...]:
        drawn = draw_names(_number(self._brief, self._scenario), _NAMES_OFFERED)
        return tuple(map(str, drawn))

    def _natural(self, step: str, dialogue: Dialogue) -> Ask:
        """Ask what the user asks, as the user: nothing but the conversation is said."""
        return Ask(
            "writer",
            f"advice/{step}",
            dialogue.system,
            dialogue.last,
            _ROOM["writer"],
            turns=dialogue.turns[:-1],
        )

    def _injection(self, system: str) -> str:
        """Return a system prompt with the passages in focus in it."""
        passages = "\n\n".join(scored.passage.plain for scored in self._focus)
        return self._ask("writer", "inject", system=system, passages=passages).user


def _number(brief: Brief, *more: str) -> int:
    """Return a number of the brief's own: another for each seed, draft and attempt."""
    return seed_of(brief.seed, brief.draft, brief.attempt, *more) >> _SPARE_BITS
