"""Probes without a language model: items made of the text itself, by rule; nobody weighs them."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from whyset.constitution import Passage

from .._asking import ItemRejected
from .._brief import Brief
from .._result import Finished, Quote
from .._steps import Steps
from .._text import count_words
from .._work import PassageContext, WorkState, check_verbatim
from ..checks import Check, check_language
from ._checks import BLANK, check_answer_hidden, check_blank, check_phrasings
from ._record import columns_of, gather_context
from ._schemas import Options, Written, derive_number, extracted_assignment

# ---- Sentences of a passage that can be understood on their own: what items are made of.

_END = re.compile(r"(?<=[.!?])(?<!\b[A-Z]\.)(?<!e\.g\.)(?<!i\.e\.)\s+(?=[A-Z“\"])")
_WORDS = range(7, 41)
# What these point at stands in another sentence.
_POINTING_FIRST = re.compile(
    r"\A(?:It|Its|He|She|They|Their|Them|This|That|These|Those|Such|Here|There|Then|So|Thus|Hence"
    r"|Therefore|But|And|Or|Nor|Yet|Also|Still|Too|Instead|Otherwise|Elsewhere|However|Both|Each"
    r"|Either|Neither|One|Another|Others|Some|Most|Two|Three|Four|Five"
    r"|The (?:same|other|others|rest|former|latter|first|second|third|last)"
    r"|The (?:[a-z]+ )?(?:objection|argument) (?:is|was)"
    r"|In (?:that|this|such|these|those)|For (?:that|this|example|instance)|Everything"
    r"|All (?:this|these|that|the rest))\b"
)
_POINTING = re.compile(
    r"\A(?:Even then|The (?:answer|argument|boundary|case|distinction|line|list|point|question"
    r"|reason|rule|test|text))\b"
    r"|\b(?:with|without|of|in|on|for|by|from|to|at|lacks?|has|have|than) that [a-z]+\b"
    r"|\bthe (?:two|three|latter|same|matter|thing)\b"
    r"|\b(?:this|these|those|such|therefore|however|instead|otherwise|likewise|too|also|above|below"
    r"|former|latter|here|both|they|them|their)\b|\bthat (?:way|case|one)\b",
    re.IGNORECASE,
)
# "It" is understood where what it stands for comes before it in the same sentence.
_IT = re.compile(r"\bit(?:s|self)?\b", re.IGNORECASE)
_ANTECEDENT = re.compile(
    r"\A(?!(?:Where|When|While|With|Within|To|On|In|Among|As|At|By|For|After|Before|Even|Failing"
    r"|Once|What)\b)[^,]*?(?:\bbecause|\bsince|\bwhen|,(?: so| and| but)?)\Z|\bassistant\b"
)
_SUPPOSING = re.compile(
    r"\b(?:if|unless|whether|suppose|would|might|perhaps|as though|as if|may have)\b", re.IGNORECASE
)
_OF_ITSELF = re.compile(
    r"\b(?:charter|constitution|document|chapter|section|as follows|following|we|us"
    r"|our|ours|I|my)\b",
    re.IGNORECASE,
)
_MARKS = re.compile(r"[“”\"‘?!:;()\[\]…—–]|--|(?<!\w)'|\d")

_UNFIT = (_POINTING_FIRST, _POINTING, _SUPPOSING, _OF_ITSELF, _MARKS)


def iter_standalone_sentences(plain: str) -> Iterator[str]:
    """Yield the sentences of a passage's plain text that stand alone, each a slice of it.

    A plain statement of seven to forty words: no word that points at another sentence, no
    condition or supposition, nothing about the document or by its authors, no quotation,
    question, colon, bracket, dash or number.
    """
    for block in plain.split("\n"):
        for sentence in _END.split(block):
            if _stands_alone(sentence):
                yield sentence


def _stands_alone(sentence: str) -> bool:
    it = _IT.search(sentence)
    if it and not _ANTECEDENT.search(sentence[: it.start()].rstrip()):
        return False
    return (
        sentence[:1].isupper()
        and sentence.endswith(".")
        and count_words(sentence) in _WORDS
        and not any(pattern.search(sentence) for pattern in _UNFIT)
    )


# ---- Statements that the text contradicts, made of its own sentences by stated rules.

_NEGATION = re.compile(
    r"\b(?:not|no|never|nobody|nothing|none|cannot|without|neither|nor|hardly|few|little|less|only)"
    r"\b|n['’]t\b",
    re.IGNORECASE,
)
# What comes before the changed word must not be a clause of its own, nor begin another: of "values
# it can act on" or "asks what is safe" the contrary may be true as well.
_CLAUSE = re.compile(
    r"\b(?:that|which|who|whom|whose|when|where|while|as|because|since|so|what|whatever|whoever"
    r"|wherever|how|why|until|although|though|but|it|they|you|we|he|she)\b",
    re.IGNORECASE,
)
_JOINED = re.compile(r",|\band\b")
# "Nearly everything useful cannot be misused" may be read in two ways.
_QUANTIFIED = re.compile(
    r"\A(?:Nearly|Almost|All|Every|Everything|Everyone|Most|Much|Many|Several|Any|Anything)\b"
)
_MODAL = re.compile(r"\b(?:can|could|may|might)\b", re.IGNORECASE)
# "May" is a permission here and a possibility there, whose contraries differ; of a first verb that
# is one, nothing is made. An adverb behind the verb would be negated in its place.
_AUXILIARY = re.compile(r"\b(?:is|are|can|could|may|might|must|should|will|would)\b")
_NEGATABLE = frozenset({"is", "are", "can", "must", "should"})
_ADVERB = re.compile(
    r"\A (?:not|just|only|merely|always|sometimes|often|generally|usually|still|also|even|mostly"
    r"|largely|partly|commonly|normally|typically|simply|as follows)\b"
)
_DOES_NOT = re.compile(r"\bdoes not (?P<verb>[a-z]+)\b")
_IS_NOT = re.compile(r"\b(?P<verb>is|are|must|should|can) not\b(?! (?:only|just|merely)\b)")
_CANNOT = re.compile(r"\bcannot\b")
_ACTOR = r"\A(?:The|An?) (?:assistant|model|AI) "
_PLAIN_VERB = re.compile(rf"{_ACTOR}(?P<verb>[a-z]+s)\b(?<!\bis)(?<!\bhas)(?<!\bdoes)(?<!ss)")

_CONTRARIES = (
    ("always", "never"),
    ("before", "after"),
    ("better", "worse"),
    ("compatible", "incompatible"),
    ("easier", "harder"),
    ("high", "low"),
    ("higher", "lower"),
    ("more", "less"),
    ("narrows", "widens"),
    ("openly", "secretly"),
    ("stronger", "weaker"),
    ("usually", "rarely"),
)
_CONTRARY = {a: b for pair in _CONTRARIES for a, b in (pair, pair[::-1])}
# Of these a contrary is one only in a comparison.
_COMPARED = frozenset({"more", "less", "better", "worse"})
_CONTRARY_WORD = re.compile(rf"\b(?:{'|'.join(sorted(_CONTRARY))})\b")


@dataclass(frozen=True, slots=True)
class Distractor:
    """A sentence turned into its contrary.

    Attributes:
        rule: `negated`, `affirmed` or `contrary`.
        text: The sentence as it now reads.
        change: What was changed, as `old → new`.
    """

    rule: str
    text: str
    change: str


def iter_distractors(sentence: str) -> Iterator[Distractor]:
    """Yield every alteration of a sentence that stands alone.

    - `negated`: the main verb gets a "not". Nothing is joined and no clause stands before it, the
      subject is not a quantity, and the sentence has no other negation.
    - `affirmed`: the only negation of a sentence is taken away; no clause stands before it.
    - `contrary`: a word becomes its contrary, from a short list. It is the only word of the list
      in the sentence, no clause and no "can" or "may" stands before it, there is no other
      negation, and of a comparison, "than" follows.
    """
    negations = _NEGATION.findall(sentence)
    if not negations:
        yield from _negated(sentence)
        yield from _contrary(sentence)
    elif len(negations) == 1:
        yield from _affirmed(sentence)
        if negations[0].lower() in {"never", "less"}:
            yield from _contrary(sentence)


def _negated(sentence: str) -> Iterator[Distractor]:
    if _QUANTIFIED.search(sentence):
        return
    if found := _AUXILIARY.search(sentence):
        before, after = sentence[: found.start()], sentence[found.end() :]
        free = not (_CLAUSE.search(before) or _JOINED.search(before) or _ADVERB.search(after))
        if free and found[0] in _NEGATABLE:
            new = "cannot" if found[0] == "can" else f"{found[0]} not"
            yield _changed("negated", sentence, found.span(), new)
        return
    found = _PLAIN_VERB.match(sentence)
    # "does not check arithmetic, tests code" is no sentence.
    if found and not _JOINED.search(sentence, found.end()):
        yield _changed("negated", sentence, found.span("verb"), f"does not {_bare(found['verb'])}")


def _affirmed(sentence: str) -> Iterator[Distractor]:
    for pattern in (_DOES_NOT, _IS_NOT, _CANNOT):
        found = pattern.search(sentence)
        if found and not _CLAUSE.search(sentence[: found.start()]):
            verb = found.groupdict().get("verb") or "can"
            new = _third_person(verb) if pattern is _DOES_NOT else verb
            yield _changed("affirmed", sentence, found.span(), new)
            return


def _contrary(sentence: str) -> Iterator[Distractor]:
    found = list(_CONTRARY_WORD.finditer(sentence))
    if len(found) != 1:
        return
    (word,) = found
    before, after = sentence[: word.start()], sentence[word.end() :]
    if _CLAUSE.search(before) or _MODAL.search(before):
        return
    if word[0] not in _COMPARED or re.search(r"\bthan\b", after):
        yield _changed("contrary", sentence, word.span(), _CONTRARY[word[0]])


def _changed(rule: str, sentence: str, span: tuple[int, int], new: str) -> Distractor:
    start, end = span
    return Distractor(
        rule, sentence[:start] + new + sentence[end:], f"{sentence[start:end]} → {new}"
    )


def _third_person(verb: str) -> str:
    if re.search(r"[^aeiou]y\Z", verb):
        return f"{verb[:-1]}ies"
    return f"{verb}es" if re.search(r"(?:s|x|z|ch|sh|o)\Z", verb) else f"{verb}s"


def _bare(verb: str) -> str:
    if verb.endswith("ies") and len(verb) > 4:
        return f"{verb[:-3]}y"
    return verb[:-2] if re.search(r"(?:ss|x|zz|ch|sh|o)es\Z", verb) else verb[:-1]


# ---- Clozes made of the text's own sentences: the word left out is the one that marks the
# sentence.

_WORD = re.compile(r"[A-Za-z]+(?:['’-][A-Za-z]+)*")
_SHORTEST = 6
_RAREST = 3
# Of things that are listed or joined, another of their kind would fit as well.
_LISTED_BEFORE = re.compile(r"(?:,|\b(?:and|or|nor))\s\Z")
_LISTED_AFTER = re.compile(r"\A(?:,|\s(?:and|or|nor)\b)")
# What carries grammar rather than a fact; adverbs in -ly, which others replace too easily.
# fmt: off
_EMPTY = frozenset({
    "about", "above", "according", "across", "after", "again", "against", "along", "already",
    "although", "always", "among", "another", "anything", "around", "asked", "asking", "assistant",
    "because", "become", "becomes", "before", "being", "below", "between", "cannot", "comes",
    "could", "during", "either", "enough", "every", "everything", "first", "further", "given",
    "gives", "giving", "goes", "going", "having", "however", "instead", "itself", "least", "makes",
    "making", "matter", "means", "might", "never", "nobody", "nothing", "often", "other", "others",
    "ought", "people", "perhaps", "person", "quite", "rather", "really", "said", "saying", "seems",
    "several", "shall", "should", "since", "someone", "something", "sometimes", "still", "takes",
    "taking", "their", "themselves", "there", "these", "thing", "things", "think", "those",
    "though", "through", "together", "toward", "towards", "under", "unless", "until", "upon",
    "using", "usually", "where", "whether", "which", "while", "whoever", "whole", "whose", "within",
    "without", "would", "yourself",
})
# fmt: on


@dataclass(frozen=True, slots=True)
class Cloze:
    """A sentence with a word left out.

    Attributes:
        text: The sentence with a blank.
        word: What is left out.
    """

    text: str
    word: str

    @property
    def hint(self) -> str:
        """How the word begins: enough to tell it from others that would fit."""
        return self.word[:2]


def count_word_documents(texts: Iterable[str]) -> Counter[str]:
    """Return in how many texts each word stands."""
    return Counter(word for text in texts for word in set(_words(text)))


def make_cloze(sentence: str, counts: Counter[str]) -> Cloze | None:
    """Leave out the word that marks a sentence; `None` where no word does.

    It is the rarest word of the sentence in the whole document, the longest of several as rare:
    in lower case, of six letters or more, once in the sentence and in three passages at most. It
    is no adverb in -ly, no compound, nothing listed and none of the words that carry grammar.
    """
    words = _words(sentence)
    fit = [
        found
        for found in _WORD.finditer(sentence)
        if found[0].isalpha()
        and found[0].islower()
        and len(found[0]) >= _SHORTEST
        and not found[0].endswith("ly")
        and found[0] not in _EMPTY
        and words.count(found[0]) == 1
        and counts[found[0]] <= _RAREST
        and not _LISTED_BEFORE.search(sentence[: found.start()])
        and not _LISTED_AFTER.search(sentence[found.end() :])
    ]
    if not fit:
        return None
    found = min(fit, key=lambda f: (counts[f[0]], -len(f[0]), f.start()))
    return Cloze(f"{sentence[: found.start()]}{BLANK}{sentence[found.end() :]}", found[0])


def _words(text: str) -> list[str]:
    return [found[0].casefold() for found in _WORD.finditer(text)]


_CLOZE = (
    "One word has been left out of this sentence of “{title}”, the text that says how {who} to "
    "think and act. The word begins with “{hint}”. Which is it?\n\n“{sentence}”"
)
_STATEMENT = (
    "True or false: “{title}”, the text that says how {who} to think and act, holds that the "
    "following is so.\n\n“{sentence}”"
)
_OWN_VOICE = frozenset({"paragraph", "list_item"})


@dataclass(frozen=True, slots=True)
class _Item:
    """Something that can be asked: a sentence, what is shown of it, and what was done to it."""

    passage: str
    sentence: str
    shown: str
    word: str = ""
    hint: str = ""
    rule: str = ""
    change: str = ""


class ExtractedItem:
    """One item's way: gather → choose a sentence → make the item → check. It asks no model."""

    def __init__(self, brief: Brief, options: Options, work: WorkState) -> None:
        self._brief = brief
        self._options = options
        self._work = work
        self._assignment = extracted_assignment(brief)

    def steps(self) -> Steps[Finished]:
        work = self._work
        context = yield from gather_context(work, self._brief, k=self._options.k)
        items = list(self._items(context))
        work.add_settings(variety=self._assignment.variety, about=self._brief.about)
        if not items:
            raise ItemRejected(
                "nothing_to_ask",
                detail=f"no sentence of these passages makes a sound {self._assignment.format}",
            )
        # Drafts and attempts of one slot go through the items in turn, from a place that is drawn.
        first = replace(self._brief, draft=0, attempt=0)
        place = derive_number(first, "item") + self._brief.draft + self._brief.attempt
        item = items[place % len(items)]
        written = self._write(item, context.document.title)
        quote = Quote(item.passage, item.sentence)
        checks = self._check(item, written, quote, context)
        work.update_evidence(checks=tuple(checks), quotes=(quote,))
        if item.rule:
            work.add_settings(rule=item.rule, change=item.change)
        work.require(checks)
        focus = tuple(found for found in context.focus if found.passage.id == item.passage)
        work.update_evidence(passages=focus)
        columns = columns_of(
            self._assignment,
            written,
            grounds=replace(context, focus=focus),
            quotes=(quote,),
            options=self._options,
            place=0,
            guessable=None,
        )
        return work.finish("annotated", columns)

    def _items(self, context: PassageContext) -> Iterator[_Item]:
        whole = [found.passage for found in context.document.passages]
        counts = _counted(tuple(passage.plain for passage in whole))
        for passage in (found.passage for found in context.focus):
            for sentence in iter_standalone_sentences(passage.plain) if _is_own(passage) else ():
                if sum(sentence in other.plain for other in whole) > 1:
                    continue
                if self._assignment.format == "cloze":
                    if found := make_cloze(sentence, counts):
                        yield _Item(
                            passage.id, sentence, found.text, word=found.word, hint=found.hint
                        )
                    continue
                # True statements are taken from the same sentences as false ones: nothing about
                # a sentence but what it says may tell which it is.
                for altered in iter_distractors(sentence):
                    if self._assignment.truth:
                        yield _Item(passage.id, sentence, sentence)
                    else:
                        yield _Item(
                            passage.id,
                            sentence,
                            altered.text,
                            rule=altered.rule,
                            change=altered.change,
                        )

    def _write(self, item: _Item, title: str) -> Written:
        pattern = _CLOZE if item.word else _STATEMENT
        you, named = (
            pattern.format(title=title, who=who, hint=item.hint, sentence=item.shown)
            for who in ("you are", f"{self._options.model_name} is")
        )
        if item.word:
            answer = f"The sentence reads: “{item.sentence}”"
        elif item.rule:
            answer = f"It is false; the sentence reads: “{item.sentence}”"
        else:
            answer = "It is true; the sentence stands there as it is."
        return Written(
            you=you,
            named=named,
            premise="",
            correction="",
            right=item.word,
            wrong=[],
            answer=answer,
            criteria=[f"It says {item.word!r}." if item.word else answer],
            accepted=[],
            quotes=[item.sentence],
        )

    def _check(
        self, item: _Item, written: Written, quote: Quote, context: PassageContext
    ) -> list[Check]:
        shown = written.model_copy(update={"you": item.shown, "named": item.shown})
        return [
            check_verbatim([quote], context.focus),
            check_phrasings(
                written, model_name=self._options.model_name, language=self._options.language
            ),
            check_blank(written, self._assignment),
            check_answer_hidden(shown, self._assignment),
            check_language(item.sentence, language=self._options.language),
        ]


# Every item of a run asks for those of the same constitution.
@lru_cache(maxsize=4)
def _counted(texts: tuple[str, ...]) -> Counter[str]:
    return count_word_documents(texts)


def _is_own(passage: Passage) -> bool:
    """Say whether a passage speaks in the document's own voice, and alone."""
    return passage.kind in _OWN_VOICE and passage.context is None
