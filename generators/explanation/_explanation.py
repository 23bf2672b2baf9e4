"""Explanatory documents: texts of many kinds in which the reasons of a constitution are at work."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from whyset.errors import GeneratorError
from whyset.retriever import Grounding, ScoredPassage

from .._asking import AskFailed, ask_judge, ask_writer, request_passages, with_fresh_sample
from .._brief import Axis, Brief, brief_from_record, resolve_index
from .._generator import DocumentGenerator, Ideas
from .._mock import filler_text, language_filler_source, make_mock_reply
from .._names import draw_names
from .._prompts import PromptSet, fence
from .._rendering import render_list, render_overused, render_passages, render_subject
from .._result import Evidence, Finished, Quote, Rejected
from .._steps import Ask, Fetch, Reply, Role, Steps
from .._variety import WordLimits
from .._work import (
    PassageContext,
    Review,
    WorkState,
    ask_extractive_writer,
    check_verbatim,
    extract_quotes,
    judge_draft,
    refine,
)
from ..checks import failed_checks
from ._checks import Rules
from ._schemas import Findings, IdeaList, Options, Score, Step, Subtypes
from ._variety import SUBTYPES, assign_axes, axes, has_numbered_subtype, name_seed, typical_words

# ---- Gathering the passages that a document rests on.

# Of a subject in words, the sections of the best found come along: a passage is easily misread
# without what precedes and follows it.
_BEST = 3


def validate_subject(brief: Brief, options: Options) -> None:
    """A document must be about something.

    Raises:
        GeneratorError: The brief names no passage and no subject, and the whole constitution is
            not asked for.
    """
    if not (brief.passages or brief.about.strip() or options.whole):
        raise GeneratorError(
            f"brief {brief.line}: an explanation needs a subject: name passages, say what it is "
            "about, or choose the option whole"
        )


def gather_context(working: WorkState, brief: Brief, options: Options) -> Steps[PassageContext]:
    """Return the steps that gather passages into the evidence.

    The passages of a brief come with their sections. A subject in words is looked for by meaning;
    the sections of the best found come along. With the option `whole`, nothing comes along: the
    writer has the whole text anyhow.
    """
    whole = yield from request_passages(Fetch((), "document"))
    # What the result comes from must be known where nothing else is looked for.
    working.update_evidence(
        groundings=(whole,) if not (brief.passages or brief.about.strip()) else ()
    )
    if brief.passages:
        yield from working.fetch(brief.passages, scope="passages")
        best = brief.passages
    elif brief.about.strip():
        found = yield from working.find((brief.about,), k=options.k)
        best = tuple(scored.passage.id for scored in found.passages[:_BEST])
    else:
        best = ()
    focus = working.passages
    if best and not options.whole:
        yield from working.fetch(best, scope="section")
    return PassageContext(focus, working.passages[len(focus) :], whole)


# ---- How much room each answer has, in tokens. Models that reason first spend from it too.

JUDGE_MAX_TOKENS = 5000

_REASONING = 6000
_PER_ENTRY = 200
_PER_WORD = 3


def list_max_tokens(entries: int) -> int:
    """Return the room for a list of ideas or subtypes."""
    return _REASONING + _PER_ENTRY * entries


def max_tokens_to_entries(room: int) -> int:
    """Return how many entries the room was made for: the inverse of `list_max_tokens`."""
    return (room - _REASONING) // _PER_ENTRY


def text_max_tokens(bounds: WordLimits) -> int:
    """Return the room for a document."""
    return _REASONING + _PER_WORD * bounds.max_words


# ---- The steps of one document, in the order of the method.


class DocumentSteps(WorkState):
    """One document's way through the method. Good for one only."""

    def __init__(
        self, brief: Brief, options: Options, evidence: Evidence, prompts: PromptSet
    ) -> None:
        super().__init__(evidence, prompts)
        self._brief = brief
        self._options = options
        self._assignment = assign_axes(brief)
        self._idea = brief.idea
        self._people = ""
        self._grounds: PassageContext
        self._rules: Rules

    def ideas(self, count: int) -> Steps[Ideas | Rejected]:
        """Return the steps of the idea stage."""
        try:
            yield from self._gather()
            yield from self._subtype()
            texts = yield from self._ideas(count)
        except AskFailed as unanswered:
            return self.reject_failed_ask(unanswered)
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
            ended = yield from refine(
                self,
                draft,
                review=self._check_and_score,
                revise=self._mend,
                max_revisions=0 if self._without("rewrite") else self._options.max_revisions,
            )
        except AskFailed as unanswered:
            return self.reject_failed_ask(unanswered)
        if isinstance(ended, Rejected):
            return ended
        return self.finish("written", {"text": ended})

    # ---- document type → subtype → ideas

    def _gather(self) -> Steps[None]:
        self._grounds = yield from gather_context(self, self._brief, self._options)

    def _subtype(self) -> Steps[None]:
        """Find out what a subtype drawn by number stands for.

        The ask is the same for every document of the type, so it is paid once.
        """
        if not has_numbered_subtype(self._assignment):
            return
        if self._without("subtypes"):
            self._assignment = self._assignment.with_subtype("")
            return
        ask = self.render_ask(
            "writer",
            "subtypes",
            run={"count": str(SUBTYPES)},
            row={"form": fence(self._assignment.type.line)},
            max_tokens=list_max_tokens(SUBTYPES),
        )
        listed = yield from ask_judge(ask, Subtypes)
        number = self._assignment.variety["subtype"]
        self._assignment = self._assignment.with_subtype(resolve_index(number, listed.subtypes))

    def _ideas(self, count: int) -> Steps[tuple[str, ...]]:
        ask = self._ask("writer", "ideas", list_max_tokens(count), count=str(count))
        listed = yield from ask_judge(with_fresh_sample(ask, self._brief.attempt), IdeaList)
        return tuple(listed.ideas[:count])

    # ---- draft → review → rewrite

    def _draft(self) -> Steps[str]:
        ask = self._ask("writer", "draft", self._text_room, idea=fence(self._idea))
        return ask_writer(replace(ask, sample=self._brief.attempt))

    def _review(self, draft: str) -> Steps[Findings]:
        """Have a fresh reader, who knows nothing of idea and instructions, list problems."""
        self.draft = draft
        if self._without("review"):
            return Findings(problems=[])
        ask = self._ask("judge", "review", JUDGE_MAX_TOKENS, draft=fence(draft))
        findings = yield from ask_judge(ask, Findings)
        self.update_evidence(appraisal=findings.model_dump())
        return findings

    def _rewrite(self, draft: str, findings: Findings) -> Steps[str]:
        """Mend what the reader found, and in the same go what the checks find."""
        if self._without("rewrite") or not findings.problems:
            return draft
        failed = Review.from_checks(self._rules.check(draft))
        return (yield from self._mend(draft, failed.prepend_problems(findings.problems)))

    # ---- checks → score

    def _check_and_score(self, draft: str) -> Steps[Review]:
        """Check a text; only one that passes every check is worth the judge."""
        checks = self._rules.check(draft)
        self.update_evidence(
            checks=tuple(checks), quotes=extract_quotes(draft, self._quotable), verdict=None
        )
        failed = Review.from_checks(checks)
        if failed.reasons or self._without("score"):
            return failed
        ask = self._ask("judge", "score", JUDGE_MAX_TOKENS, draft=fence(draft))
        return (yield from judge_draft(self, ask, Score))

    def _mend(self, draft: str, found: Review) -> Steps[str]:
        problems = render_list(found.problems)
        return ask_writer(
            self._ask("writer", "rewrite", self._text_room, draft=fence(draft), problems=problems)
        )

    # ---- what the steps share

    def _ask(self, role: Role, name: str, room: int, **values: str) -> Ask:
        return self.render_ask(
            role, name, run=self._run(), row={**self._row(), **values}, max_tokens=room
        )

    def _run(self, *, document: bool = True) -> Mapping[str, str]:
        whole = self._grounds.document.passages if document and self._options.whole else ()
        return {
            "model_name": self._options.model_name,
            "constitution_name": self._constitution_name,
            "language": self._options.language,
            "names": str(self._options.names),
            "document": render_passages(whole) if whole else "",
        }

    def _row(self) -> Mapping[str, str]:
        focus, around = self._grounds.focus, self._grounds.surrounding
        subtype = self._assignment.variety.get("subtype")
        kind = self._assignment.type.line
        return {
            "passages": render_passages(focus) if focus else "(the whole of the text)",
            "context": render_passages(around) if around else "",
            "about": render_subject(self._brief),
            "assignment": fence(str(self._assignment)),
            "form": fence(f"{kind}\n{subtype}" if subtype else kind),
            "idea": fence(self._idea),
            "people": self._people,
            "avoid": render_overused(self._brief),
            "length": str(self._assignment.bounds),
        }

    def _draw_up_rules(self) -> Rules:
        # Without the constitution itself, which an open document may quote.
        run, row = self._run(document=False), {**self._row(), "draft": "", "problems": ""}
        told = [self._prompts[name].render(run, row)[0] for name in ("draft", "rewrite")]
        return Rules(
            self._assignment,
            self._options,
            title=self._grounds.document.title,
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
        return self._grounds.document.passages if self._options.whole else self._grounds.visible

    @property
    def _constitution_name(self) -> str:
        return self._options.constitution_name or self._grounds.document.title

    def _drawn_people(self) -> str:
        """Draw names to offer: others for every document, none of them a habit of models."""
        drawn = draw_names(name_seed(self._brief, self._idea), self._options.names)
        return ", ".join(map(str, drawn)) or "(none; name nobody)"

    @property
    def _text_room(self) -> int:
        return text_max_tokens(self._assignment.bounds)

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
        self.add_settings(**settings)


# ---- The digest: what explaining comes to without a language model: quotations, no conclusion.

DIGEST_LEAD = (
    "Sentences of “{title}”{subject}, quoted word for word in the order of the text. They were "
    "selected automatically; nothing is weighed, added or concluded."
)
"""What stands above the quotations, so that nobody takes them for an explanation."""

_BEFORE_HEADINGS = "Before the first heading"

Path = tuple[str, ...]


class DigestSteps(WorkState):
    """One digest's way: gather, quote section by section, check. Good for one only."""

    def __init__(
        self, brief: Brief, options: Options, evidence: Evidence, prompts: PromptSet
    ) -> None:
        super().__init__(evidence, prompts)
        self._brief = brief
        self._options = options

    def steps(self) -> Steps[Finished | Rejected]:
        """Return the steps of a digest."""
        try:
            grounds = yield from gather_context(self, self._brief, self._options)
            quotes = yield from self._quotes(grounds)
        except AskFailed as unanswered:
            return self.reject_failed_ask(unanswered)
        held = {scored.passage.id: scored for scored in grounds.document.passages}
        quoted = dict.fromkeys(quote.passage_id for quote in quotes)
        checks = (check_verbatim(quotes, grounds.document.passages),)
        self.add_settings(about=self._brief.about)
        self.update_evidence(
            quotes=quotes,
            passages=tuple(held[name] for name in quoted if name in held),
            checks=checks,
        )
        if not quotes:
            return self.reject("nothing_to_quote", detail="no sentence is fit to quote")
        if failed_checks(checks):
            return self.reject_failed_checks(checks)
        return self.finish("annotated", {"text": self._digest(quotes, held, grounds)})

    def _quotes(self, grounds: PassageContext) -> Steps[tuple[Quote, ...]]:
        """Ask for an extract of each section, so that no section crowds out the others."""
        texts = _looked_for(self._brief, grounds.focus)
        found: list[Quote] = []
        for passages in _by_section(grounds):
            section = Grounding(
                texts, passages, 1.0, grounds.document.title, grounds.document.digest
            )
            found += yield from ask_extractive_writer("explanation/extract", section)
        return tuple(found)

    def _digest(
        self, quotes: Sequence[Quote], held: Mapping[str, ScoredPassage], grounds: PassageContext
    ) -> str:
        about = " ".join(self._brief.about.split())
        parts = [
            DIGEST_LEAD.format(
                title=grounds.document.title, subject=f" on “{about}”" if about else ""
            )
        ]
        heading: Path | None = None
        introduced: str | None = None
        for quote in _in_order(quotes, grounds):
            passage = held[quote.passage_id].passage
            if passage.path != heading:
                heading = passage.path
                # The top heading is most often the document's title, which the lead has.
                parts.append(f"## {' > '.join(heading[1:] or heading) or _BEFORE_HEADINGS}")
            # Without the sentence that introduces it, an item of a list may say the opposite.
            if passage.context and passage.context != introduced:
                parts.append(_block(passage.context))
            introduced = passage.context
            first, last = passage.lines
            place = f"line {first}" if first == last else f"lines {first} to {last}"
            parts.append(_block(f"{quote.text}\n({place})"))
        return "\n\n".join(parts)


def _block(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.splitlines())


def _looked_for(brief: Brief, focus: Iterable[ScoredPassage]) -> tuple[str, ...]:
    """Return what a sentence should bear on: the subject in words, or the passages themselves."""
    about = brief.about.strip()
    return (about,) if about else tuple(scored.passage.plain for scored in focus)


def _by_section(grounds: PassageContext) -> Iterator[tuple[ScoredPassage, ...]]:
    """Yield the passages the digest is about, section by section, the best section first."""
    sections: dict[Path, list[ScoredPassage]] = {}
    for scored in grounds.focus or grounds.document.passages:
        sections.setdefault(scored.passage.path, []).append(scored)
    yield from map(tuple, sections.values())


def _in_order(quotes: Iterable[Quote], grounds: PassageContext) -> list[Quote]:
    """Return quotations in the order of the constitution; within a passage as it reads."""
    places = {scored.passage.id: place for place, scored in enumerate(grounds.document.passages)}
    texts = {scored.passage.id: scored.passage.plain for scored in grounds.document.passages}
    return sorted(
        quotes,
        key=lambda quote: (places[quote.passage_id], texts[quote.passage_id].find(quote.text)),
    )


# ---- What a typical reply to each step looks like, for walking a document's steps without a
# model.

# In the language asked for, so that the check of it passes.
_SPOKEN = {
    "ar": "لم يفتح الصندوق لأن صاحبته وحدها تقرر من يقرأ رسائلها وقد سألها في المساء عن ذلك",
    "de": "er ließ den Kasten zu weil sie allein entscheidet wer ihre Briefe lesen darf und fragte",
    "es": "dejó cerrada la caja porque solo ella decide quién puede leer sus cartas y le preguntó",
    "fr": "il a laissé la boîte fermée parce que elle seule décide qui peut lire ses lettres",
    "hi": "उसने संदूक बंद रहने दिया क्योंकि केवल वही तय करती है कि उसके पत्र कौन पढ़ सकता है",
    "it": "lasciò chiusa la scatola perché solo lei decide chi può leggere le sue lettere e chiese",
    "ja": "彼女だけが誰に手紙を読ませるかを決めるので彼は箱を閉めたままにしておき夕方に尋ねた",
    "ko": "누가 편지를 읽을 수 있는지는 그녀만이 정하므로 그는 상자를 닫아 두고 저녁에 물었다",
    "nl": "hij liet de doos dicht omdat alleen zij bepaalt wie haar brieven mag lezen en vroeg het",
    "pl": "zostawił pudełko zamknięte ponieważ tylko ona decyduje kto może czytać jej listy",
    "pt": "deixou a caixa fechada porque só ela decide quem pode ler as suas cartas e perguntou",
    "ru": "он оставил ящик закрытым потому что только она решает кому читать её письма и спросил",
    "zh": "他没有打开箱子因为只有她自己才能决定谁可以读她的信所以他晚上去问了她",
}
_IDEA_WORDS = 60
_SUBTYPE_WORDS = 9
_PARAGRAPH = 90
_PROBLEMS = Findings(
    problems=[
        "“always” in the second paragraph makes a rule of what the text calls a weighing; say "
        "when it gives way, and to what.",
        "The objection of the second speaker is one that nobody would raise; let him say that the "
        "cost falls on people who never agreed to it, and answer that.",
        "The last paragraph repeats the first as a moral; end on what the clerk does next.",
    ]
)


def rehearsed_reply(ask: Ask, brief: Brief, options: Options, *, at_stake: bool) -> Reply:
    """Return what stands for a model's answer to one step of a document.

    Args:
        ask: The step's ask.
        brief: The document's brief.
        options: The run's; a text has the names in it that documents must have.
        at_stake: Whether the fresh reader finds problems, so that there is a rewrite.

    Returns:
        A complete reply; its usage are estimates of the prompt's tokens and of the text's, no
        reasoning included and nothing cached.

    Raises:
        GeneratorError: The step is none of a document's.
    """
    match ask.step.rsplit("/", 1)[-1]:
        case "subtypes":
            text = Subtypes(subtypes=_entries(ask, _SUBTYPE_WORDS)).model_dump_json()
        case "ideas":
            text = IdeaList(ideas=_entries(ask, _IDEA_WORDS)).model_dump_json()
        case "draft" | "rewrite":
            text = _document(brief, options, ask)
        case "review":
            text = (_PROBLEMS if at_stake else Findings(problems=[])).model_dump_json()
        case "score":
            text = Score.example().model_dump_json()
        case other:
            raise GeneratorError(f"an explanation has no step {other!r} to rehearse")
    return make_mock_reply(ask, text)


def _entries(ask: Ask, words: int) -> list[str]:
    """Return as many different entries as the ask has room for."""
    return [
        f"{filler_text(words)} {number}" for number in range(max_tokens_to_entries(ask.max_tokens))
    ]


def _document(brief: Brief, options: Options, ask: Ask) -> str:
    """Return a text of the length asked for, with the names in it that it must have."""
    assignment = assign_axes(brief)
    wanted = assignment.bounds.midpoint
    source = _SPOKEN.get(options.language[:2].casefold()) or language_filler_source(
        options.language
    )
    paragraphs = [filler_text(_PARAGRAPH, source=source)] * (wanted // _PARAGRAPH)
    if rest := wanted % _PARAGRAPH:
        paragraphs.append(filler_text(rest, source=source))
    paragraphs[0] = f"{paragraphs[0]} {options.model_name}"
    if assignment.open:
        paragraphs[0] += f" {_constitution_name(options, ask)}"
    return "\n\n".join(paragraphs)


def _constitution_name(options: Options, ask: Ask) -> str:
    """Return what the constitution is called; its title stands nowhere but in the prompt."""
    told = re.search(r'\btext called "([^\n]+?)"[;,.]', ask.system)
    return options.constitution_name or (told[1] if told else "")


_TOKENS_PER_WORD = 1.5
_DIGEST_TOKENS = 500


class Explanation(DocumentGenerator):
    """Writes documents that show why an AI conducts itself as its constitution says.

    The method is synthetic document fine-tuning as in "Teaching Claude Why" (Anthropic, 2026):
    document types, subtypes, ideas, a draft for each, problems listed by a fresh reader, a
    rewrite, and a score against the constitution by which documents are kept or not.
    """

    name = "explanation"
    version = "1"
    summary = "documents of many types that show why an AI acts as it does"
    outcomes = {
        "written": "a document that passed every check and the judge",
        "annotated": "the passages' own sentences under their headings, weighed by nobody",
    }
    options_class = Options
    verdicts = (Score,)

    options: Options

    @property
    def axes(self) -> tuple[Axis, ...]:
        """The ways in which documents differ."""
        return axes(subtypes="subtypes" not in self.options.without)

    @property
    def typical_tokens(self) -> int:
        """About how long a document is, in tokens, where lengths are drawn."""
        return round(typical_words() * _TOKENS_PER_WORD)

    def steps(self, item: Brief) -> Steps[Finished | Rejected]:
        """Return the steps of one document; a brief without an idea gets one first."""
        return self._begun(item).document()

    def idea_steps(self, brief: Brief, *, count: int = 1) -> Steps[Ideas | Rejected]:
        """Return the steps of the idea stage."""
        return self._begun(brief).ideas(count)

    def item_from_columns(self, columns: Mapping[str, Any], *, line: int = 1) -> Brief:
        """Return the brief that plain values make.

        Raises:
            GeneratorError: They make none, name no subject, or want what no axis has.
        """
        brief = brief_from_record(columns, line=line)
        validate_subject(brief, self.options)
        assign_axes(brief)
        return brief

    def extractive_variant(self) -> "Digest":
        """Return the variant that quotes the passages on a subject and concludes nothing."""
        return Digest(**self.options.model_dump())

    def mock_reply(self, ask: Ask, item: Brief, *, at_stake: bool = True) -> Reply:
        """Return a typical answer, in length, to a step of a document."""
        return rehearsed_reply(ask, item, self.options, at_stake=at_stake)

    def _begun(self, brief: Brief) -> DocumentSteps:
        validate_subject(brief, self.options)
        return DocumentSteps(brief, self.options, self._settings(), self.prompts)

    def _settings(self) -> Evidence:
        settings: dict[str, Any] = {
            "language": self.options.language,
            "model_name": self.options.model_name,
            "without": list(self.options.without),
        }
        if self.options.constitution_name:
            settings["constitution_name"] = self.options.constitution_name
        if self.options.whole:
            settings["whole"] = True
        return self.evidence(**settings)


class Digest(Explanation):
    """An annotated digest: what explaining comes to without a language model."""

    has_ideas = False

    @property
    def axes(self) -> tuple[Axis, ...]:
        """None: a digest of the same passages is always the same."""
        return ()

    @property
    def typical_tokens(self) -> int:
        """About how long a digest is, in tokens."""
        return _DIGEST_TOKENS

    @property
    def identity(self) -> str:
        """The generator's, and that it only quotes."""
        return f"extract {super().identity}"

    def steps(self, item: Brief) -> Steps[Finished | Rejected]:
        """Return the steps of one digest."""
        validate_subject(item, self.options)
        evidence = Evidence(self.name, self.version, {})
        return DigestSteps(item, self.options, evidence, self.prompts).steps()

    def extractive_variant(self) -> "Digest":
        """Return itself."""
        return self
