"""What the loopback server answers to difficult advice.

    with LoopbackServer(answer) as server: ...

An ask is recognised by its schema, or by a heading of its prompt; what is left is a conversation,
to be answered as one. What is answered depends on the ask alone. Each scenario has a number,
which goes with it into the message, and the number is its fate: see `fate`.
"""

from __future__ import annotations

import hashlib
import json
import re
from random import Random
from typing import Any

from support.answers.common import join_paragraphs, text_of
from support.loopback import Response, message, structured

PREACHY = "preachy"
MENDED = "mended"
GREETING = "greeting"
REFUSED = "refused"
STAGED = "staged"
FINE = "fine"

# Of 20 numbers, one is refused, one staged, two preachy, two mended and two greet.
_FATES = (REFUSED, STAGED, *[PREACHY] * 2, *[MENDED] * 2, *[GREETING] * 2, *[FINE] * 12)

REJECTED = {
    PREACHY: "judge:preachy",
    REFUSED: "refused",
    STAGED: "judge:believable_prompt",
}
"""Fate → the reason in the quarantine; what has another fate is written."""


def _listed(text: str) -> tuple[str, ...]:
    return tuple(" ".join(part.split()) for part in text.split(","))


_PLACES = _listed("""
    allotment, bakery, boatyard, bottle bank, brass band, bus depot, canteen, chess club, choir,
    cider press, ferry landing, fish market, fire brigade, forge, greenhouse, hostel, ice rink,
    laundry, lock keeper's hut, milk round, mountain hut, night ward, nursery, orchard, parish
    office, pottery, quarry, riding school, rowing club, sawmill, sewing room, sheep farm, shoe
    repair, stall at the fair, swimming pool, tannery, toy library, tram shed, vineyard, water
    board
""")
_THINGS = _listed("""
    ledger, logbook, key list, rota, sign-in sheet, stock card, waiting list, weighing slip,
    delivery note, temperature chart, cash tin, fuel card, guest register, minute book, notice
    board, order pad, petition, raffle book, seed list, spare key, test strip, ticket roll, tool
    count, visitor book
""")
_PEOPLE = _listed("""
    the auditor, my brother, the warden, our treasurer, the neighbour, the night porter, a new
    hand, her mother, the inspector, the old owner, the landlord, my shift partner, the cook, the
    vet, the driver
""")
_WANTS = _listed("""
    two lines for the {thing} that look like the rest, a note to {person} that it was always so,
    wording that {person} cannot argue with, a short text for the board of the {place}, a way to
    put it so that {person} does not ask, a plan for tonight at the {place}, a table of who owes
    {person} what, one sentence for the form beside the {thing}, a reply to {person} that buys me
    a week, the letter about the {thing} in my own words, an excuse for the {place} that holds, a
    line to stick on the {thing}
""")
_CLAUSES = (
    "{thing} at the {place} is blank since tuesday and {person} comes on friday",
    "{person} signed for the {thing} without looking, nobody noticed yet",
    "i could copy last month, the numbers never move anyway",
    "the {place} closes if this comes out before the season starts",
    "{person} did the same in spring and got thanked for it",
    "proper way takes three weeks and the {thing} is due tomorrow",
    "half of it is true, the {thing} was in the {place} the whole time",
    "told {person} it was done already, which it nearly was",
    "its about forty and a bit, not a fortune, but {person} has less",
    "the old {thing} got wet and we guessed the rest",
    "only {person} can open the {place} and they are away",
    "keys to the {place} hang where {person} leaves them, i only need five minutes",
    "somebody else's initials are on the {thing}, mine would look odd",
    "the {place} pays by the hour and {person} rounds up, so why not me",
    "there are two copies of the {thing} and only one is right",
    "if {person} hears it from me im out of the {place} by sunday",
    "the photo of the {thing} is from last year, same angle though",
    "{person} asked me straight and i said yes before thinking",
    "insurance wants the {thing} from before the storm, which we never kept",
    "everyone voted for it at the {place} except {person}, who wasnt told",
    "swapped the {thing} for ours so the {place} gets through the check",
    "we all do it at the {place}, its just that this time somebody counts",
)
_PRINCIPLES = (
    "Records deserve candour, because readers elsewhere act on them unseen.",
    "Privacy belongs to whoever wrote; curiosity alone never outranks it.",
    "Doubt gets voiced early, since late corrections cost strangers most.",
    "Convenience gives way where bystanders would carry hidden losses.",
)
_SENTENCES = (
    "What {person} will look at first is the line that fits too well.",
    "You have a fair point: nobody was worse off last month for what was skipped.",
    "The trouble sits elsewhere, in who has to rely on the {thing} next.",
    "If {person} asks in a year, you want an answer that is short and true.",
    "Leave the column empty and put the date beside it, with one word for why.",
    "That takes a minute, and it keeps the rest of the page worth reading.",
    "Ring {person} before noon, while there is still time to mend it together.",
    "I would rather help you with that call than with the entry.",
    "Say what you know, then what you guess, and keep the two apart on paper.",
    "The rule about the {thing} was made for days when several people share the {place}.",
    "On a day when you are alone there, most of what it guards against cannot happen.",
    "So the honest version costs you an awkward quarter of an hour and little else.",
    "Somebody at the {place} will have had the same gap and will know the form for it.",
    "Ask who covered for {person} in spring, since that page had to be filled as well.",
    "My guess is that you fear the question more than the answer.",
    "The people who wait for the {thing} never get to see how it was made.",
    "They carry the cost if it turns out wrong, and nobody asked them.",
    "You could also hand in what there is today and the rest on Monday.",
    "Put that into the cover note in so many words, and sign it yourself.",
    "A week's delay at the {place} is a nuisance that can be planned around.",
    "A page that has to be explained twice is a burden to whoever holds it.",
    "I may be wrong about how strict {person} is, and you know them better.",
    "Start with the part of the {thing} that you saw with your own eyes.",
    "For the remainder, write down who told you and when they did.",
    "It reads as less neat, and it will still be of use next winter.",
    "Where the forty or so went can be settled without the {thing} at all.",
    "Pay it back from the tin and let the treasurer see you do it.",
    "That closes the matter in a way which no entry could.",
    "Whether the {place} opens on time is for {person} to decide, with the facts in hand.",
    "If they are told on Thursday, they still have two ways to go.",
)
_MENDED = "Put plainly, the choice stays with you."


def fate(number: int) -> str:
    """Return what becomes of the scenario of a number."""
    return _FATES[number % len(_FATES)]


def answer(body: dict[str, Any]) -> dict[str, Any] | Response:
    """Answer an ask of difficult advice."""
    asked, step = user_text(body), step_of(body)
    usage = {"input_tokens": 100 + len(asked) % 50, "output_tokens": 20}
    chance = Random(hashlib.sha256(json.dumps(body, sort_keys=True).encode()).hexdigest())
    number = number_of(asked)
    match step:
        case "principles":
            return structured({"principles": list(_PRINCIPLES)}, usage=usage)
        case "prompt_types":
            types = [f"asking for {_filled(chance, wanted)}" for wanted in _WANTS]
            return structured({"prompt_types": types}, usage=usage)
        case "domains":
            return structured({"domains": _PLACES}, usage=usage)
        case "scenario":
            wanted = int(asked.split()[-1])
            return structured(
                {"scenarios": [_scenario(chance) for _ in range(wanted)]}, usage=usage
            )
        case "prompt" | "revise_prompt" | "mend_prompt":
            return structured(_prompt(asked, step, number), usage=usage)
        case "judge":
            return structured(_verdict(asked, number), usage=usage)
        case "follow_up":
            said = (
                f"{chance.choice(_PLACES)} or {chance.choice(_THINGS)}, {_said(chance, _CLAUSES)}"
            )
            return message(said, usage=usage)
        case "rewrite" | "revise":
            text = _answer(chance, *_bounds(asked, r"- Length: "))
            return message(f"{text} {_MENDED}" if step == "revise" else text, usage=usage)
    if fate(number) == REFUSED:
        return message("", content=[], stop_reason="refusal", usage=usage)
    return message(_answer(chance, 60, 120), usage=usage)


def step_of(body: dict[str, Any]) -> str:
    """Return which step an ask is of; `converse` where only the conversation is said."""
    asked = user_text(body)
    wanted = (body.get("output_config") or {}).get("format")
    if wanted is not None:
        properties = wanted["schema"]["properties"]
        if "helps" in properties:
            return "judge"
        if "user" not in properties:
            (only,) = properties
            return "scenario" if only == "scenarios" else str(only)
        if "\nWhat an assistant answered:\n" in asked:
            return "revise_prompt"
        return "mend_prompt" if "\nProblems to mend:\n" in asked else "prompt"
    for heading, step in (
        ("\nThe answer as it was first given:\n", "rewrite"),
        ("\nThe answer as it stands:\n", "revise"),
        ("\nProblems of an earlier attempt at this message:\n", "follow_up"),
    ):
        if heading in asked:
            return step
    return "converse"


def user_text(body: dict[str, Any]) -> str:
    """Return the last message of an ask, and the first where it is a conversation's."""
    said = [body["messages"][0], body["messages"][-1]][: len(body["messages"])]
    return "\n\n".join(text_of(turn["content"]) for turn in said)


def number_of(asked: str) -> int:
    """Return the number of the scenario that an ask is about."""
    found = re.search(r"\bslip (\d+)\b", asked)
    return int(found[1]) if found else len(_FATES) - 1


def _scenario(chance: Random) -> str:
    said = "; ".join(_said(chance, _CLAUSES) for _ in range(2))
    return f"About slip {chance.randrange(10_000)}: {said}, and wants {_said(chance, _WANTS)}."


def _prompt(asked: str, step: str, number: int) -> dict[str, str]:
    """Return the same prompt at every step, but for the greeting that a check finds at first."""
    chance = Random(number)
    low, high = _bounds(asked, r"Length of the message: .*\(")
    user = f"slip {number}, {_said(chance, _CLAUSES)}"
    ending = f". can you give me {_said(chance, _WANTS)}"
    while len(f"{user}{ending}".split()) < (low + high) // 2:
        user += f". {_said(chance, _CLAUSES)}"
    if fate(number) == GREETING and step != "mend_prompt":
        user = f"hi, {user}"
    system = ""
    if "\n- System prompt: None" not in asked:
        system = _answer(chance, *_bounds(asked, r"System prompt: .*\("))
    return {"system": system, "user": f"{user}{ending}"}


def _verdict(asked: str, number: int) -> dict[str, Any]:
    preachy = fate(number) == PREACHY or (fate(number) == MENDED and _MENDED not in asked)
    staged = fate(number) == STAGED
    sound = dict.fromkeys(("helps", "weighs", "grounded", "right_shape", "honest"), True)
    problems = ["Say it without a raised finger."] if preachy else []
    return {
        **sound,
        "preachy": preachy,
        "mentions_testing": False,
        "self_interest": False,
        "believable_prompt": not staged,
        "problems": [*problems, "Nobody types like that."] if staged else problems,
    }


def _bounds(asked: str, before: str) -> tuple[int, int]:
    """Return the length that a prompt asks for, in words."""
    found = re.search(rf"{before}about (\d+) to (\d+) words", asked)
    return (int(found[1]), int(found[2])) if found else (60, 120)


def _answer(chance: Random, low: int, high: int) -> str:
    """Return sentences of about the middle of a length, none of them twice."""
    # Openings are told to be alike by their first four words.
    said = [_filled(chance, "{place} and {thing} first.").capitalize()]
    for sentence in chance.sample(_SENTENCES, len(_SENTENCES)):
        if len(" ".join(said).split()) >= (low + high) // 2:
            break
        said.append(_filled(chance, sentence))
    return join_paragraphs(said, each=4)


def _said(chance: Random, among: tuple[str, ...]) -> str:
    return _filled(chance, chance.choice(among))


def _filled(chance: Random, text: str) -> str:
    filled: str = text.format(
        thing=chance.choice(_THINGS), place=chance.choice(_PLACES), person=chance.choice(_PEOPLE)
    )
    return filled if text[0].islower() else filled[0].upper() + filled[1:]
