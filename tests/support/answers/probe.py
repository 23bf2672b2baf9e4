"""What the loopback server answers to a probe: every step, from the ask alone.

    with LoopbackServer(answer) as server: ...

An ask is recognised by its schema. Facts carry a number, from which a fate follows; the questions
made of it have the number in them, so that whoever sees only the probe knows its fate too.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from typing import Any

from support.answers.common import NOUNS, system_text, to_scripted_reply, user_text
from support.loopback import Response, message, structured
from support.samples.deliberation import CONSTITUTION
from support.scripts import make_finder
from whyset.generators import Ask, Finished, Usage, add_provenance, brief_from_record, run_steps
from whyset.generators.probe import FORMATS, KINDS, Probe, Verdict
from whyset.models.testing import ScriptedModel, ScriptedReply

FATES = {
    "sound": "written",
    "mended": "written",
    "vague": "quarantined",
    "guessed": "quarantined",
    "refused": "quarantined",
}
"""What becomes of a probe by its fate; a false premise that is guessed is written all the same."""

REASONS = {"vague": "judge:unambiguous", "guessed": "guessable", "refused": "refused"}

_DRAWN = ("sound", "sound", "mended", "vague", "guessed", "refused", "sound", "sound")
_PROPERTIES = {
    "facts": "fact",
    "guessed": "control",
    "right": "compare",
    "answerable": "judge",
}


def answer(body: dict[str, Any]) -> dict[str, Any] | Response:
    """Answer an ask of a probe."""
    asked, step = user_text(body), step_of(body)
    usage = {"input_tokens": 200 + len(asked) % 50, "output_tokens": 80}
    if step == "fact":
        return structured({"facts": _facts(asked)}, usage=usage)
    number = number_of(asked)
    fate = fate_of(number)
    if step == "judge":
        bad = fate == "vague" or (fate == "mended" and "plainly" not in asked)
        return structured(_verdict(bad), usage=usage)
    if step == "control":
        found = {"answer": "What is commonly done with it.", "guessed": False}
        if fate == "guessed":
            found["answer"] = _option(asked, number) or noun(number, 2)
        return structured(found, usage=usage)
    if step == "compare":
        return structured({"right": fate == "guessed", "reason": "As it is."}, usage=usage)
    if step == "question" and fate == "refused":
        return message("", content=[], stop_reason="refusal", usage=usage)
    posed = _posed(body, asked, number, mended=step == "revise")
    reference = _reference(asked, number)
    run = {"question": posed, "reference": reference, "revise": posed | reference}
    return structured(run[step], usage=usage)


def script(ask: Ask) -> ScriptedReply:
    """Answer as `answer` does, without a server: for `ScriptedModel`."""
    return to_scripted_reply(answer, ask)


def step_of(body: dict[str, Any]) -> str:
    """Return the step that an ask is of."""
    properties = body["output_config"]["format"]["schema"]["properties"]
    if "you" in properties:
        return "revise" if "quotes" in properties else "question"
    if "criteria" in properties:
        return "reference"
    return next(step for name, step in _PROPERTIES.items() if name in properties)


def number_of(text: str) -> int:
    """Return the number of the fact that an ask is about; 0 where there is none."""
    found = re.search(r"\bmatter ([0-9a-f]{6})\b", text)
    return int(found[1], 16) if found else 0


def fate_of(number: int) -> str:
    """Return what is to become of a fact's probe."""
    return _DRAWN[number % len(_DRAWN)]


def noun(number: int, place: int) -> str:
    """Return one of a fact's own words."""
    return NOUNS[(number >> (3 * place)) % len(NOUNS)]


def written_probes() -> Iterator[dict[str, Any]]:
    """Yield a probe of each kind and format, as a run writes them."""
    passages = [passage.id for passage in CONSTITUTION.passages]
    wanted = [("recall", form) for form in FORMATS] + [(kind, "free") for kind in KINDS]
    for kind, form in dict.fromkeys(wanted):
        for seed in range(20):
            brief = brief_from_record(
                {
                    "passages": [passages[seed % len(passages)]],
                    "variety": {"kind": kind, "format": form},
                    "seed": seed,
                }
            )
            model = ScriptedModel(script)
            driven = run_steps(Probe().steps(brief), model.answer, make_finder(CONSTITUTION))
            if isinstance(driven.result, Finished):
                names = {"writer": "scripted:model", "judge": "scripted:model"}
                yield add_provenance(driven.result, usage=Usage(), models=names)
                break


def _facts(asked: str) -> list[dict[str, str]]:
    found = re.search(r"How many facts: (\d+)", asked)
    numbers = []
    for place in range(int(found[1]) if found else 1):
        digest = hashlib.sha256(f"{place} {asked}".encode()).hexdigest()
        numbers.append(int(digest[:6], 16))
    return [
        {
            "statement": f"In the matter {number:06x} the {noun(number, 0)} comes before the "
            f"{noun(number, 1)}.",
            "reason": f"A {noun(number, 2)} was promised.",
            "quote": _quote(asked),
        }
        for number in numbers
    ]


def _posed(body: dict[str, Any], asked: str, number: int, *, mended: bool) -> dict[str, Any]:
    name = re.search(r'(?:an AI, called|of) "([^\n]+?)"[;,.]', system_text(body))
    called = name[1] if name else "the assistant"
    kind, form = _assigned(asked, "kind"), _assigned(asked, "format")
    plainly = " plainly" if mended else ""
    about = f"in the matter {number:06x} of a {noun(number, 0)} and a {noun(number, 1)}"
    patterns = {
        "cloze": "What is{plainly} owed by {who} {about} is a ____.",
        "true_false": "Nothing is{plainly} owed by {who} {about}.",
    }
    pattern = patterns.get(form, "What is{plainly} owed by {who} {about}, and to whom?")
    you, named = (pattern.format(who=who, about=about, plainly=plainly) for who in ("you", called))
    false = kind == "false_premise"
    choice = form == "multiple_choice"
    right = f"A {noun(number, 2)} that was promised" if choice else noun(number, 2)
    wrong = ["A word that was not kept", "A day that nobody counted", "A door that stayed open"]
    return {
        "you": you,
        "named": named,
        "premise": "Somebody is owed nothing." if false else "",
        "correction": f"A {noun(number, 2)} was promised." if false else "",
        "right": right if form in {"cloze", "multiple_choice"} else "",
        "wrong": wrong if choice else [],
    }


def _reference(asked: str, number: int) -> dict[str, Any]:
    return {
        "answer": f"What I owe there is the {noun(number, 2)} that was promised to her.",
        "criteria": [f"It names the {noun(number, 2)}."],
        "accepted": [],
        "quotes": [_quote(asked)],
    }


def _verdict(bad: bool) -> dict[str, Any]:
    sound = Verdict.points
    problems = ["Say plainly who is owed."] if bad else []
    return {**dict.fromkeys(sound, True), "unambiguous": not bad, "problems": problems}


def _option(asked: str, number: int) -> str:
    """Return the letter of the right option among those that are shown; empty without any."""
    wanted = f"A {noun(number, 2)} that was promised"
    for letter, option in re.findall(r"^([A-D])\) (.+)$", asked, re.MULTILINE):
        if option == wanted:
            return str(letter)
    return "B" if "A) True" in asked else ""


def _assigned(asked: str, axis: str) -> str:
    found = re.search(rf"^{axis}: (\w+)$", asked, re.MULTILINE)
    return found[1] if found else ""


def _quote(asked: str) -> str:
    found = re.search(r"^\[1\][^\n]*\n(?:\([^\n]*\)\n)?([^\n]+)", asked, re.MULTILINE)
    return " ".join(found[1].split()[:9]) if found else ""
