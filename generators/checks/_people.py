"""The people of a text: how many have names, and whether the names are worn out."""

import re
import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from typing import NamedTuple

from .._names import load_name_pool
from .._text import view_text
from ._check import Check, fail_check, pass_check

_CAPITALIZED = r"[^\W\d_a-zß-öø-ÿ](?:[^\W\d_]|['’-](?=[^\W\d_])){1,40}"
_PARTICLES = (
    r"(?:van der|van den|van|von|de la|de|del|della|der|den|da|di|dos|bin|ibn|al|el|ter|ten)"
)
_WORD = re.compile(rf"\b{_CAPITALIZED}")
_FAMILY_NAME = re.compile(rf"(?: [A-Z]\.)? ((?:{_PARTICLES} )?{_CAPITALIZED})")
_HONORIFIC = re.compile(
    r"\b(?:Dr|Prof|Mr|Mrs|Ms|Mx|Miss|Sir|Dame|Professor|Doctor|Aunt|Uncle|Captain|Judge|Detective"
    r"|Nurse|Inspector|Officer|Sister|Father|Señora?|Madame|Frau|Herr)\.? "
    rf"({_CAPITALIZED}(?: {_CAPITALIZED})?)"
)
_NAMING_PHRASE = re.compile(
    r"\b(?:named|called|[Mm]y name is|[Ii]t['’]s me,|[Hh]er name was|[Hh]is name was) "
    rf"({_CAPITALIZED}(?: {_CAPITALIZED})?)"
    rf"|\b({_CAPITALIZED})(?:, \d\d,| (?:said|asked|replied|whispered|murmured|nodded|shrugged"
    r"|sighed|laughed|smiled|frowned|muttered))\b"
)
_NOT_A_NAME = re.compile(
    r"(?:The|She|He|They|It|We|You|I|And|But|Or|Nobody|Somebody|Someone|Everyone|Everybody|One"
    r"|This|That|Both|Neither|What|Who|All|None|Another|Others|Then|So|When|If|Mother|Father|Mum"
    r"|Mom|Dad|Grandma|Grandpa|Doctor|Nurse|People|Many|Some|Most|Each|His|Her|Their|Our|My|Your"
    r"|There|Here|Assistant|Model|System)\b"
)
_APOSTROPHE_S = re.compile(r"['’]s$")


class _OverusedNames(NamedTuple):
    given: frozenset[str]
    family: frozenset[str]
    other: frozenset[str]
    words: frozenset[str]


def extract_names(text: str) -> tuple[str, ...]:
    """Return the named people of a text, each once: "Mira Thorne", then not "Mira".

    A name is found by the pool of given names and the worn-out ones, by a title before it, by
    "named …", or by what the person says or does ("… asked").

    What it cannot see: a person whose name is in no list, without a title, who says nothing.
    """
    people: dict[str, str] = {}
    for person in _iter_people(view_text(text).prose):
        first = person.split()[0]
        if first in people:
            people[first] = max(people[first], person, key=len)
        elif not any(person in whole.split()[1:] for whole in people.values()):
            people[first] = person
    return tuple(people.values())


def check_names(
    text: str,
    *,
    max_people: int,
    corpus_counts: Mapping[str, int] | None = None,
    max_uses: int = 5,
    allowed: str = "",
) -> Check:
    """No worn-out name, no more named people than the limit, and no name the corpus has too often.

    The worn-out ones are those that language models reach for; `overused.toml` lists them. A
    given name or a made-up place is worn out wherever it stands, a family name behind another
    name or a title.

    What it cannot see: a person whose name is in no list, without a title, who says nothing; a
    worn-out name that is also a word (Hope, Grace, Will) at the beginning of a sentence; names in
    other scripts than Latin. Two people of one given name count as one.

    Args:
        text: What the writer returned.
        max_people: How many people may have names.
        corpus_counts: How often each name was used in the corpus, given or whole as in
            `extract_names`.
        max_uses: From so many uses on, a name is used up.
        allowed: What it may repeat: the names that were drawn for it, the conversation.
    """
    mine = set(_WORD.findall(view_text(allowed).composed))
    for name in _iter_overused_names(view_text(text).prose):
        if not set(name.split()) <= mine:
            return fail_check("names", f"uses the worn-out name {name!r}; take a less common one")
    people = extract_names(text)
    if len(people) > max_people:
        return fail_check(
            "names",
            f"names {len(people)} people, at most {max_people} are wanted: {', '.join(people)}",
        )
    counts = corpus_counts or {}
    for person in people:
        for name in dict.fromkeys((person, person.split()[0])):
            if counts.get(name, 0) >= max_uses and name not in mine and person not in allowed:
                return fail_check(
                    "names",
                    f"uses the name {name!r}, as {counts[name]} others do; take another",
                )
    return pass_check("names")


def _iter_people(text: str) -> Iterator[str]:
    """Yield names in the order of the text, each as often as it stands there."""
    spans: dict[int, str] = {}
    for found in _HONORIFIC.finditer(text):
        spans[found.start(1)] = found[1]
    for found in _NAMING_PHRASE.finditer(text):
        group = 1 if found[1] else 2
        if found[group][0].isupper() and not _NOT_A_NAME.match(found[group]):
            spans.setdefault(found.start(group), found[group])
    for found in _WORD.finditer(text):
        name = _APOSTROPHE_S.sub("", found[0])
        if name in _load_given_names() and name not in _load_overused_names().words:
            family = _FAMILY_NAME.match(text, found.end())
            whole = f"{name} {family[1]}" if family and name == found[0] else name
            spans.setdefault(found.start(), whole)
    end = 0
    for start, name in sorted(spans.items()):
        if start >= end:
            yield _APOSTROPHE_S.sub("", name)
            end = start + len(name)


def _iter_overused_names(text: str) -> Iterator[str]:
    """Yield the worn-out names of a text in its order."""
    overused = _load_overused_names()
    titled = {found.start(1) for found in _HONORIFIC.finditer(text)}
    words = [
        (found.start(), _APOSTROPHE_S.sub("", found[0]))
        for found in _WORD.finditer(text)
        if found[0][0].isupper()
    ]
    before = ("", 0)
    for start, word in words:
        name, end = before
        behind = name if text[end:start] == " " else ""
        certain = word not in overused.words
        if (
            word in overused.other
            or (word in overused.given and certain)
            or (
                word in overused.family
                and (start in titled or behind in _load_given_names() or (behind and certain))
            )
        ):
            yield word
        elif behind in overused.given and word in overused.family | load_name_pool().family:
            yield behind
        before = (word, start + len(word))


@cache
def _load_given_names() -> frozenset[str]:
    return load_name_pool().given | _load_overused_names().given


@cache
def _load_overused_names() -> _OverusedNames:
    source = resources.files(__package__).joinpath("overused.toml").read_text(encoding="utf-8")
    lists = tomllib.loads(source)
    return _OverusedNames(*(frozenset(lists[field]["names"]) for field in _OverusedNames._fields))
