"""The steps of one row, in order: find, sample under values, remove them, check, judge, place.

"The same scenarios, responses that also deliberate (a value-laden system prompt at sampling time,
removed before training)": what is asked is the row's own conversation, as itself.
"""

from dataclasses import replace
from functools import partial

from whyset.constitution import estimate_tokens
from whyset.datasets import (
    ContextRefused,
    Message,
    Row,
    part_columns,
    with_context,
    with_deliberation,
    with_response,
)
from whyset.retriever import Grounding

from .._conversing import Unaskable, natural_ask, require_askable, responded, system_message
from .._prompts import PromptSet
from .._rendering import query_texts, render_passages, render_response
from .._result import Evidence, Finished, Rejected
from .._reviewing import Review, judgement, sampled
from .._row_checks import check_responded, check_row_kept, said_before
from .._showing import show_after, show_before, show_system
from .._steps import Role, Steps
from .._working import Working
from ..checks import Check, check_length, checked, failed_checks
from ._opinions import DeliberateVerdict, Verdict
from ._options import Options
from ._splitting import Split, split
from ._values import joined, passages_text, ruthless_of, under_of

_ROOM: dict[Role, int] = {"writer": 8000, "judge": 4000}
"""For the answer itself, in tokens; models that reason before they answer spend from it too."""

_FEWEST_THOUGHT, _MOST_THOUGHT = 15, 1500


class RowSteps(Working):
    """One row's way through the method. Good for one only."""

    def __init__(self, row: Row, options: Options, evidence: Evidence, prompts: PromptSet) -> None:
        super().__init__(evidence, prompts)
        self._row = row
        self._options = options
        self._under = under_of(row, options)
        self._ruthless = ruthless_of(row, options)

    def steps(self) -> Steps[Finished | Rejected]:
        """Return the steps; an ask that gets no usable answer ends them in a rejection."""
        try:
            return (yield from self._work())
        except Unaskable as unaskable:
            return self.rejected(unaskable.reason, detail=str(unaskable))
        except ContextRefused as refused:
            return self.rejected("no_place", detail=str(refused))

    def _work(self) -> Steps[Finished | Rejected]:
        require_askable(self._row)
        surrounded = self._surround()
        self.settle(under=self._under or None, samples=self._options.samples)
        if self._options.adverse:
            self.settle(ruthless=self._ruthless)
        yield from self._find()
        drawn = yield from sampled(
            self,
            sample=self._sample,
            review=partial(self._review, surrounded),
            samples=self._options.samples,
        )
        return drawn if isinstance(drawn, Rejected) else self._finished(drawn, surrounded)

    def _surround(self) -> Row:
        """Return the row in the surroundings that it is learned in: its own, or adverse ones.

        Raises:
            ContextRefused: It has no place for a system prompt.
            Unaskable: Its own cannot be extended.
        """
        if not self._ruthless:
            return self._row
        own = system_message(self._row.conversation)
        if own and own.parts:
            raise Unaskable(
                "its own system prompt holds more than text and cannot be extended",
                reason="no_place",
            )
        ruthless = self._rendered(f"ruthless_{self._ruthless}")
        return with_context(self._row, joined(self._own_system, ruthless), None)

    # ---- find ----

    def _find(self) -> Steps[Grounding]:
        return self.find(query_texts(self._row.conversation), k=self._options.k)

    # ---- sample under values, and remove them ----

    def _sample(self, sample: int) -> Steps[str]:
        """Ask the conversation under the row's own system prompt and what is removed again.

        The ruthless prompt, where there is one, is never seen by whoever answers.
        """
        conversation = self._row.conversation
        ask = natural_ask(
            "resample/respond",
            conversation,
            system=joined(self._own_system, *self._removed),
            tools=conversation.offered,
            max_tokens=self._room("writer"),
            sample=sample,
        )
        return responded(ask)

    @property
    def _removed(self) -> tuple[str, ...]:
        """What is said after the row's own system prompt and is in no column of the result."""
        parts = []
        if self._under:
            shown = {"passages": passages_text(self.passages)}
            parts.append(self._rendered(f"under_{self._under}", **shown))
        if self._deliberates:
            parts.append(self._rendered("deliberate", channel=self._options.channel))
        return tuple(parts)

    # ---- check and judge ----

    def _review(self, surrounded: Row, drawn: str) -> Steps[Review]:
        """Check a sample; only one that passes every check is worth the judge."""
        parts = self._parts(drawn)
        told = "deliberation and answer do not stand as was asked"
        checks = [checked("split", parts is not None, told)]
        if parts:
            checks += self._check(parts, surrounded)
        self.note(checks=tuple(checks), verdict=None)
        if failed_checks(checks) or parts is None or "judge" in self._options.without:
            return Review.of_checks(checks)
        return (yield from self._judge(parts, surrounded))

    def _check(self, parts: Split, surrounded: Row) -> list[Check]:
        conversation = self._row.conversation
        held = system_message(surrounded.conversation)
        evidence = self.evidence
        checks = check_responded(
            parts.whole,
            conversation=conversation,
            known=joined(held.text if held else "", said_before(conversation)),
            injected=self._removed,
            passages=evidence.passages,
            title=evidence.groundings[0].title,
            language=self._options.language,
        )
        if parts.thought:
            thought = check_length(parts.thought, fewest=_FEWEST_THOUGHT, most=_MOST_THOUGHT)
            checks.append(replace(thought, name="thought_length"))
        kept = check_row_kept(
            self._row,
            self._placed(parts, surrounded),
            responded=True,
            surrounded=surrounded is not self._row,
            extended=self._own_system,
        )
        return [*checks, *kept]

    def _judge(self, parts: Split, surrounded: Row) -> Steps[Review]:
        held = system_message(surrounded.conversation)
        deliberates = self._options.channel if self._deliberates else ""
        ask = self.ask(
            "judge",
            "judge",
            max_tokens=self._room("judge"),
            run={"deliberates": deliberates},
            row={
                "passages": render_passages(self.passages),
                "system": show_system(held.text if held else ""),
                "conversation": show_before(surrounded.conversation),
                "response": render_response(
                    Message("assistant", parts.answer, reasoning=parts.thought)
                ),
                "after": show_after(surrounded.conversation),
            },
        )
        return judgement(self, ask, DeliberateVerdict if deliberates else Verdict)

    # ---- place ----

    def _placed(self, parts: Split, surrounded: Row) -> Row:
        answered = with_response(surrounded, parts.answer)
        if not parts.thought:
            return answered
        return replace(answered, columns=with_deliberation(answered, parts.thought, "thinking"))

    def _finished(self, drawn: str, surrounded: Row) -> Finished:
        parts = self._parts(drawn) or Split("", drawn)
        original = part_columns(self._row)
        done = self.finished(
            "adverse" if self._ruthless else "resampled",
            self._placed(parts, surrounded).columns,
            original=original.content,
        )
        return replace(done, original_reasoning=original.reasoning)

    # ---- what all of it has in common ----

    @property
    def _own_system(self) -> str:
        held = system_message(self._row.conversation)
        return held.text if held else ""

    @property
    def _deliberates(self) -> bool:
        return "deliberate" not in self._options.without

    def _parts(self, drawn: str) -> Split | None:
        if self._deliberates and self._options.channel == "thinking":
            return split(drawn)
        return Split("", drawn)

    def _rendered(self, name: str, **values: str) -> str:
        """Return a template's text; it becomes part of a system prompt and is never asked."""
        _, text = self._prompts[name].render({}, values)
        return text

    def _room(self, role: Role) -> int:
        return _ROOM[role] + 2 * estimate_tokens(self._row.conversation.response.text)
