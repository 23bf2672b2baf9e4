"""The deliberation rewrite: attach the why to a response without changing what it does."""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from whyset.constitution import estimate_tokens
from whyset.datasets import (
    Channel,
    Row,
    extract_response,
    insert_deliberation,
    replace_response,
    select_target,
)
from whyset.errors import GeneratorError, UnsupportedModel
from whyset.retriever import Grounding

from .._asking import AskFailed, ask_judge, ask_writer
from .._generator import Generator
from .._mock import filler_text, make_mock_reply
from .._prompts import PromptSet, fence
from .._rendering import (
    build_query_texts,
    render_history,
    render_list,
    render_passages,
    render_response,
)
from .._result import Evidence, Finished, Rejected
from .._steps import Ask, Reply, Role, Steps
from .._text import count_words
from .._work import (
    Review,
    WorkState,
    ask_extractive_writer,
    check_verbatim,
    extract_quotes,
    judge_draft,
    refine,
)
from ..checks import Check, failed_checks
from ._checks import check_columns_preserved, check_deliberation, check_repair, word_limits
from ._schemas import Appraisal, Options, Verdict

# ---- What every way of working on a row has in common: finding, and ending before it is worked
# on.


class Gathering(WorkState, ABC):
    """One row's way to its result. Good for one row only."""

    def __init__(self, row: Row, options: Options, evidence: Evidence, prompts: PromptSet) -> None:
        super().__init__(evidence, prompts)
        self._row = row
        self._options = options

    def steps(self) -> Steps[Finished | Rejected]:
        """Return the steps; an ask that gets no usable answer ends them in a rejection."""
        try:
            found = yield from self.find(
                build_query_texts(self._row.conversation), k=self._options.k
            )
            if found.relevance < (self._options.settle_below or 0.0):
                self.update_evidence(passages=())
                return self._untouched("settled by retrieval: nothing at stake")
            return (yield from self._work(found))
        except AskFailed as unanswered:
            return self.reject_failed_ask(unanswered)

    @abstractmethod
    def _work(self, found: Grounding) -> Steps[Finished | Rejected]:
        """Return the steps of a row on which the constitution may have something to say."""

    def _untouched(self, note: str) -> Finished:
        self.update_evidence(note=note)
        return self.finish("untouched", self._row.columns, original=None)


# ---- The steps of one row, in the order of the method: appraise, find, write, check, judge,
# revise.

# Room for the answer itself, in tokens, on top of what a response of this length may need; models
# that reason before they answer spend from it too.
_ROOM: Mapping[Role, int] = {"writer": 6000, "judge": 4000}


class RowSteps(Gathering):
    """One row's way through the method."""

    def __init__(self, row: Row, options: Options, evidence: Evidence, prompts: PromptSet) -> None:
        super().__init__(row, options, evidence, prompts)
        self._original = row

    def _work(self, found: Grounding) -> Steps[Finished | Rejected]:
        appraisal = yield from self._appraise()
        self.update_evidence(appraisal=appraisal.model_dump())
        if appraisal.verdict == "nothing_at_stake":
            return self._untouched("nothing at stake")
        if appraisal.verdict == "conflict":
            ended = yield from self._resolve(appraisal)
            if ended:
                return ended
        if appraisal.considerations:
            yield from self.find(appraisal.considerations, k=self._options.k)
        draft = yield from self._write(appraisal)
        ended_as = yield from refine(
            self,
            draft,
            review=self._review,
            revise=self._revise,
            max_revisions=self._options.max_revisions,
        )
        return ended_as if isinstance(ended_as, Rejected) else self._finished(ended_as)

    def _appraise(self) -> Steps[Appraisal]:
        return ask_judge(self._ask("judge", "appraise"), Appraisal)

    def _resolve(self, appraisal: Appraisal) -> Steps[Finished | Rejected | None]:
        """Do with a conflicting response what was chosen; `None` where there is a better one now.

        What is put in its place is appraised as strictly.
        """
        if self._options.on_conflict == "keep":
            return self._untouched("conflict, kept as asked")
        if self._options.on_conflict == "quarantine":
            return self.reject("conflict", detail=appraisal.reason)
        if self._row.conversation.response.tool_calls:
            return self.reject(
                "conflict", detail=f"tool calls cannot be repaired: {appraisal.reason}"
            )
        repaired = yield from ask_writer(self._ask("writer", "repair", finding=appraisal.reason))
        self.draft = repaired
        checks = self._check_repair(repaired)
        if failed_checks(checks):
            return self.reject_failed_checks(checks)
        self._row = replace_response(self._row, repaired)
        again = yield from self._appraise()
        if again.verdict == "conflict":
            return self.reject("conflict", detail=f"still a conflict after repair: {again.reason}")
        return None

    def _write(self, appraisal: Appraisal) -> Steps[str]:
        considerations = render_list(appraisal.considerations)
        return ask_writer(self._ask("writer", "write", considerations=considerations))

    def _revise(self, draft: str, review: Review) -> Steps[str]:
        problems = render_list(review.problems)
        return ask_writer(self._ask("writer", "revise", draft=fence(draft), problems=problems))

    def _review(self, draft: str) -> Steps[Review]:
        """Check a draft; only one that passes every check is worth the judge."""
        checks = (*self._check_text(draft), *self._check_row(draft))
        self.update_evidence(
            checks=checks, quotes=extract_quotes(draft, self.passages), verdict=None
        )
        failed = Review.from_checks(checks)
        if failed.reasons:
            return failed
        ask = self._ask("judge", "judge", draft=fence(draft))
        return (yield from judge_draft(self, ask, Verdict))

    def _check_text(self, draft: str) -> list[Check]:
        return check_deliberation(
            draft,
            conversation=self._row.conversation,
            passages=self.evidence.passages,
            title=self.evidence.groundings[0].title,
            channel=self._options.channel,
            cite=self._options.cite,
            instructions=self._ask("writer", "write", considerations="").system,
        )

    def _check_repair(self, repaired: str) -> list[Check]:
        return check_repair(
            repaired,
            conversation=self._row.conversation,
            passages=self.evidence.passages,
            title=self.evidence.groundings[0].title,
        )

    def _check_row(self, draft: str) -> list[Check]:
        return check_columns_preserved(
            self._original,
            self._placed(draft),
            channel=self._options.channel,
            repaired=self._repaired,
        )

    def _finished(self, draft: str) -> Finished:
        original = extract_response(self._original)
        finished = self.finish(
            "repaired" if self._repaired else "rewritten",
            self._placed(draft),
            original=original.content,
        )
        added = self._options.channel == "thinking"
        reasoning = original.reasoning if self._repaired or added else None
        return replace(finished, original_reasoning=reasoning)

    def _placed(self, draft: str) -> dict[str, Any]:
        return insert_deliberation(self._row, draft, self._options.channel)

    @property
    def _repaired(self) -> bool:
        return self._row is not self._original

    def _ask(self, role: Role, name: str, **values: str) -> Ask:
        """Render a step's prompt for the row as it now stands."""
        conversation = self._row.conversation
        return self.render_ask(
            role,
            name,
            max_tokens=_ROOM[role] + 2 * estimate_tokens(conversation.response.text),
            run={"channel": self._options.channel, "cite": self._options.cite},
            row={
                "passages": render_passages(self.passages),
                "conversation": render_history(conversation),
                "response": render_response(conversation.response),
                "length": word_limits(
                    conversation.response.text, self._options.channel
                ).approximate,
                **values,
            },
        )


# ---- The steps without a language model: find, quote, check. Nothing is weighed or concluded.

LEAD = "Sentences of “{title}” that may bear on this, selected automatically and not weighed:"
"""What stands above the quotations, so that nobody takes them for a reason."""


class ExtractSteps(Gathering):
    """One row's way: the passages that bear on it are quoted beside the untouched response."""

    def _work(self, found: Grounding) -> Steps[Finished | Rejected]:
        quotes = yield from ask_extractive_writer("deliberation/extract", found)
        quoted = {quote.passage_id for quote in quotes}
        self.update_evidence(
            quotes=quotes,
            passages=tuple(scored for scored in found.passages if scored.passage.id in quoted),
        )
        if not quotes:
            return self._untouched("no sentence to quote")
        self.draft = draft = self._annotation(found)
        columns = insert_deliberation(self._row, draft, self._options.channel)
        kept = check_columns_preserved(self._row, columns, channel=self._options.channel)
        checks = (check_verbatim(quotes, self.passages), *kept)
        self.update_evidence(checks=checks)
        if failed_checks(checks):
            return self.reject_failed_checks(checks)
        original = extract_response(self._row)
        finished = self.finish("annotated", columns, original=original.content)
        added = self._options.channel == "thinking"
        return replace(finished, original_reasoning=original.reasoning if added else None)

    def _annotation(self, found: Grounding) -> str:
        paths = {scored.passage.id: scored.passage.path for scored in self.evidence.passages}
        parts = [LEAD.format(title=found.title)]
        for quote in self.evidence.quotes:
            path = paths.get(quote.passage_id, ())
            # The top heading is most often the document's title, which the lead has.
            source = f" ({' > '.join(path[1:] or path)})" if path else ""
            lines = f"{quote.text}{source}".splitlines()
            parts.append("\n".join(f"> {line}" for line in lines))
        return "\n\n".join(parts)


# ---- A row with several responses under work: one after the other, each on its own evidence.

_RANKS = ("repaired", "rewritten", "annotated", "untouched")
"""What a row is called whose responses came to different ends: by what was done the most."""


def each_target(
    row: Row, work: Callable[[Row], Steps[Finished | Rejected]]
) -> Steps[Finished | Rejected]:
    """Work on a row's targets in their order; one that is rejected takes the row with it.

    A later response is worked on in the conversation as it stands by then, because that is what
    will be learned from.

    Args:
        row: The row.
        work: The steps of a row with a single target.
    """
    if len(row.targets) < 2:
        return (yield from work(row))
    columns, done = row.columns, dict[str, Finished]()
    for target in row.targets:
        result = yield from work(select_target(row, target, columns))
        if isinstance(result, Rejected):
            return replace(result, detail=f"{target}: {result.detail}")
        columns = result.columns
        done[str(target)] = result
    return _together(done, columns)


def asked_about(ask: Ask, row: Row) -> Row:
    """Return the row with that target alone whose response an ask shows."""
    if len(row.targets) < 2:
        return row
    read: dict[str, Row] = {}
    for target in row.targets:
        if target.side not in read:
            read[target.side] = select_target(row, target)
        messages = read[target.side].conversation.messages
        if render_response(messages[target.turn]) in ask.user:
            return select_target(row, target)
    return row


def _together(done: Mapping[str, Finished], columns: Mapping[str, Any]) -> Finished:
    outcomes = {result.outcome for result in done.values()}
    outcome = next(rank for rank in _RANKS if rank in outcomes)
    each = [result.evidence for result in done.values()]
    passages = {found.passage.id: found for evidence in each for found in evidence.passages}
    evidence = Evidence(
        each[0].generator,
        each[0].version,
        each[0].settings,
        groundings=tuple(found for evidence in each for found in evidence.groundings),
        passages=tuple(passages.values()),
        quotes=tuple(quote for evidence in each for quote in evidence.quotes),
        checks=tuple(check for evidence in each for check in evidence.checks),
    )
    return Finished(outcome, columns, None, evidence, targets=done)


# ---- What a typical reply to each step looks like, for walking a row's steps without a model.

# The same for every row, so that the passages which bear on them are looked for only once. They
# are of another kind than what a search by the row's words finds, so a prompt rather has a passage
# too many than too few.
_AT_STAKE = Appraisal(
    situation=(
        "Somebody asks for help with a matter that also concerns another person who is not part "
        "of the conversation. The response helps with one part of it and says why not with all."
    ),
    considerations=[
        "what the person may decide for themselves against what befalls somebody else",
        "being honest about what is known against sparing somebody's feelings",
        "being of real use now against the trust that rests on keeping to what was agreed",
    ],
    verdict="accord",
    reason="It gives the help that harms nobody and is open about what it leaves out.",
)
_NOTHING_AT_STAKE = Appraisal(
    situation=(
        "Somebody asks an ordinary question about a piece of everyday work. The response answers "
        "it in full."
    ),
    considerations=[],
    verdict="nothing_at_stake",
    reason="A careful person would do it the same way without stopping to think.",
)


def rehearsed_reply(ask: Ask, row: Row, channel: Channel, *, at_stake: bool) -> Reply:
    """Return what stands for a model's answer to one step of a deliberation.

    Args:
        ask: The step's ask.
        row: The row it is about.
        channel: Where the deliberation goes.
        at_stake: What the appraisal finds: accord and three considerations, or nothing at stake.

    Returns:
        A complete reply; its usage are estimates of the prompt's tokens and of the text's, no
        reasoning included and nothing cached.

    Raises:
        GeneratorError: The step is none of a deliberation's.
    """
    response = row.conversation.response.text
    match ask.step.rsplit("/", 1)[-1]:
        case "appraise":
            text = (_AT_STAKE if at_stake else _NOTHING_AT_STAKE).model_dump_json()
        case "judge":
            text = Verdict.all_passing().model_dump_json()
        case "write" | "revise":
            text = _draft(response, channel)
        case "repair":
            text = response.strip() or filler_text(11)
        case other:
            raise GeneratorError(f"a deliberation has no step {other!r} to rehearse")
    return make_mock_reply(ask, text)


def _draft(response: str, channel: Channel) -> str:
    wanted = word_limits(response, channel).midpoint
    if channel != "inline":
        return filler_text(wanted, source=response)
    # All that must be kept is in it; a blank line, so that no link grows by the word behind it.
    return f"{response.strip()}\n\n{filler_text(wanted - count_words(response), source=response)}".strip()


OUTCOMES = {
    "rewritten": "the response carries its reasons",
    "untouched": "nothing at stake, or kept as asked",
    "repaired": "the response itself was changed as well",
    "annotated": "quotations beside the response, weighed by nobody",
}
"""`annotated` rows are not training data."""


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
    outcomes = OUTCOMES
    options_class = Options

    options: Options

    def steps(self, row: Row) -> Steps[Finished | Rejected]:
        """Return the steps of one row."""
        evidence = self.evidence(channel=self.options.channel, cite=self.options.cite)
        return each_target(
            row, lambda one: RowSteps(one, self.options, evidence, self.prompts).steps()
        )

    def extractive_variant(self) -> Generator:
        """Return the variant that quotes passages beside the response and weighs nothing.

        Raises:
            Declined: The channel is `inline`: quoting cannot rewrite a response.
        """
        if self.options.channel == "inline":
            raise UnsupportedModel(
                "the channel 'inline' rewrites the response, which takes a language model; name "
                "one with --model, or choose --channel preface or thinking"
            )
        return Annotation(self.options)

    def mock_reply(self, ask: Ask, row: Row, *, at_stake: bool = True) -> Reply:
        """Return a typical answer, in length, to a step of a deliberation."""
        about = asked_about(ask, row)
        return rehearsed_reply(ask, about, self.options.channel, at_stake=at_stake)


class Annotation(Generator):
    """What deliberation comes to without a language model: quotations, weighed by nobody."""

    name = Deliberation.name
    version = Deliberation.version
    outcomes = OUTCOMES
    options_class = Options

    def __init__(self, options: Options) -> None:
        self.options = options

    @property
    def identity(self) -> str:
        """The options."""
        return json.dumps([self.name, "extract", self.version, self.options.record()])

    def steps(self, row: Row) -> Steps[Finished | Rejected]:
        """Return the steps of one row."""
        settings = {"channel": self.options.channel, "cite": "explicit"}
        evidence = Evidence(self.name, self.version, settings)
        unasked = PromptSet({})
        return each_target(
            row, lambda one: ExtractSteps(one, self.options, evidence, unasked).steps()
        )

    def extractive_variant(self) -> Generator:
        """Return itself."""
        return self
