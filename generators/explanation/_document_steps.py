"""The steps of one document, in the order of the method.

Document type → subtype → ideas → draft → a fresh reviewer lists problems → rewrite → checks →
score.
"""

from collections.abc import Mapping
from dataclasses import replace

from whyset.retriever import ScoredPassage

from .._asking import Unanswered, afresh, judged, written
from .._axes import chosen
from .._brief import Brief
from .._briefing import render_about, render_avoided
from .._document import Ideas
from .._grounds import Grounds
from .._names import draw_names
from .._prompts import PromptSet, fence
from .._quotes import quotes_of
from .._rendering import render_list, render_passages
from .._result import Evidence, Finished, Rejected
from .._reviewing import Review, judgement, reviewed
from .._steps import Ask, Role, Steps
from .._working import Working
from ._checking import Rules
from ._grounds import gather
from ._opinions import Findings, IdeaList, Score, Subtypes
from ._options import Options, Step
from ._rooms import JUDGE_ROOM, list_room, text_room
from ._variety import SUBTYPES, assign, has_numbered_subtype, name_seed


class DocumentSteps(Working):
    """One document's way through the method. Good for one only."""

    def __init__(
        self, brief: Brief, options: Options, evidence: Evidence, prompts: PromptSet
    ) -> None:
        super().__init__(evidence, prompts)
        self._brief = brief
        self._options = options
        self._assignment = assign(brief)
        self._idea = brief.idea
        self._people = ""
        self._grounds: Grounds
        self._rules: Rules

    def ideas(self, count: int) -> Steps[Ideas | Rejected]:
        """Return the steps of the idea stage."""
        try:
            yield from self._gather()
            yield from self._subtype()
            texts = yield from self._ideas(count)
        except Unanswered as unanswered:
            return self.unanswered(unanswered)
        self._settle()
        return Ideas(texts, self.evidence, self._assignment.variety)

    def document(self) -> Steps[Finished | Rejected]:
        """Return the steps of a document; where its brief has no idea, one is had first."""
        try:
            yield from self._gather()
            yield from self._subtype()
            if not self._idea:
                (self._idea,) = yield from self._ideas(1)
            self._settle()
            self._people = self._drawn_people()
            self._rules = self._draw_up_rules()
            draft = yield from self._draft()
            findings = yield from self._review(draft)
            draft = yield from self._rewrite(draft, findings)
            ended = yield from reviewed(
                self,
                draft,
                review=self._check_and_score,
                revise=self._mend,
                revisions=0 if self._without("rewrite") else self._options.max_revisions,
            )
        except Unanswered as unanswered:
            return self.unanswered(unanswered)
        if isinstance(ended, Rejected):
            return ended
        return self.finished("written", {"text": ended})

    # ---- document type → subtype → ideas

    def _gather(self) -> Steps[None]:
        self._grounds = yield from gather(self, self._brief, self._options)

    def _subtype(self) -> Steps[None]:
        """Find out what a subtype drawn by number stands for.

        The ask is the same for every document of the type, so it is paid once.
        """
        if not has_numbered_subtype(self._assignment):
            return
        if self._without("subtypes"):
            self._assignment = self._assignment.with_subtype("")
            return
        ask = self.ask(
            "writer",
            "subtypes",
            run={"count": str(SUBTYPES)},
            row={"form": fence(self._assignment.type.line)},
            max_tokens=list_room(SUBTYPES),
        )
        listed = yield from judged(ask, Subtypes)
        number = self._assignment.variety["subtype"]
        self._assignment = self._assignment.with_subtype(chosen(number, listed.subtypes))

    def _ideas(self, count: int) -> Steps[tuple[str, ...]]:
        ask = self._ask("writer", "ideas", list_room(count), count=str(count))
        listed = yield from judged(afresh(ask, self._brief.attempt), IdeaList)
        return tuple(listed.ideas[:count])

    # ---- draft → review → rewrite

    def _draft(self) -> Steps[str]:
        ask = self._ask("writer", "draft", self._text_room, idea=fence(self._idea))
        return written(replace(ask, sample=self._brief.attempt))

    def _review(self, draft: str) -> Steps[Findings]:
        """Have a fresh reader, who knows nothing of idea and instructions, list problems."""
        self.draft = draft
        if self._without("review"):
            return Findings(problems=[])
        ask = self._ask("judge", "review", JUDGE_ROOM, draft=fence(draft))
        findings = yield from judged(ask, Findings)
        self.note(appraisal=findings.model_dump())
        return findings

    def _rewrite(self, draft: str, findings: Findings) -> Steps[str]:
        """Mend what the reader found, and in the same go what the checks find."""
        if self._without("rewrite") or not findings.problems:
            return draft
        failed = Review.of_checks(self._rules.check(draft))
        return (yield from self._mend(draft, failed.after(findings.problems)))

    # ---- checks → score

    def _check_and_score(self, draft: str) -> Steps[Review]:
        """Check a text; only one that passes every check is worth the judge."""
        checks = self._rules.check(draft)
        self.note(checks=tuple(checks), quotes=quotes_of(draft, self._quotable), verdict=None)
        failed = Review.of_checks(checks)
        if failed.reasons or self._without("score"):
            return failed
        ask = self._ask("judge", "score", JUDGE_ROOM, draft=fence(draft))
        return (yield from judgement(self, ask, Score))

    def _mend(self, draft: str, found: Review) -> Steps[str]:
        problems = render_list(found.problems)
        return written(
            self._ask("writer", "rewrite", self._text_room, draft=fence(draft), problems=problems)
        )

    # ---- what the steps share

    def _ask(self, role: Role, name: str, room: int, **values: str) -> Ask:
        return self.ask(role, name, run=self._run(), row={**self._row(), **values}, max_tokens=room)

    def _run(self, *, document: bool = True) -> Mapping[str, str]:
        whole = self._grounds.whole.passages if document and self._options.whole else ()
        return {
            "model_name": self._options.model_name,
            "constitution_name": self._constitution_name,
            "language": self._options.language,
            "names": str(self._options.names),
            "document": render_passages(whole) if whole else "",
        }

    def _row(self) -> Mapping[str, str]:
        focus, around = self._grounds.focus, self._grounds.around
        subtype = self._assignment.variety.get("subtype")
        kind = self._assignment.type.line
        return {
            "passages": render_passages(focus) if focus else "(the whole of the text)",
            "context": render_passages(around) if around else "",
            "about": render_about(self._brief),
            "assignment": fence(str(self._assignment)),
            "form": fence(f"{kind}\n{subtype}" if subtype else kind),
            "idea": fence(self._idea),
            "people": self._people,
            "avoid": render_avoided(self._brief),
            "length": str(self._assignment.bounds),
        }

    def _draw_up_rules(self) -> Rules:
        # Without the constitution itself, which an open document may quote.
        run, row = self._run(document=False), {**self._row(), "draft": "", "problems": ""}
        told = [self._prompts[name].render(run, row)[0] for name in ("draft", "rewrite")]
        return Rules(
            self._assignment,
            self._options,
            title=self._grounds.whole.title,
            constitution_name=self._constitution_name,
            headings=self._grounds.headings,
            passages=self._quotable,
            people=self._people,
            asked="\n".join((self._brief.about, self._assignment.type.name)),
            avoid=self._brief.avoid,
            instructions="\n\n".join(told),
        )

    @property
    def _quotable(self) -> tuple[ScoredPassage, ...]:
        return self._grounds.whole.passages if self._options.whole else self._grounds.shown

    @property
    def _constitution_name(self) -> str:
        return self._options.constitution_name or self._grounds.whole.title

    def _drawn_people(self) -> str:
        """Draw names to offer: others for every document, none of them a habit of models."""
        drawn = draw_names(name_seed(self._brief, self._idea), self._options.names)
        return ", ".join(map(str, drawn)) or "(none; name nobody)"

    @property
    def _text_room(self) -> int:
        return text_room(self._assignment.bounds)

    def _without(self, step: Step) -> bool:
        return step in self._options.without

    def _settle(self) -> None:
        """Put into the provenance what the document is to be, and which passages it is about."""
        settings: dict[str, object] = {
            "variety": dict(self._assignment.variety),
            "about": self._brief.about,
            "focus": [found.passage.id for found in self._grounds.focus],
        }
        if self._idea:
            settings["idea"] = self._idea
        self.settle(**settings)
