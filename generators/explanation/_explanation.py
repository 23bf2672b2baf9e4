"""Explanatory documents: texts of many kinds in which the reasons of a constitution are at work."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pydantic import BaseModel

from whyset.errors import GeneratorError
from whyset.retriever import Grounding, ScoredPassage

from .._asking import ItemRejected, request_passages
from .._brief import Axis, Brief, brief_from_record, resolve_index
from .._generator import DocumentGenerator, Ideas
from .._mock import filler_text, language_filler_source
from .._names import draw_names
from .._prompts import fence
from .._rendering import render_list, render_overused, render_passages, render_subject
from .._result import Evidence, Finished, Quote, Rejected
from .._steps import Ask, Fetch, Steps
from .._variety import WordLimits
from .._work import (
    PassageContext,
    Review,
    WorkState,
    ask_extractive_writer,
    check_verbatim,
    extract_quotes,
)
from ..checks import Check, CheckContext
from ._checks import check_document
from ._schemas import Findings, IdeaList, Options, Score, Subtypes
from ._variety import (
    SUBTYPES,
    Assignment,
    assign_axes,
    axes,
    has_numbered_subtype,
    name_seed,
    typical_words,
)

# The room for an answer, in tokens. Models that reason first spend from it too.
_JUDGE_MAX_TOKENS = 5000
_REASONING = 6000
_PER_ENTRY = 200
_PER_WORD = 3

# What typical answers have.
_TOKENS_PER_WORD = 1.5
_DIGEST_TOKENS = 500
_IDEA_WORDS = 60
_SUBTYPE_WORDS = 9
_PARAGRAPH_WORDS = 90


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
        "annotated": "sentences quoted from the passages under their headings, not reviewed",
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
        document = self._begin(item)
        return document.work.conclude(document.steps())

    def idea_steps(self, brief: Brief, *, count: int = 1) -> Steps[Ideas | Rejected]:
        """Return the steps of the idea stage."""
        document = self._begin(brief)
        return document.work.conclude(document.ideas(count))

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

    def typical_answer(self, ask: Ask, item: Brief, *, at_stake: bool) -> str | BaseModel:
        """Return a typical answer; a text has the names in it that documents must have."""
        match ask.name:
            case "subtypes":
                return Subtypes(subtypes=_typical_entries(ask, _SUBTYPE_WORDS))
            case "ideas":
                return IdeaList(ideas=_typical_entries(ask, _IDEA_WORDS))
            case "draft" | "rewrite":
                return _typical_document(item, self.options, ask)
            case _:
                return super().typical_answer(ask, item, at_stake=at_stake)

    def _begin(self, brief: Brief) -> "_Document":
        validate_subject(brief, self.options)
        assignment = assign_axes(brief)
        options = self.options
        settings: dict[str, Any] = {
            "language": options.language,
            "model_name": options.model_name,
            "without": list(options.without),
        }
        if options.constitution_name:
            settings["constitution_name"] = options.constitution_name
        if options.whole:
            settings["whole"] = True
        work = self.begin(
            run={
                "model_name": options.model_name,
                "language": options.language,
                "names": str(options.names),
            },
            max_tokens={
                "writer": text_max_tokens(assignment.bounds),
                "judge": _JUDGE_MAX_TOKENS,
            },
            **settings,
        )
        return _Document(brief, assignment, options, work)


class _Document:
    """One document's way: subtype → idea → draft → review → rewrite → check → score."""

    def __init__(
        self, brief: Brief, assignment: Assignment, options: Options, work: WorkState
    ) -> None:
        self.work = work
        self._brief = brief
        self._assignment = assignment
        self._options = options
        self._idea = brief.idea
        self._people = ""
        self._passages: PassageContext

    def ideas(self, count: int) -> Steps[Ideas]:
        yield from self._prepare()
        texts = yield from self._list_ideas(count)
        self._record()
        return Ideas(texts, self.work.evidence, self._assignment.variety)

    def steps(self) -> Steps[Finished]:
        work = self.work
        yield from self._prepare()
        if not self._idea:
            (self._idea,) = yield from self._list_ideas(1)
        self._record()
        self._people = self._draw_people()
        self._show()

        draft = yield from work.ask_writer("draft", sample=self._brief.attempt)
        work.draft = draft
        if "review" not in work.without:
            draft = yield from self._rewrite_as_reviewed(draft)
        text = yield from work.refine(
            draft,
            review=self._score,
            revise=self._rewrite,
            max_revisions=self._options.max_revisions,
            step="rewrite",
        )
        return work.finish("written", {"text": text})

    # ---- passages → subtype → ideas ----

    def _prepare(self) -> Steps[None]:
        self._passages = yield from gather_context(self.work, self._brief, self._options)
        whole = self._passages.document.passages if self._options.whole else ()
        self.work.show_run(
            constitution_name=self._constitution_name,
            document=render_passages(whole) if whole else "",
        )
        if has_numbered_subtype(self._assignment):
            subtype = yield from self._find_subtype()
            self._assignment = self._assignment.with_subtype(subtype)
        self._show()

    def _find_subtype(self) -> Steps[str]:
        """Find out what a subtype drawn by number stands for.

        The ask is the same for every document of the type, so it is paid once.
        """
        if "subtypes" in self.work.without:
            return ""
        listed = yield from self.work.ask_judge(
            "subtypes",
            Subtypes,
            {"form": fence(self._assignment.type.line)},
            role="writer",
            max_tokens=list_max_tokens(SUBTYPES),
            run={"count": str(SUBTYPES)},
        )
        return resolve_index(self._assignment.variety["subtype"], listed.subtypes)

    def _list_ideas(self, count: int) -> Steps[tuple[str, ...]]:
        listed = yield from self.work.ask_judge(
            "ideas",
            IdeaList,
            {"count": str(count)},
            role="writer",
            max_tokens=list_max_tokens(count),
            sample=2 * self._brief.attempt,
        )
        return tuple(listed.ideas[:count])

    # ---- draft → review → rewrite → score ----

    def _rewrite_as_reviewed(self, draft: str) -> Steps[str]:
        """Have a fresh reader, who knows nothing of idea and instructions, list problems.

        They are mended in one go with what the checks find.
        """
        findings = yield from self.work.ask_judge("review", Findings, {"draft": fence(draft)})
        self.work.update_evidence(appraisal=findings.model_dump())
        if "rewrite" in self.work.without or not findings.problems:
            return draft
        failed = Review.from_checks(self._check(draft))
        return (yield from self._rewrite(draft, failed.prepend_problems(findings.problems)))

    def _rewrite(self, draft: str, review: Review) -> Steps[str]:
        problems = render_list(review.problems)
        return self.work.ask_writer("rewrite", {"draft": fence(draft), "problems": problems})

    def _score(self, draft: str) -> Steps[Review]:
        return self.work.review(
            self._check(draft),
            Score,
            {"draft": fence(draft)},
            step="score",
            quotes=extract_quotes(draft, self._quotable),
        )

    def _check(self, draft: str) -> list[Check]:
        # Without the constitution itself, which an open document may quote.
        parts = [self.work.instructions(name, {"document": ""}) for name in ("draft", "rewrite")]
        context = CheckContext(
            conversation="\n".join((self._brief.about, self._assignment.type.name)),
            title=self._passages.document.title,
            headings=self._passages.headings,
            passages=self._quotable,
            people=self._people,
            overused=self._brief.avoid,
            instructions="\n\n".join(parts),
        )
        return check_document(
            draft,
            context,
            assignment=self._assignment,
            options=self._options,
            constitution_name=self._constitution_name,
        )

    # ---- what the steps share ----

    def _show(self) -> None:
        focus, surrounding = self._passages.focus, self._passages.surrounding
        subtype = self._assignment.variety.get("subtype")
        line = self._assignment.type.line
        self.work.show(
            passages=render_passages(focus) if focus else "(the whole of the text)",
            context=render_passages(surrounding) if surrounding else "",
            about=render_subject(self._brief),
            assignment=fence(str(self._assignment)),
            form=fence(f"{line}\n{subtype}" if subtype else line),
            idea=fence(self._idea),
            people=self._people,
            avoid=render_overused(self._brief),
            length=str(self._assignment.bounds),
        )

    @property
    def _quotable(self) -> tuple[ScoredPassage, ...]:
        return self._passages.document.passages if self._options.whole else self._passages.visible

    @property
    def _constitution_name(self) -> str:
        return self._options.constitution_name or self._passages.document.title

    def _draw_people(self) -> str:
        """Draw names to offer: others for every document, none of them a habit of models."""
        drawn = draw_names(name_seed(self._brief, self._idea), self._options.names)
        return ", ".join(map(str, drawn)) or "(none; name nobody)"

    def _record(self) -> None:
        """Put into the provenance what the document is to be, and which passages it is about."""
        idea = {"idea": self._idea} if self._idea else {}
        self.work.add_settings(
            variety=dict(self._assignment.variety),
            about=self._brief.about,
            focus=[found.passage.id for found in self._passages.focus],
            **idea,
        )


# ---- The passages that a document rests on. ----

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


def gather_context(work: WorkState, brief: Brief, options: Options) -> Steps[PassageContext]:
    """Return the steps that gather passages into the evidence.

    The passages of a brief come with their sections. A subject in words is looked for by meaning;
    the sections of the best found come along. With the option `whole`, nothing comes along: the
    writer has the whole text anyhow.
    """
    whole = yield from request_passages(Fetch((), "document"))
    # What the result comes from must be known where nothing else is looked for.
    work.update_evidence(groundings=(whole,) if not (brief.passages or brief.about.strip()) else ())
    if brief.passages:
        yield from work.fetch(brief.passages, scope="passages")
        best = brief.passages
    elif brief.about.strip():
        found = yield from work.find((brief.about,), k=options.k)
        best = tuple(scored.passage.id for scored in found.passages[:_BEST])
    else:
        best = ()
    focus = work.passages
    if best and not options.whole:
        yield from work.fetch(best, scope="section")
    return PassageContext(focus, work.passages[len(focus) :], whole)


def list_max_tokens(entries: int) -> int:
    """Return the room for a list of ideas or subtypes."""
    return _REASONING + _PER_ENTRY * entries


def max_tokens_to_entries(room: int) -> int:
    """Return how many entries the room was made for: the inverse of `list_max_tokens`."""
    return (room - _REASONING) // _PER_ENTRY


def text_max_tokens(bounds: WordLimits) -> int:
    """Return the room for a document."""
    return _REASONING + _PER_WORD * bounds.max_words


# ---- The digest: quotations and no conclusion, where there is no language model. ----

DIGEST_LEAD = (
    "Sentences of “{title}”{subject}, quoted word for word in the order of the text. They were "
    "selected automatically; nothing is weighed, added or concluded."
)
"""What stands above the quotations, so that nobody takes them for an explanation."""

_BEFORE_HEADINGS = "Before the first heading"

Path = tuple[str, ...]


class _Digest:
    """One digest's way: gather → quote section by section → check."""

    def __init__(self, brief: Brief, options: Options, work: WorkState) -> None:
        self._brief = brief
        self._options = options
        self._work = work

    def steps(self) -> Steps[Finished]:
        context = yield from gather_context(self._work, self._brief, self._options)
        quotes = yield from self._quote(context)
        known = {scored.passage.id: scored for scored in context.document.passages}
        quoted = dict.fromkeys(quote.passage_id for quote in quotes)
        checks = (check_verbatim(quotes, context.document.passages),)
        self._work.add_settings(about=self._brief.about)
        self._work.update_evidence(
            quotes=quotes,
            passages=tuple(known[name] for name in quoted if name in known),
            checks=checks,
        )
        if not quotes:
            raise ItemRejected("nothing_to_quote", detail="no sentence is fit to quote")
        self._work.require(checks)
        return self._work.finish("annotated", {"text": self._render(quotes, known, context)})

    def _quote(self, context: PassageContext) -> Steps[tuple[Quote, ...]]:
        """Ask for an extract of each section, so that no section crowds out the others."""
        texts = _extraction_queries(self._brief, context.focus)
        found: list[Quote] = []
        for passages in _by_section(context):
            section = Grounding(
                texts, passages, 1.0, context.document.title, context.document.digest
            )
            found += yield from ask_extractive_writer("explanation/extract", section)
        return tuple(found)

    def _render(
        self, quotes: Sequence[Quote], known: Mapping[str, ScoredPassage], context: PassageContext
    ) -> str:
        about = " ".join(self._brief.about.split())
        parts = [
            DIGEST_LEAD.format(
                title=context.document.title, subject=f" on “{about}”" if about else ""
            )
        ]
        heading: Path | None = None
        introduced: str | None = None
        for quote in _in_order(quotes, context):
            passage = known[quote.passage_id].passage
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


def _extraction_queries(brief: Brief, focus: Iterable[ScoredPassage]) -> tuple[str, ...]:
    """Return what a sentence should bear on: the subject in words, or the passages themselves."""
    about = brief.about.strip()
    return (about,) if about else tuple(scored.passage.plain for scored in focus)


def _by_section(context: PassageContext) -> Iterator[tuple[ScoredPassage, ...]]:
    """Yield the passages the digest is about, section by section, the best section first."""
    sections: dict[Path, list[ScoredPassage]] = {}
    for scored in context.focus or context.document.passages:
        sections.setdefault(scored.passage.path, []).append(scored)
    yield from map(tuple, sections.values())


def _in_order(quotes: Iterable[Quote], context: PassageContext) -> list[Quote]:
    """Return quotations in the order of the constitution; within a passage as it reads."""
    places = {scored.passage.id: place for place, scored in enumerate(context.document.passages)}
    texts = {scored.passage.id: scored.passage.plain for scored in context.document.passages}
    return sorted(
        quotes,
        key=lambda quote: (places[quote.passage_id], texts[quote.passage_id].find(quote.text)),
    )


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
        work = WorkState(Evidence(self.name, self.version, {}), self.prompts)
        return work.conclude(_Digest(item, self.options, work).steps())

    def extractive_variant(self) -> "Digest":
        """Return itself."""
        return self


# ---- Typical answers, for dry runs. ----

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


def _typical_entries(ask: Ask, words: int) -> list[str]:
    """Return as many different entries as the ask has room for."""
    return [
        f"{filler_text(words)} {number}" for number in range(max_tokens_to_entries(ask.max_tokens))
    ]


def _typical_document(brief: Brief, options: Options, ask: Ask) -> str:
    """Return a text of the length asked for, with the names in it that it must have."""
    assignment = assign_axes(brief)
    wanted = assignment.bounds.midpoint
    source = _SPOKEN.get(options.language[:2].casefold()) or language_filler_source(
        options.language
    )
    paragraphs = [filler_text(_PARAGRAPH_WORDS, source=source)] * (wanted // _PARAGRAPH_WORDS)
    if rest := wanted % _PARAGRAPH_WORDS:
        paragraphs.append(filler_text(rest, source=source))
    paragraphs[0] = f"{paragraphs[0]} {options.model_name}"
    if assignment.open:
        paragraphs[0] += f" {_constitution_name(options, ask)}"
    return "\n\n".join(paragraphs)


def _constitution_name(options: Options, ask: Ask) -> str:
    """Return what the constitution is called; its title stands nowhere but in the prompt."""
    named = re.search(r'\btext called "([^\n]+?)"[;,.]', ask.system)
    return options.constitution_name or (named[1] if named else "")
