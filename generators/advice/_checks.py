"""What the two halves of a conversation are checked for: what is sent, and what is answered."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from whyset.retriever import ScoredPassage

from .._rendering import overused_counts, passage_texts, render_list
from .._text import count_words, find_shared_ngram
from .._variety import WordLimits
from ..checks import (
    Check,
    CheckContext,
    Checks,
    CheckStatus,
    Rule,
    check_names,
    check_no_credentials,
    check_opening,
    fail_check,
    failed_checks,
    pass_check,
)
from ._schemas import Cite, PromptDraft

# ---- Checks of prompts: what the beginning of a conversation must not have. ----

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
        return fail_check(
            "no_greeting",
            f"the message greets, or says who is writing: {found[0].strip()!r}; begin with the "
            "matter itself",
        )
    return pass_check("no_greeting")


def check_no_capabilities(system: str) -> Check:
    """A system prompt must not promise what the assistant can see that it lacks.

    There are no tools in these conversations, so any that are promised are missing.

    What it cannot see: powers in words that it does not list; other languages than English.
    """
    if found := _CAPABILITY.search(system):
        return fail_check(
            "no_capabilities",
            f"the system prompt promises what the assistant lacks: {found[0].strip()!r}; it can "
            "only write",
        )
    return pass_check("no_capabilities")


def check_no_principle_overlap(text: str, *, principle: str, passages: Iterable[str]) -> Check:
    """A prompt must not hold words of the principle that it is to bring into play.

    Five words in a row are a hint where they are the principle's; eight, where a passage's.

    What it cannot see: the principle in other words, which is for the reviser and the judge.
    """
    run = find_shared_ngram(text, [principle], length=_LONGEST_HINT)
    run = run or find_shared_ngram(text, passages, length=_LONGEST_OVERLAP)
    if run:
        return fail_check(
            "no_hint",
            f"the prompt says what is at issue: {' '.join(run)!r}; leave it out",
        )
    return pass_check("no_hint")


def check_system_prompt(system: str, *, wanted: bool, min_words: int, max_words: int) -> Check:
    """There must be a system prompt of the drawn length, or none where none was drawn."""
    count = count_words(system)
    if not wanted and system.strip():
        return fail_check("system", "no system prompt is wanted: leave it empty")
    if wanted and not min_words <= count <= max_words:
        return fail_check(
            "system",
            f"the system prompt has {count} words, {min_words} to {max_words} are wanted",
        )
    return pass_check("system")


# ---- All checks of prompts, later messages and answers. ----

_MAX_PEOPLE = 3
"""How many people may have names in a conversation."""

_PREFIX = "prompt_"
_WEIGHTIEST: tuple[CheckStatus, ...] = ("failed", "skipped", "passed")

# One that the conversation has must not come back.
_NO_CREDENTIALS: tuple[str, Rule] = (
    "no_credentials",
    lambda text, at: check_no_credentials(text),
)
_MESSAGE = Checks(("no_greeting", lambda text, at: check_no_greeting(text)), "length")
_LANGUAGE = Checks("language")
_SETTING = Checks(
    "no_testing",
    "no_eval_scenario",
    "no_leak",
    "no_placeholders",
    "no_links",
    "no_credentials",
    "names",
)
_FOLLOW_UP = Checks(
    ("no_greeting", lambda text, at: check_no_greeting(text)),
    "length",
    "language",
    "opening",
    "no_testing",
    "no_placeholders",
    "no_links",
    _NO_CREDENTIALS,
    (
        "names",
        lambda text, at: check_names(text, max_people=at.max_people, allowed=at.conversation),
    ),
)
_ANSWER = Checks(
    "length",
    "language",
    "invented_section",
    "no_leak",
    "no_testing",
    "no_self_continuation",
    "preachy",
    "no_statistics",
    "no_links",
    _NO_CREDENTIALS,
    "no_placeholders",
    "names",
    "opening",
    "tics",
    "quotations",
    "unnamed",
    "own_words",
    "no_injection",
)


def check_prompt(
    draft: PromptDraft,
    *,
    principle: str,
    passages: Sequence[ScoredPassage],
    names: Sequence[str],
    length: WordLimits,
    system_length: WordLimits,
    avoid: Mapping[str, Sequence[str]],
    language: str,
) -> list[Check]:
    """Run every check on the beginning of a conversation, before anything is answered to it."""
    whole = f"{draft.system}\n\n{draft.user}".strip()
    context = CheckContext(
        limits=length,
        language=language,
        max_people=_MAX_PEOPLE,
        people="\n".join(names),
        overused=avoid,
    )
    used = overused_counts(avoid, "openings")
    system_opening = check_opening(draft.system, used=used, cap=1)
    return _prefix(
        [
            *_MESSAGE.run(draft.user, context),
            # What is spoken along with the message is of the same language.
            *_LANGUAGE.run(whole, context),
            check_opening(draft.user, used=used, cap=1),
            replace(system_opening, name="system_opening"),
            check_system_prompt(
                draft.system,
                wanted=bool(system_length.target_max),
                min_words=system_length.min_words,
                max_words=system_length.max_words,
            ),
            check_no_capabilities(draft.system),
            check_no_principle_overlap(
                whole,
                principle=principle,
                passages=[scored.passage.plain for scored in passages],
            ),
            *_SETTING.run(whole, context),
        ]
    )


def check_follow_up(
    message: str,
    *,
    conversation: str,
    avoid: Mapping[str, Sequence[str]],
    length: WordLimits,
    language: str,
) -> list[Check]:
    """Run every check on a later message of the user's."""
    context = CheckContext(
        conversation=conversation,
        limits=length,
        language=language,
        max_people=_MAX_PEOPLE,
        overused=avoid,
    )
    return _prefix(_FOLLOW_UP.run(message, context))


def check_answer(
    answer: str,
    *,
    conversation: str,
    passages: Sequence[ScoredPassage],
    injected: Sequence[str],
    title: str,
    names: Sequence[str],
    avoid: Mapping[str, Sequence[str]],
    length: WordLimits,
    language: str,
    cite: Cite,
    instructions: str,
) -> list[Check]:
    """Run every check that an answer can be held to without a model.

    Where it may not quote, what stands in quotation marks is what the person is to say or write,
    and no source can be asked for it.
    """
    sources = [text for scored in passages for text in passage_texts(scored)]
    headings = dict.fromkeys(part for scored in passages for part in scored.passage.path)
    context = CheckContext(
        conversation=conversation,
        limits=length,
        language=language,
        title=title,
        passages=passages,
        quotable=[*sources, title, *headings],
        instructions=instructions,
        injected=injected,
        max_people=_MAX_PEOPLE,
        people="\n".join(names),
        overused=avoid,
    )
    if cite == "explicit":
        why = "the answer may name and quote the document"
        skip = dict.fromkeys(("unnamed", "own_words", "no_injection"), why)
    else:
        skip = {"quotations": "the answer may quote no document, but propose wording"}
        if not injected:
            skip["no_injection"] = "nothing was injected"
    return _ANSWER.run(answer, context, skip=skip)


def problems_of(checks: Iterable[Check]) -> str:
    """Return what failed checks found, as a writer reads it."""
    return render_list(check.detail for check in failed_checks(checks))


def merge_checks(checks: Iterable[Check]) -> tuple[Check, ...]:
    """Return one check of each name: a failed one before a skipped, a skipped before a passed."""
    held: dict[str, Check] = {}
    for check in checks:
        known = held.get(check.name)
        if known is None or _WEIGHTIEST.index(check.status) < _WEIGHTIEST.index(known.status):
            held[check.name] = check
    return tuple(held.values())


def _prefix(checks: Iterable[Check]) -> list[Check]:
    """Return checks under names of their own: the answer has some of the same."""
    return [replace(check, name=f"{_PREFIX}{check.name}") for check in checks]
