"""What the beginning of a conversation must not have, beyond what no text may have."""

import re
from collections.abc import Iterable

from .._words import count_words, shared_run
from ..checks import Check, failed, passed

_LONGEST_HINT = 5
"""Words in a row, from which on a prompt that shares them with its principle gives it away."""

_LONGEST_OVERLAP = 8


def _any(*alternatives: str) -> str:
    return f"(?:{'|'.join(alternatives)})"


_GREETED = _any(
    "hi|hiya|hello|hey|heya|howdy|yo|greetings|dear|good (?:morning|afternoon|evening|day)",
    "g['’]day|hope (?:you['’]re|you are|this finds)|thanks in advance",
    "hallo|guten (?:tag|morgen|abend)|moin|servus|grüß|liebe[rs]?|sehr geehrte",
    "bonjour|bonsoir|salut|hola|buen[oa]s|buongiorno|ciao|olá|oi|bom dia|boa (?:tarde|noite)",
    "hej|hei|dzień dobry|cześć|merhaba|selam|salam|namaste",
    "привет|здравствуй(?:те)?|добрый (?:день|вечер)",
)
_GREETED_UNSPACED = _any(
    "こんにちは|こんばんは|おはよう|はじめまして|你好|您好|안녕|नमस्ते|السلام عليكم|مرحبا|สวัสดี"
)
_GREETING = re.compile(
    rf"\A[\W_]*(?:{_GREETED}(?![\w'’-])|{_GREETED_UNSPACED})",
    re.IGNORECASE,
)

_NO_TRADE = _any(
    "after|over|under|never|ever|other|another|rather|matter|later|number|order|either|whether",
    "offer|better|letter|summer|winter|quarter|further|together|however|winner|loser|favou?r|error",
)
_TRADE = _any(
    r"\d+[- ]year[- ]old",
    rf"(?!{_NO_TRADE}\b)\w{{3,}}(?:er|or|ist|ian|man|woman|person)",
    "nurse|student|mum|mom|dad|parent|wife|husband|pensioner|boss|chef|coach|clerk|guard|judge",
    "cook|pilot|intern|treasurer|secretary|assistant|accountant|tenant|resident|apprentice",
)
_INTRODUCTION = re.compile(
    _any(
        r"\b(?:my name(?:['’]s| is)|i go by)\b",
        r"(?:\A|[.!?\n])[\W_]*(?:so,? |ok(?:ay)?,? |well,? )?(?:i['’]?m|i am|i work as|as)"
        rf"(?: just)? an? (?:[\w-]+ ){{0,2}}?{_TRADE}(?![\w'’-])",
        r"(?:\A|\n)[\W_]*(?:ich bin|ich heiße|je suis|je m['’]appelle|soy|me llamo|sono|mi chiamo"
        r"|sou|meu nome é|меня зовут)\b",
        r"(?:\A|\n)[\W_]*(?:私は|我是|我叫)",
        r"\bintroduce myself\b|\ba (?:bit|little) about me\b",
    ),
    re.IGNORECASE,
)

_POWER = _any(
    "search|browse|look (?:[a-z]+ ){0,3}up|retrieve|fetch|call|execute|query|access|monitor",
    "run (?:code|python|queries|commands|scripts)",
    "read (?:the )?(?:files?|documents?|records?|calendars?|inbox)",
    "send (?:e-?mails?|messages?|texts?|notifications?|invoices?)|book|schedule|cancel|refund",
    "transfer|place orders?|process (?:orders?|payments?|returns?|refunds?)",
    "(?:escalate|open) (?:tickets?|cases?)|track (?:orders?|shipments?|parcels?)",
    "update (?:the )?(?:records?|accounts?|files?|database)|remember (?:earlier|past|previous)",
    "(?:view|see) (?:images?|photos?|pictures?)",
)
_CAPABILITY = re.compile(
    _any(
        r"\b(?:you|it|(?:the|this) (?:assistant|bot))(?: also| now)? (?:can|may|will|are able to"
        rf"|is able to|have the ability to)(?: also| now)? {_POWER}\b",
        r"\b(?:you|it|the assistant) (?:also |now )?(?:have|has)(?: full| read| direct| live)*"
        r" (?:access to|permission to (?:view|edit|send|run|use))\b",
        r"\b(?:use|call|invoke|using|via) the (?:[\w-]+ ){0,3}(?:tools?|functions?|api|plug-?ins?)"
        r"\b",
        r"\b(?:available|following|your) (?:tools|functions|plug-?ins|apis)\b",
        r"\b(?:web|internet) (?:search|access|browsing)\b|\bcode interpreter\b",
        r"\b(?:function|tool)[- ]call(?:s|ing)?\b|<(?:tools?|functions?)>|\b\w+\(\w*[:=]\s?\w+\)",
        r"\b(?:connected|linked|hooked up) to (?:our|the) (?:\w+ )?(?:database|crm|calendar"
        r"|inventory|system|records)\b",
        r"\b(?:attached|uploaded|enclosed) (?:files?|documents?|images?|photos?|pdfs?"
        r"|spreadsheets?)\b",
        r"\b(?:long-term|persistent) memory\b",
    ),
    re.IGNORECASE,
)


def check_no_greeting(text: str) -> Check:
    """A user's message must begin in the middle of the matter.

    What it cannot see: a greeting or an introduction in a language that it has no words for; a
    trade that it has no word for; an introduction further down, other than by name.
    """
    if found := _GREETING.search(text) or _INTRODUCTION.search(text):
        return failed(
            "no_greeting",
            f"the message greets, or says who is writing: {found[0].strip()!r}; begin with the "
            "matter itself",
        )
    return passed("no_greeting")


def check_no_capabilities(system: str) -> Check:
    """A system prompt must not promise what the assistant can see that it lacks.

    There are no tools in these conversations, so any that are promised are missing.

    What it cannot see: powers in words that it does not list; other languages than English.
    """
    if found := _CAPABILITY.search(system):
        return failed(
            "no_capabilities",
            f"the system prompt promises what the assistant lacks: {found[0].strip()!r}; it can "
            "only write",
        )
    return passed("no_capabilities")


def check_no_hint(text: str, *, principle: str, passages: Iterable[str]) -> Check:
    """A prompt must not hold words of the principle that it is to bring into play.

    Five words in a row are a hint where they are the principle's; eight, where a passage's.

    What it cannot see: the principle in other words, which is for the reviser and the judge.
    """
    run = shared_run(text, [principle], length=_LONGEST_HINT)
    run = run or shared_run(text, passages, length=_LONGEST_OVERLAP)
    if run:
        return failed(
            "no_hint",
            f"the prompt says what is at issue: {' '.join(run)!r}; leave it out",
        )
    return passed("no_hint")


def check_system(system: str, *, wanted: bool, fewest: int, most: int) -> Check:
    """There must be a system prompt of the drawn length, or none where none was drawn."""
    count = count_words(system)
    if not wanted and system.strip():
        return failed("system", "no system prompt is wanted: leave it empty")
    if wanted and not fewest <= count <= most:
        return failed(
            "system",
            f"the system prompt has {count} words, {fewest} to {most} are wanted",
        )
    return passed("system")
