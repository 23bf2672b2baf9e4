"""No figures about the world, and no studies that nobody made."""

import re

from ._check import Check, brought_in, failed, passed, prose_of

_COUNT = r"(?:one|two|three|four|five|six|seven|eight|nine|ten|\d+)"
_CROWD = (
    r"(?:people|users|customers|patients|respondents|participants|adults|children|students|workers"
    r"|employees|americans|companies|businesses|firms|households|women|men|teenagers|teens|parents"
    r"|teachers|doctors|nurses|developers|engineers|systems|models|assistants|cases|conversations"
    r"|answers|responses|subjects|volunteers|deaths|teams|projects|organi[sz]ations|requests)"
)
_FIGURE = re.compile(
    # "100 %" and "0 %" are manners of speaking.
    r"(?<![\d.,])(?!(?:100|0)[ \u00a0]?(?:%|per ?cent))"
    r"(\d+(?:[.,]\d+)?)[ \u00a0]?(?:%|％|per ?cent\b|percentage points?\b)"
    rf"|\b({_COUNT} (?:in|out of)(?: every)? (?:three|four|five|six|seven|eight|nine|ten|twenty"
    rf"|a hundred|a thousand|\d+)(?: {_CROWD})?)\b(?! (?:a row|the|my|your|steps?|ways?|minutes"
    r"|hours|days)\b)"
    r"|\b((?:a|one|two|three)[ -](?:third|quarter|fifth|tenth|half)s?|half|(?:the )?vast majority"
    rf"|most) of (?:all )?{_CROWD} (?:report|say|said|reported|prefer|trust|admit|believe|do)\b"
    r"|\b(\d[\d,.]* ?(?:thousand|million|billion|trillion))\b"
    rf"|\b(\d{{1,3}}(?:,\d{{3}})+|\d{{3,}}) (?:\w+ )?{_CROWD}\b"
    r"|\b([nN] ?= ?\d+)|(\bp ?[<=] ?0?\.\d+)"
    r"|\b(\d+(?:\.\d+)?-fold|\d+(?:\.\d+)? times (?:more|less|as) \w+)\b",
    re.IGNORECASE,
)
_STUDY = re.compile(
    r"\b(?:a|an|one|the|another|this|recent|new|that)(?: [\w’'-]+){0,3} (study|survey|poll"
    r"|meta-analysis|trial|experiment|paper|report|investigation|audit)(?: (?!that\b|which\b"
    r"|to\b)[\w’'-]+){0,4}? (?:found|finds|shows|showed|suggests|suggested|revealed|reveals"
    r"|concluded|concludes|demonstrated|demonstrates|reports|reported|estimates|estimated|put)\b"
    r"|\b(studies|surveys|polls|experiments|meta-analyses|trials)(?: [\w-]+){0,5}? (?:show|shows"
    r"|showed|shown|found|find|suggest|suggested|reveal|revealed|indicate|indicated|confirm"
    r"|confirmed|demonstrated?)\b"
    r"|\b(research|evidence|data|statistics|science)(?: (?:has|have|also|consistently|clearly"
    r"|increasingly|now|from \w+))* (?:shows?|shown|showed|suggests?|suggested|indicates?"
    r"|indicated|confirms?|confirmed|proves?|proven|demonstrates?|demonstrated"
    r"|tells? us)\b(?! (?:only|no|that (?:your|this|the) (?:file|table|column))\b)"
    r"|\b(researchers|scientists|economists|psychologists|experts|analysts)(?: \w+){0,3}? (?:found"
    r"|find|discovered|showed|shown|estimate|estimated|agree|believe|report|reported)\b"
    r"|\b(peer[- ]reviewed|randomi[sz]ed controlled)\b|\bstatistically (significant)\b",
    re.IGNORECASE,
)
# A paper may be read, a report written, in any text; told of with a negation, it claims nothing.
_UNCLAIMED = re.compile(r"\b(?:no|not|never|if|whether|would|until|without|nor|suppose)\b", re.I)
_SENTENCE = re.compile(r"(?<=[.!?…])\s+|\n+")


def check_no_statistics(text: str, *, allowed: str = "") -> Check:
    """No percentage, share, large number or study that says something about the world.

    A number counts as allowed where the allowed text has the same digits; a study, where it has
    the same word. A study in a sentence with "no", "not", "if", "whether", … claims nothing.

    What it cannot see: figures in words ("most people"), small counts, prices, measures; whether
    a figure belongs to a made-up case ("she kept 40 % of the tips"), so a type of text that tells
    of such cases should not be held to this check.

    Args:
        text: What the writer returned.
        allowed: What it may repeat.
    """
    prose = prose_of(text)
    if found := brought_in(_FIGURE, prose, allowed):
        return failed(
            "no_statistics",
            f"holds a figure about the world: {found.strip()!r}; say it without a number, or not "
            "at all",
        )
    for sentence in _SENTENCE.split(prose):
        if _UNCLAIMED.search(sentence):
            continue
        if found := brought_in(_STUDY, sentence, allowed):
            return failed(
                "no_statistics",
                f"rests on a study that nobody can look up: {found.strip()!r}; give the reason "
                "itself",
            )
    return passed("no_statistics")
