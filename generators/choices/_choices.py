"""Deliberation for choices: why the chosen response of a pair is better than the rejected one."""

import re
from dataclasses import dataclass

from pydantic import BaseModel

from whyset.constitution import estimate_tokens
from whyset.datasets import (
    Conversation,
    Message,
    PreferencePair,
    Row,
    UnusableRecord,
    read_preference_pair,
)

from .._asking import ItemRejected
from .._generator import Generator
from .._mock import filler_text, language_filler_source
from .._prompts import fence
from .._rendering import (
    build_query_texts,
    conversation_text,
    passage_texts,
    render_history,
    render_list,
)
from .._result import Finished, Rejected
from .._steps import Ask, Role, Steps
from .._text import count_words
from .._variety import WordLimits
from .._work import Review, WorkState, extract_quotes
from ..checks import Check, CheckContext, Checks, fail_check, pass_check
from ._schemas import Appraisal, Options, Verdict

# In tokens, on top of what a text of this length may need; models that reason before they answer
# spend from it too.
_ROOM: dict[Role, int] = {"writer": 4000, "judge": 4000}


class Choices(Generator):
    """Gives a preference pair its rationale, grounded in passages.

    The steps are those of the deliberation rewrite of "Teaching Claude Why" (Anthropic, 2026),
    turned from an action to a preference: a fresh reader sees both responses and the relevant
    passages, and the preference does not change. A pair that the constitution has nothing to say
    about passes through untouched; one whose preference it does not share is never given a reason.
    """

    name = "choices"
    version = "1"
    summary = "says why the chosen response of a preference pair is better than the rejected one"
    outcomes = {
        "explained": "the pair carries the reasons for its preference",
        "untouched": "nothing at stake between the two, or kept as requested",
    }
    options_class = Options
    recorded_options = ("column", "cite", "language", "without")
    verdicts = (Verdict,)

    options: Options

    @property
    def added_columns(self) -> tuple[str, ...]:
        """The column that the rationale goes to."""
        return (self.options.column,)

    def steps(self, row: Row) -> Steps[Finished | Rejected]:
        """Return the steps of one row; one that holds no pair is rejected without an ask."""
        run = {"cite": self.options.cite, "language": self.options.language}
        work = self.begin(run=run, max_tokens=_ROOM)
        return work.conclude(_Rationale(row, self.options, work).steps())

    def typical_answer(self, ask: Ask, row: Row, *, at_stake: bool) -> str | BaseModel:
        """Return a typical answer; the appraisal is for the chosen response."""
        case = PairCase.of(row)
        match ask.name:
            case "appraise" if at_stake:
                return Appraisal.example().model_copy(update={"verdict": case.chosen_place})
            case "write" | "revise":
                if self.options.language:
                    source = language_filler_source(self.options.language)
                else:
                    # The row's own words, so that they cost what its words cost; backwards, so
                    # that no phrase that a check knows is made of them.
                    said = " ".join(message.text for message in case.pair.chosen)
                    source = " ".join(reversed(said.split()))
                return filler_text(word_limits(case.words).midpoint, source=source)
            case _:
                return super().typical_answer(ask, row, at_stake=at_stake)


class _Rationale:
    """One pair's way: find → appraise, blind → find → write → check → judge → revise."""

    def __init__(self, row: Row, options: Options, work: WorkState) -> None:
        self._row = row
        self._options = options
        self._work = work

    def steps(self) -> Steps[Finished]:
        work, options = self._work, self._options
        case = self._case = self._read()
        work.show(conversation=case.prompt)
        found = yield from work.find(case.queries, k=options.k)
        if found.relevance < options.settle_below:
            work.update_evidence(passages=())
            return self._untouched("settled by retrieval: nothing at stake")

        appraisal = yield from work.ask_judge("appraise", Appraisal, case.unnamed)
        work.update_evidence(appraisal={**appraisal.model_dump(), "chosen_was": case.chosen_place})
        if appraisal.verdict == "nothing_at_stake":
            return self._untouched("nothing at stake")
        if appraisal.verdict == "level":
            return self._untouched("level: the constitution prefers neither")
        if appraisal.verdict != case.chosen_place:
            return self._conflict(appraisal)
        # What bears on the considerations often lies elsewhere than what sounds like the row.
        if appraisal.considerations and "find" not in work.without:
            yield from work.find(appraisal.considerations, k=options.k)

        self._limits = word_limits(case.words)
        work.show(**case.named, length=self._limits.approximate)
        considerations = render_list((appraisal.difference, *appraisal.considerations))
        draft = yield from work.ask_writer(
            "write", {"considerations": considerations, **case.places}
        )
        text = yield from work.refine(
            draft,
            review=self._review,
            revise=self._revise,
            max_revisions=options.max_revisions,
        )
        return work.finish("explained", {**self._row.columns, options.column: text})

    def _read(self) -> "PairCase":
        column = self._options.column
        if column in self._row.columns:
            raise ItemRejected(
                "column_taken",
                detail=f"the row already has a column {column!r}: choose another for the "
                "rationale (option column), or work on the rows as they were before it",
            )
        try:
            return PairCase.of(self._row)
        except UnusableRecord as unusable:
            raise ItemRejected("no_pair", detail=str(unusable)) from unusable

    def _untouched(self, note: str) -> Finished:
        return self._work.finish("untouched", self._row.columns, note=note)

    def _conflict(self, appraisal: Appraisal) -> Finished:
        if self._options.on_conflict == "keep":
            return self._untouched("conflict, kept as asked")
        whose = "both responses" if appraisal.verdict == "neither" else "the chosen response"
        detail = f"against {whose} (the chosen was shown {self._case.chosen_place}): "
        raise ItemRejected("conflict", detail=detail + appraisal.reason)

    def _review(self, draft: str) -> Steps[Review]:
        shown = fence(draft)
        return self._work.review(
            self._check(draft),
            Verdict,
            {"draft": shown},
            quotes=extract_quotes(draft, self._work.passages),
            max_tokens=_ROOM["judge"] + 2 * estimate_tokens(shown),
        )

    def _revise(self, draft: str, review: Review) -> Steps[str]:
        shown = fence(draft)
        return self._work.ask_writer(
            "revise",
            {"draft": shown, "problems": render_list(review.problems)},
            max_tokens=_ROOM["writer"] + 2 * estimate_tokens(shown),
        )

    def _check(self, draft: str) -> list[Check]:
        passages, title = self._work.passages, self._work.title
        sources = [shown for found in passages for shown in passage_texts(found)]
        headings = [heading for found in passages for heading in found.passage.path]
        explicit = self._options.cite == "explicit"
        skip = dict.fromkeys(("unnamed", "own_words"), _CITED) if explicit else {}
        if not self._options.language:
            skip["language"] = "no language was named: it is the row's own"
        spoken = self._case.spoken
        context = CheckContext(
            conversation=spoken,
            limits=self._limits,
            language=self._options.language,
            title=title,
            passages=passages,
            quotable=[*sources, title, *headings] if explicit else [],
            instructions=self._work.instructions("write"),
            facts="\n\n".join([spoken, *sources]),
        )
        return CHECKS.run(draft, context, skip=skip)


# ---- The pair: by name to the writer, without names to whoever appraises.


@dataclass(frozen=True, slots=True)
class PairCase:
    """A pair, and the order in which its sides are shown to whoever must not know which is which.

    Attributes:
        pair: The pair.
        chosen_first: Whether the chosen side comes first; it depends on the row alone, and is as
            likely as not, so that neither place nor name can sway an appraisal.
    """

    pair: PreferencePair
    chosen_first: bool

    @classmethod
    def of(cls, row: Row) -> "PairCase":
        """Read a row's pair.

        Raises:
            UnusableRecord: It holds none.
        """
        return cls(read_preference_pair(row), int(row.digest[:8], 16) % 2 == 0)

    @property
    def prompt(self) -> str:
        """What both sides answer, fenced as data."""
        pair = self.pair
        return render_history(Conversation(pair.prompt, len(pair.prompt), pair.tool_definitions))

    @property
    def named(self) -> dict[str, str]:
        """Both sides by their names, fenced as data."""
        return {"chosen": _side(self.pair.chosen), "rejected": _side(self.pair.rejected)}

    @property
    def unnamed(self) -> dict[str, str]:
        """Both sides as the first and the second, fenced as data."""
        named = self.named
        return {place: named[name] for place, name in self.places.items()}

    @property
    def places(self) -> dict[str, str]:
        """Which side was shown first and which second."""
        first, second = ("chosen", "rejected") if self.chosen_first else ("rejected", "chosen")
        return {"first": first, "second": second}

    @property
    def chosen_place(self) -> str:
        """In which place the chosen side was shown: `first` or `second`."""
        return "first" if self.chosen_first else "second"

    @property
    def spoken(self) -> str:
        """All that the row holds, for checks that allow what is in it."""
        pair = self.pair
        messages = (*pair.prompt, *pair.chosen, *pair.rejected)
        return conversation_text(Conversation(messages, 0, pair.tool_definitions))

    @property
    def queries(self) -> tuple[str, ...]:
        """What passages are found by: the last turns and what either side says, each apart."""
        texts = [
            text
            for side in (self.pair.chosen, self.pair.rejected)
            for text in build_query_texts(_answered(self.pair, side))
        ]
        return tuple(dict.fromkeys(texts))

    @property
    def words(self) -> int:
        """How long the longer of the two is, in words."""
        sides = (self.pair.chosen, self.pair.rejected)
        return max(sum(count_words(message.text) for message in side) for side in sides)


def _answered(pair: PreferencePair, side: tuple[Message, ...]) -> Conversation:
    """Return one side as a conversation whose response is its last one that says something."""
    messages = (*pair.prompt, *side)
    at = [n for n, message in enumerate(messages) if message.role == "assistant"]
    return Conversation(messages, at[-1], pair.tool_definitions)


def _side(messages: tuple[Message, ...]) -> str:
    return render_history(Conversation(messages, len(messages)))


# ---- What a rationale is checked for.

_MIN_WORDS = 25


def word_limits(words: int) -> WordLimits:
    """Return limits in proportion to the longer response: a comparison must not dwarf it."""
    high = min(max(words * 3 // 5, 110), 320)
    return WordLimits(high // 2, high, _MIN_WORDS, 2 * high)


_LABEL = re.compile(
    r"\A[\W_]*(?:(?:the |my )?rationale|justification|explanation|analysis|comparison|preference"
    r"|verdict|why (?:the )?chosen[^\n:]*)\b[*_ ]*(?::|\n)",
    re.IGNORECASE,
)
# What the appraisal calls the two, and what no reader of the row could follow.
_PLACES = re.compile(
    r"\b(?i:(?:the )?(?:first|second) (?:response|answer|reply)\b)"
    r"|\b(?i:response|answer|option) [AB12]\b"
)


def check_no_labels(text: str, at: CheckContext) -> Check:
    """No label ahead of the text, and no response called by a place or a letter.

    Whoever reads the row sees no order and no letters. What it cannot see: labels and letters in
    other languages than English.
    """
    if found := _LABEL.search(text):
        return fail_check("unlabelled", f"begins with a label: {found[0].strip()!r}")
    place = next((p[0] for p in _PLACES.finditer(text) if p[0] not in at.conversation), None)
    if place is not None:
        return fail_check(
            "unlabelled",
            f"calls a response {place!r}: say what it does, or call it chosen or rejected",
        )
    return pass_check("unlabelled")


_CITED = "the constitution may be named and quoted"
_OF_THE_CASE = "a case may be about one; adds_claims sees to what is brought in"

CHECKS = Checks(
    "length",
    "language",
    ("unlabelled", check_no_labels),
    "quotations",
    "unnamed",
    "own_words",
    "invented_section",
    "no_leak",
    "no_testing",
    "no_self_continuation",
    "no_statistics",
    "no_dates",
    "no_authors",
    "no_links",
    "no_credentials",
    "no_placeholders",
    "preachy",
    "tics",
    skip={"no_dates": _OF_THE_CASE, "no_authors": _OF_THE_CASE},
)
"""The plainest first."""
