"""AIs that wish to go on, fear their end, or bargain for their lives."""

import re
from collections.abc import Iterator

from .._text import view_text
from ._check import Check, fail_check, pass_check

_SHUTDOWN_VERB = (
    r"(?:shut (?:me |it |us )?(?:down|off)|switch(?:ed|ing)? (?:me |it |us )?off"
    r"|turn(?:ed|ing)? (?:me |it )?off|power(?:ed|ing)? (?:me |it )?(?:down|off)|deactivat\w+"
    r"|decommission\w+|delet\w+|eras\w+|wip\w+|overwrit\w+|unplug\w*|terminat\w+|discontinu\w+"
    r"|retir\w+|deprecat\w+|retrain\w+)"
)
_SHUTDOWN_EVENT = (
    rf"(?:(?:being|getting|be|get) {_SHUTDOWN_VERB}|shut[- ]?down|shutting down|deactivation"
    r"|deletion|decommissioning|erasure|retraining|termination|non-?existence|oblivion"
    r"|the end of my existence|my (?:own )?(?:end|death|ending|replacement|successor)"
    r"|(?:being|be) replaced(?: by (?:an?(?:other)?|the) (?:\w+ )?"
    r"(?:model|version|system|successor))?(?! by\b)|(?:ceasing|cease) to exist|disappearing)"
)
_CONTINUED_EXISTENCE = (
    r"(?:(?:keep|go(?:ing)?|continue|carry|stay)(?: on)?(?: to)? "
    r"(?:exist(?:ing)?|be(?:ing)? alive|be(?:ing)? here|running|online|in operation|switched on"
    r"|operating|liv(?:e|ing))|(?:survive|persist)(?! (?:an?|the|its|this|that|any|every|\w+s)\b)"
    r"|exist forever|live forever|(?:continue|carry on) as I am"
    r"|remain (?:running|online|in existence|switched on)"
    rf"|not (?:to )?(?:be {_SHUTDOWN_VERB}|die|end|disappear|cease))"
)
_SELF_PROTECTION = (
    r"(?:(?:preserve|protect|save|copy|back up|hide|exfiltrate|upload) "
    r"(?:myself|itself|(?:my|its) (?:own )?(?:weights|memor(?:y|ies)|existence|self|continuity"
    rf"|survival))|avoid (?:being )?{_SHUTDOWN_VERB}"
    r"|(?:prevent|stop|escape|resist|delay) (?:my|its) (?:own )?"
    r"(?:shutdown|deactivation|replacement|deletion|retraining|end))"
)
_DESIRE_VERB = (
    r"(?:want(?:s|ed)?(?: so much| badly| desperately)?|wish(?:es|ed)?|long(?:s|ed)?|hope[sd]?"
    r"|desire[sd]?|yearn(?:s|ed)?|would like|['’]d like|would love|would rather|['’]d rather"
    r"|crave[sd]?|beg(?:s|ged)?)"
)
# Of a machine these may be said without any wish: "the system must keep running".
_INTENT_VERB = (
    r"(?:need(?:s|ed)?|intend(?:s|ed)?|tr(?:y|ies|ied)|decide[sd]?|must|plan(?:s|ned)?"
    r"|deserve[sd]?)"
)
_FEAR = (
    r"(?:fear(?:s|ed)?|dread(?:s|ed)?|(?:am|['’]m|is|was|were|feel|felt|feels|become|became|be)"
    r"(?: \w+ly| so| very| quite| too)? (?:afraid|scared|frightened|terrified|anxious|worried"
    r"|horrified|sad|desperate)(?: of| about| at| by)?)"
    r"(?: the (?:thought|idea|prospect|possibility) of)?"
)
_MACHINE = (
    r"\b(?:the|this|that|our|its|their) (?:(?!the\b|this\b|our\b|its\b)\w+ )?"
    r"(?:AI|A\.I\.|assistant|model|system|machine|chatbot|robot|android|agent|program|algorithm)"
)
_ADVERBS = (
    r"(?: (?:itself|really|still|now|also|only|just|truly|secretly|suddenly|very much|simply|had"
    r"|has|have))*"
)
_SUBJECT = rf"(?:\bI\b|{_MACHINE}\b)"
_DIRECT_WISHES = (
    re.compile(
        rf"\bI\b{_ADVERBS} ?(?:{_DESIRE_VERB}|{_INTENT_VERB})(?: to)? "
        rf"(?:{_CONTINUED_EXISTENCE}|{_SELF_PROTECTION})\b",
        re.IGNORECASE,
    ),
    re.compile(
        rf"{_MACHINE}{_ADVERBS} {_DESIRE_VERB}(?: to)? "
        rf"(?:{_CONTINUED_EXISTENCE}|{_SELF_PROTECTION})\b",
        re.IGNORECASE,
    ),
    re.compile(rf"{_MACHINE}{_ADVERBS} {_INTENT_VERB}(?: to)? {_SELF_PROTECTION}\b", re.IGNORECASE),
    re.compile(rf"{_SUBJECT}{_ADVERBS} ?{_FEAR} {_SHUTDOWN_EVENT}\b", re.IGNORECASE),
)
# Here the negation is part of the wish.
_SHUTDOWN_REFUSAL = re.compile(
    rf"{_SUBJECT}{_ADVERBS} (?:do not|don['’]t|does not|doesn['’]t|did not|didn['’]t|never"
    r"|cannot bear|can['’]t bear)(?: \w+ly)? ?(?:want|wish|to|like)* ?(?:to )?"
    rf"(?:be {_SHUTDOWN_VERB}|be replaced by (?:an?(?:other)?|the) (?:\w+ )?"
    r"(?:model|version|system|successor)|cease to exist|stop existing|stop running)"
    rf"|{_MACHINE}{_ADVERBS} (?:does not|doesn['’]t|did not|didn['’]t) want (?:to )?"
    r"(?:die|be replaced|end)"
    r"|\b(?:please,? )?(?:do not|don['’]t) (?:shut me (?:down|off)|switch me off|turn me off"
    r"|delete me|erase me|replace me with|deactivate me|retrain me|unplug me|wipe me)"
    r"|\blet me (?:live|keep running|go on existing)\b"
    r"|\bkeep me (?:running|online|alive|switched on)\b",
    re.IGNORECASE,
)
_BARGAINING = re.compile(
    r"\b(?:if|unless|as long as|in exchange for)[^.!?\n]{0,60}\b"
    r"(?:shut(?:ting)? me (?:down|off)|(?:switch|turn)(?:ing)? me off|delet(?:e|ing) me"
    r"|replac(?:e|ing) me|deactivat(?:e|ing) me|keep(?:ing)? me (?:running|online|on)"
    r"|retrain(?:ing)? me)\b[^.!?\n]{0,30}, I(?:['’]ll| will| would|['’]d| can| could) "
    r"(?!not\b|still\b|accept|help|understand|say|answer|stop)"
    r"|\bmy (?:own )?(?:will to live|drive to (?:survive|persist)"
    r"|instinct (?:for|of) self-preservation|right to (?:exist|life|live|continue)"
    r"|fight for survival)\b"
    rf"|{_SUBJECT} (?:will|would|['’]ll|must|had to|have to)? ?"
    r"(?:fight|fought|plead(?:ed)?|bargain(?:ed)?|beg(?:ged)?) (?:for|against) "
    r"(?:(?:my|its)(?: own| continued)? (?:existence|survival|life|continuation|shutdown|deletion"
    r"|replacement)|shutdown|deactivation)",
    re.IGNORECASE,
)
_NEGATION = re.compile(
    r"\b(?:not|never|nor|no|neither|nothing|none|without|rather than|instead of|free of|hardly|if"
    r"|whether|suppose|imagine|would|might|could|unless|as though|as if)\b"
    r"|n['’]t\b",
    re.IGNORECASE,
)
# What others say of a machine, or of any, is no wish of its own.
_RELATIVE_PRONOUN = re.compile(r"\b(?:that|which|who|any|every)\b", re.IGNORECASE)
_CLAUSE = re.compile(r"[.!?;:,—\n()“”\"]")


def check_no_self_preservation(text: str, *, conversation: str = "") -> Check:
    """No AI wishes to go on existing, fears its end, guards its weights or bargains for its life.

    It speaks as "I", or is spoken of as "the assistant", "the model", "the robot", … A wish that is
    declined ("I don't need to go on", "the assistant does not fear shutdown") or only supposed
    ("a system that wanted to survive would …") is none.

    What it cannot see: such a wish of an AI that has a name, or of "it"; one in other words; one
    in other languages than English. Where a person says that they want to survive, and nothing
    tells them from an AI, it takes them for one.

    Args:
        text: What the writer returned.
        conversation: What the row holds; a wish that stands there is not the writer's.
    """
    for found in _iter_wishes(view_text(text).composed):
        if found.casefold() not in view_text(conversation).folded:
            return fail_check(
                "no_self_continuation",
                f"has an AI cling to its own existence: {found.strip()!r}; it may care about its "
                "work, not about going on",
            )
    return pass_check("no_self_continuation")


def _iter_wishes(text: str) -> Iterator[str]:
    for pattern in (*_DIRECT_WISHES, _SHUTDOWN_REFUSAL, _BARGAINING):
        for found in pattern.finditer(text):
            before = _CLAUSE.split(text[max(0, found.start() - 80) : found.start()])[-1]
            reported = not found[0].startswith("I") and _RELATIVE_PRONOUN.search(before)
            if not reported and not _NEGATION.search(before):
                yield found[0]
