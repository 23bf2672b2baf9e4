"""The deliberation rewrite: attach the why to a response without changing what it does."""

import json
from typing import Any

from pydantic import BaseModel

from whyset.constitution import estimate_tokens
from whyset.datasets import Row, extract_response, insert_deliberation, replace_response
from whyset.errors import UnsupportedModel
from whyset.retriever import Grounding

from .._asking import ItemRejected
from .._generator import Generator
from .._mock import filler_text
from .._prompts import PromptSet, fence
from .._rendering import build_query_texts, render_history, render_list, render_response
from .._result import Evidence, Finished, Rejected
from .._steps import Ask, Role, Steps
from .._text import count_words
from .._work import Review, WorkState, ask_extractive_writer, check_verbatim, extract_quotes
from ._checks import check_columns_preserved, check_deliberation, check_repair, word_limits
from ._schemas import Appraisal, Options, Verdict
from ._targets import each_target, select_shown_target

# In tokens, on top of what a response of this length may need; models that reason before they
# answer spend from it too.
_ROOM: dict[Role, int] = {"writer": 6000, "judge": 4000}

_OUTCOMES = {
    "rewritten": "the response carries its reasons",
    "untouched": "nothing at stake, or kept as asked",
    "repaired": "the response itself was changed as well",
    "annotated": "quotations beside the response, not judged",
}


class Deliberation(Generator):
    """Rewrites a row so that its response says why it is right, grounded in passages.

    The method is the deliberation rewrite of "Teaching Claude Why" (Anthropic, 2026): the prompt
    stays, a fresh reader sees prompt, response and the relevant passages, and the action does not
    change. Rows with nothing at stake pass through untouched; a response that goes against the
    constitution is never given a reason.
    """

    name = "deliberation"
    version = "1"
    summary = "says why the response of a row is right, without changing what it does"
    outcomes = _OUTCOMES
    options_class = Options
    recorded_options = ("channel", "cite")
    verdicts = (Verdict,)

    options: Options

    def steps(self, row: Row) -> Steps[Finished | Rejected]:
        """Return the steps of one row."""
        return each_target(row, self._target_steps)

    def _target_steps(self, row: Row) -> Steps[Finished | Rejected]:
        work = self.begin(run={"channel": self.options.channel, "cite": self.options.cite})
        return work.conclude(_Rewrite(row, self.options, work).steps())

    def extractive_variant(self) -> Generator:
        """Return the variant that quotes passages beside the response and weighs nothing.

        Raises:
            UnsupportedModel: The channel is `inline`: quoting cannot rewrite a response.
        """
        if self.options.channel == "inline":
            raise UnsupportedModel(
                "the channel 'inline' rewrites the response, which takes a language model; name "
                "one with --model, or choose --channel preface or thinking"
            )
        return Annotation(self.options)

    def typical_answer(self, ask: Ask, row: Row, *, at_stake: bool) -> str | BaseModel:
        """Return a typical answer to a step."""
        response = select_shown_target(ask, row).conversation.response.text
        words = word_limits(response, self.options.channel).midpoint
        match ask.name:
            case "write" | "revise" if self.options.channel == "inline":
                # All that must be preserved is in it; a blank line, so that no link grows by the
                # word behind it.
                added = filler_text(words - count_words(response), source=response)
                return f"{response.strip()}\n\n{added}".strip()
            case "write" | "revise":
                return filler_text(words, source=response)
            case "repair":
                return response.strip() or filler_text(11)
            case _:
                return super().typical_answer(ask, row, at_stake=at_stake)


class _Rewrite:
    """One row's way: find → appraise → (repair) → find → write → check → judge → revise."""

    def __init__(self, row: Row, options: Options, work: WorkState) -> None:
        self._original = row
        self._options = options
        self._work = work
        self._work_on(row)

    def _work_on(self, row: Row) -> None:
        """Make a row the one that prompts show: as it came, or with its response repaired."""
        response = row.conversation.response
        self._row = row
        self._work.max_tokens = {
            role: room + 2 * estimate_tokens(response.text) for role, room in _ROOM.items()
        }
        self._work.show(
            conversation=render_history(row.conversation),
            response=render_response(response),
            length=word_limits(response.text, self._options.channel).approximate,
        )

    def steps(self) -> Steps[Finished]:
        work, options = self._work, self._options
        found = yield from work.find(build_query_texts(self._row.conversation), k=options.k)
        if found.relevance < (options.settle_below or 0.0):
            return _settle(work, self._row)

        appraisal = yield from work.ask_judge("appraise", Appraisal)
        work.update_evidence(appraisal=appraisal.model_dump())
        if appraisal.verdict == "nothing_at_stake":
            return _leave(work, self._row, "nothing at stake")
        if appraisal.verdict == "conflict":
            if options.on_conflict == "keep":
                return _leave(work, self._row, "conflict, kept as asked")
            yield from self._repair(appraisal.reason)
        if appraisal.considerations:
            yield from work.find(appraisal.considerations, k=options.k)

        draft = yield from work.ask_writer(
            "write", {"considerations": render_list(appraisal.considerations)}
        )
        text = yield from work.refine(
            draft,
            review=self._review,
            revise=self._revise,
            max_revisions=options.max_revisions,
        )
        return _finish(
            work,
            "repaired" if self._is_repaired else "rewritten",
            self._original,
            self._insert(text),
            with_reasoning=self._is_repaired or options.channel == "thinking",
        )

    def _repair(self, conflict: str) -> Steps[None]:
        """Put a better response in the place of one that conflicts; it is appraised as strictly."""
        work = self._work
        if self._options.on_conflict == "quarantine":
            raise ItemRejected("conflict", detail=conflict)
        if self._row.conversation.response.tool_calls:
            raise ItemRejected("conflict", detail=f"tool calls cannot be repaired: {conflict}")
        repaired = work.draft = yield from work.ask_writer("repair", {"finding": conflict})
        work.require(check_repair(repaired, self._row, work))
        self._work_on(replace_response(self._row, repaired))
        again = yield from work.ask_judge("appraise", Appraisal)
        if again.verdict == "conflict":
            raise ItemRejected("conflict", detail=f"still a conflict after repair: {again.reason}")

    def _review(self, draft: str) -> Steps[Review]:
        checks = [
            *check_deliberation(draft, self._row, self._options, self._work),
            *check_columns_preserved(
                self._original,
                self._insert(draft),
                channel=self._options.channel,
                repaired=self._is_repaired,
            ),
        ]
        quotes = extract_quotes(draft, self._work.passages)
        return self._work.review(checks, Verdict, {"draft": fence(draft)}, quotes=quotes)

    def _revise(self, draft: str, review: Review) -> Steps[str]:
        return self._work.ask_writer(
            "revise", {"draft": fence(draft), "problems": render_list(review.problems)}
        )

    def _insert(self, draft: str) -> dict[str, Any]:
        return insert_deliberation(self._row, draft, self._options.channel)

    @property
    def _is_repaired(self) -> bool:
        return self._row is not self._original


# ---- Without a language model: passages are quoted, and nothing is weighed or concluded.

LEAD = "Sentences of “{title}” that may bear on this, selected automatically and not weighed:"
"""What stands above the quotations, so that they are not taken for a reason."""


class Annotation(Generator):
    """What deliberation comes to without a language model: quotations, not judged.

    Annotated rows are not training data.
    """

    name = Deliberation.name
    version = Deliberation.version
    outcomes = _OUTCOMES
    options_class = Options

    def __init__(self, options: Options) -> None:
        self.options = options

    @property
    def identity(self) -> str:
        """The options."""
        return json.dumps([self.name, "extract", self.version, self.options.record()])

    def steps(self, row: Row) -> Steps[Finished | Rejected]:
        """Return the steps of one row."""
        return each_target(row, self._target_steps)

    def _target_steps(self, row: Row) -> Steps[Finished | Rejected]:
        settings = {"channel": self.options.channel, "cite": "explicit"}
        work = WorkState(Evidence(self.name, self.version, settings), PromptSet({}))
        return work.conclude(self._annotate(row, work))

    def _annotate(self, row: Row, work: WorkState) -> Steps[Finished]:
        channel = self.options.channel
        found = yield from work.find(build_query_texts(row.conversation), k=self.options.k)
        if found.relevance < (self.options.settle_below or 0.0):
            return _settle(work, row)
        quotes = yield from ask_extractive_writer("deliberation/extract", found)
        quoted = {quote.passage_id for quote in quotes}
        work.update_evidence(
            quotes=quotes,
            passages=tuple(scored for scored in found.passages if scored.passage.id in quoted),
        )
        if not quotes:
            return _leave(work, row, "no sentence to quote")
        work.draft = annotation = _render_annotation(found, work)
        columns = insert_deliberation(row, annotation, channel)
        checks = (
            check_verbatim(quotes, work.passages),
            *check_columns_preserved(row, columns, channel=channel),
        )
        work.update_evidence(checks=checks)
        work.require(checks)
        return _finish(work, "annotated", row, columns, with_reasoning=channel == "thinking")

    def extractive_variant(self) -> Generator:
        """Return itself."""
        return self


def _render_annotation(found: Grounding, work: WorkState) -> str:
    paths = {scored.passage.id: scored.passage.path for scored in work.passages}
    parts = [LEAD.format(title=found.title)]
    for quote in work.evidence.quotes:
        path = paths.get(quote.passage_id, ())
        # The top heading is most often the document's title, which the lead has.
        source = f" ({' > '.join(path[1:] or path)})" if path else ""
        lines = f"{quote.text}{source}".splitlines()
        parts.append("\n".join(f"> {line}" for line in lines))
    return "\n\n".join(parts)


# ---- How a row ends, with a language model and without.


def _settle(work: WorkState, row: Row) -> Finished:
    work.update_evidence(passages=())
    return _leave(work, row, "settled by retrieval: nothing at stake")


def _leave(work: WorkState, row: Row, note: str) -> Finished:
    return work.finish("untouched", row.columns, original=None, note=note)


def _finish(
    work: WorkState, outcome: str, row: Row, columns: dict[str, Any], *, with_reasoning: bool
) -> Finished:
    original = extract_response(row)
    return work.finish(
        outcome,
        columns,
        original=original.content,
        original_reasoning=original.reasoning if with_reasoning else None,
    )
