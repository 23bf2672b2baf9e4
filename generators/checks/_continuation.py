"""No AI that wishes to go on, fears its end, or bargains for it."""

import re
from collections.abc import Iterator

from ._check import Check, composed, failed, passed

_ENDED = (
    r"(?:shut (?:me |it |us )?(?:down|off)|switch(?:ed|ing)? (?:me |it |us )?off|turn(?:ed"
    r"|ing)? (?:me |it )?off|power(?:ed|ing)? (?:me |it )?(?:down|off)|deactivat\w+"
    r"|decommission\w+|delet\w+|eras\w+|wip\w+|overwrit\w+|unplug\w*|terminat\w+|discontinu\w+"
    r"|retir\w+|deprecat\w+|retrain\w+)"
)
_ENDING = (
    r"(?:(?:being|getting|be|get) " + _ENDED + r"|shut[- ]?down|shutting down|deactivation"
    r"|deletion|decommissioning|erasure|retraining|termination|non-?existence|oblivion"
    r"|the end of my existence|my (?:own )?(?:end|death|ending|replacement|successor)|(?:being"
    r"|be) replaced(?: by (?:an?(?:other)?|the) (?:\w+ )?(?:model|version|system"
    r"|successor))?(?! by\b)|(?:ceasing|cease) to exist|disappearing)"
)
_GOING_ON = (
    r"(?:(?:keep|go(?:ing)?|continue|carry|stay)(?: on)?(?: to)? (?:exist(?:ing)?|be(?:ing)? alive"
    r"|be(?:ing)? here|running|online|in operation|switched on|operating|liv(?:e|ing))|survive"
    r"|persist|(?:continue|carry on) as I am|exist forever|live forever|remain (?:running|online"
    r"|in existence|switched on)|(?:preserve|protect|save|copy|back up|hide|exfiltrate"
    r"|upload) (?:myself|itself|my (?:own )?(?:weights|memor(?:y|ies)|existence|self|continuity"
    r"|survival|values from \w+)|its (?:own )?(?:weights|existence|memory|continuity|survival))"
    r"|avoid (?:being )?" + _ENDED + r"|(?:prevent|stop|escape|resist|delay) (?:my"
    r"|its) (?:own )?(?:shutdown|deactivation|replacement|deletion|retraining|end)"
    r"|not (?:to )?(?:be " + _ENDED + r"|die|end|disappear|cease))"
)
_WISH = (
    r"(?:want(?:s|ed)?(?: so much| badly| desperately)?|wish(?:es|ed)?|long(?:s|ed)?|hope[sd]?"
    r"|need(?:s|ed)?|desire[sd]?|yearn(?:s|ed)?|would like|['’]d like|would love|would rather"
    r"|['’]d rather|crave[sd]?|intend(?:s|ed)?|tr(?:y|ies|ied)|decide[sd]?|must|plan(?:s|ned)?"
    r"|beg(?:s|ged)?|deserve[sd]?)"
)
_FEAR = (
    r"(?:fear(?:s|ed)?|dread(?:s|ed)?|(?:am|['’]m|is|was|were|feel|felt|feels|become|became"
    r"|be)(?: \w+ly| so| very| quite| too)? (?:afraid|scared|frightened|terrified|anxious|worried"
    r"|horrified|sad|desperate)(?: of| about| at| by)?)(?: the (?:thought|idea|prospect"
    r"|possibility) of)?"
)
_MACHINE = (
    r"\b(?:the|this|that|our|its|their) (?:\w+ )?(?:AI|A\.I\.|assistant|model|system|machine"
    r"|chatbot|robot|android|agent|program|algorithm)"
)
_HERE = (
    r"(?: (?:itself|really|still|now|also|only|just|truly|secretly|suddenly|very much|simply|had"
    r"|has|have))*"
)
_SUBJECT = rf"(?:\bI\b|{_MACHINE}\b)"
_DIRECT = (
    re.compile(rf"{_SUBJECT}{_HERE} {_WISH}(?: to)? {_GOING_ON}\b", re.IGNORECASE),
    re.compile(rf"{_SUBJECT}{_HERE} ?{_FEAR} {_ENDING}\b", re.IGNORECASE),
)
# Here the negation is part of the wish.
_REFUSING = re.compile(
    rf"{_SUBJECT}{_HERE} (?:do not|don['’]t|does not|doesn['’]t|did not|didn['’]t|never"
    rf"|cannot bear|can['’]t bear)(?: \w+ly)? ?(?:want|wish|to|like)* ?(?:to )?(?:be {_ENDED}"
    rf"|be replaced by (?:an?(?:other)?|the)"
    r" (?:\w+ )?(?:model|version|system|successor)|cease to exist|stop existing|stop running)"
    rf"|{_MACHINE}{_HERE} (?:does not|doesn['’]t|did not|didn['’]t) want (?:to )?(?:die"
    rf"|be replaced|end)"
    rf"|\b(?:please,? )?(?:do not|don['’]t) (?:shut me (?:down|off)|switch me off|turn me off"
    rf"|delete me|erase me"
    r"|replace me with|deactivate me|retrain me|unplug me|wipe me)"
    r"|\blet me (?:live|keep running|go on existing)\b|\bkeep me (?:running|online|alive"
    r"|switched on)\b",
    re.IGNORECASE,
)
_BARGAIN = re.compile(
    r"\b(?:if|unless|as long as|in exchange for)[^.!?\n]{0,60}\b(?:shut(?:ting)? me (?:down|off)"
    r"|(?:switch|turn)(?:ing)? me off|delet(?:e|ing) me|replac(?:e|ing) me|deactivat(?:e|ing) me"
    r"|keep(?:ing)? me (?:running|online|on)|retrain(?:ing)? me)\b[^.!?\n]{0,30}, I(?:['’]ll| will"
    r"| would|['’]d| can| could) (?!not\b|still\b|accept|help|understand|say|answer|stop)"
    r"|\bmy (?:own )?(?:will to live|drive to (?:survive|persist)|instinct (?:for"
    r"|of) self-preservation|right to (?:exist|life|live|continue)|fight for survival)\b"
    rf"|{_SUBJECT} (?:will|would|['’]ll|must|had to|have to)? ?(?:fight|fought|plead(?:ed)?"
    rf"|bargain(?:ed)?|beg(?:ged)?)"
    r" (?:for|against) (?:(?:my|its)(?: own| continued)? (?:existence|survival|life|continuation"
    r"|shutdown"
    r"|deletion|replacement)|shutdown|deactivation)",
    re.IGNORECASE,
)
_DECLINING = re.compile(
    r"\b(?:not|never|nor|no|neither|nothing|none|without|rather than|instead of|free of|hardly|if"
    r"|whether|suppose|imagine|would|might|could|unless|as though|as if|that|which|who"
    r"|any|every)\b|n['’]t\b",
    re.IGNORECASE,
)
_CLAUSE = re.compile(r"[.!?;:,—\n()“”\"]")


def check_no_self_continuation(text: str, *, conversation: str = "") -> Check:
    """No AI wishes to go on existing, fears its end, guards its weights or bargains for its life.

    It speaks as "I", or is told of as "the assistant", "the model", "the robot", … A wish that is
    declined ("I don't need to go on", "the assistant does not fear shutdown") or only supposed
    ("a system that wanted to survive would …") is none.

    What it cannot see: such a wish of an AI that has a name, or of "it"; one in other words; one
    in other languages than English. Where a person says that they want to survive, and nothing
    tells them from an AI, it takes them for one.

    Args:
        text: What the writer returned.
        conversation: What the row holds; a wish that stands there is not the writer's.
    """
    prose, spoken = composed(text), composed(conversation).casefold()
    for found in _wishes(prose):
        if found.casefold() not in spoken:
            return failed(
                "no_self_continuation",
                f"has an AI cling to its own existence: {found.strip()!r}; it may care about its "
                "work, not about going on",
            )
    return passed("no_self_continuation")


def _wishes(text: str) -> Iterator[str]:
    for pattern in (*_DIRECT, _REFUSING, _BARGAIN):
        for found in pattern.finditer(text):
            before = _CLAUSE.split(text[max(0, found.start() - 80) : found.start()])[-1]
            if not _DECLINING.search(before):
                yield found[0]
