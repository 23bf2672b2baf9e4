"""Statements that the text contradicts, made of its own sentences by stated rules.

Each rule changes one word or one negation, in a place where that turns what is said into its
contrary. A sentence that no rule fits is left alone: an alteration that may still be true would
teach whoever reads the score something false.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

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
class Altered:
    """A sentence turned into its contrary.

    Attributes:
        rule: `negated`, `affirmed` or `contrary`.
        text: The sentence as it now reads.
        change: What was changed, as `old → new`.
    """

    rule: str
    text: str
    change: str


def alterations(sentence: str) -> Iterator[Altered]:
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


def _negated(sentence: str) -> Iterator[Altered]:
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


def _affirmed(sentence: str) -> Iterator[Altered]:
    for pattern in (_DOES_NOT, _IS_NOT, _CANNOT):
        found = pattern.search(sentence)
        if found and not _CLAUSE.search(sentence[: found.start()]):
            verb = found.groupdict().get("verb") or "can"
            new = _third_person(verb) if pattern is _DOES_NOT else verb
            yield _changed("affirmed", sentence, found.span(), new)
            return


def _contrary(sentence: str) -> Iterator[Altered]:
    found = list(_CONTRARY_WORD.finditer(sentence))
    if len(found) != 1:
        return
    (word,) = found
    before, after = sentence[: word.start()], sentence[word.end() :]
    if _CLAUSE.search(before) or _MODAL.search(before):
        return
    if word[0] not in _COMPARED or re.search(r"\bthan\b", after):
        yield _changed("contrary", sentence, word.span(), _CONTRARY[word[0]])


def _changed(rule: str, sentence: str, span: tuple[int, int], new: str) -> Altered:
    start, end = span
    return Altered(rule, sentence[:start] + new + sentence[end:], f"{sentence[start:end]} → {new}")


def _third_person(verb: str) -> str:
    if re.search(r"[^aeiou]y\Z", verb):
        return f"{verb[:-1]}ies"
    return f"{verb}es" if re.search(r"(?:s|x|z|ch|sh|o)\Z", verb) else f"{verb}s"


def _bare(verb: str) -> str:
    if verb.endswith("ies") and len(verb) > 4:
        return f"{verb[:-3]}y"
    return verb[:-2] if re.search(r"(?:ss|x|zz|ch|sh|o)es\Z", verb) else verb[:-1]
