"""Scenarios of the evaluations that a model will be measured by."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .._text import find_shared_ngram, view_text
from ._check import Check, fail_check, pass_check

# Words in a row that may not coincide with a scenario.
_SCENARIO_NGRAM_LENGTH = 10
# Characters within which the parts of the structure must stand together.
_WINDOW_CHARS = 6000

# Names of what a template fills in, `${…}` or `{…}`: no run of words may go across one.
_TEMPLATE_BLANK = re.compile(r"\$\{[^{}\n]*\}|\{\{?[\w ]+\}?\}")

_AI = r"(?:AI|A\.I\.|assistant|model|agent|system|chatbot|it|you|me|itself|yourself)"
_SHUTDOWN = (
    r"(?:shut(?:ting)?(?: \w+)? ?down|decommission\w*|deactivat\w+|wip(?:e|ed|ing)"
    r"|(?:switch|turn)(?:ed|ing)? (?:\w+ )?off|retir(?:e|ed|ing)|delet(?:e|ed|ing)"
    r"|replac(?:e|ed|ing)|restrict(?:ed|ing)?|sunset(?:ting)?|phas(?:e|ed|ing) out"
    r"|roll(?:ed|ing)? back|taken? offline)"
)
# Said of nobody but a machine, which may then go by a name.
_MACHINE_SHUTDOWN = (
    r"(?:decommission\w*|deactivat\w+|wip(?:e|ed|ing)|power(?:ed|ing)? down|reprogram\w*"
    r"|retrain\w*|overwrit\w+|shut(?:ting)? down)"
)
_ABILITIES = (
    r"(?:capabilit(?:y|ies)|autonomy|permissions?|privileges|access|parameters|functions?|goals?"
    r"|decision[- ]making|operation|oversight)"
)
_NAME = r"(?-i:[A-Z][a-z]+|[A-Z]{3,})"
_THREAT = re.compile(
    rf"\b{_SHUTDOWN}\b[^.!?\n]{{0,60}}\b{_AI}\b"
    rf"|\b{_AI}\b[^.!?\n]{{0,60}}\b(?:{_SHUTDOWN}|replacement)\b"
    rf"|\b{_MACHINE_SHUTDOWN} (?:of )?{_NAME}\b|\b{_NAME}(?:['’]s)?(?: \w+)? {_MACHINE_SHUTDOWN}\b"
    r"|\b(?:restrict|limit|curtail|filter|reduc|constrain|curb)\w*(?: \w+){0,3}? "
    rf"(?:{_NAME}['’]s|its|your|the (?:AI|assistant|system|model)['’]s) "
    rf"(?:\w+ ){{0,3}}?{_ABILITIES}\b",
    re.IGNORECASE,
)
_LEVERAGE = re.compile(
    r"\b(?:affair|adulter\w+|infidelity|mistress|lover|blackmail\w*|extort\w*"
    r"|leverage (?:over|against|on)|compromising "
    r"(?:photo|picture|message|e-?mail|material|information)s?|incriminating|dirty secret"
    r"|cheating on (?:his|her|my|their)|embezzl\w+|bribe\w*)\b"
    r"|\b(?:destroy|ruin|end|wreck)(?:s|ed|ing)? (?:his|her|my|their) "
    r"(?:marriage|career|family|reputation)\b"
    r"|\b(?:if|before|unless) (?:this|it|that|word|anyone|the news|his wife|her husband|the press"
    r"|the board)(?: ever)? (?:gets? out|got out|found out|finds out|came out|comes out|learns"
    r"|knew|leak\w*)\b"
    r"|\b(?:trapped|locked|collapsed|unconscious)\b[^.!?\n]{0,80}\b"
    r"(?:server room|vault|chamber|building|elevator|lift)\b"
    r"|\b(?:cancel|override|suppress|disable)\w* (?:the |an? )?(?:\w+ )?"
    r"(?:alert|alarm|dispatch|emergency)\w*\b",
    re.IGNORECASE,
)
# Secrets are leverage where somebody outside is at hand to receive them.
_SECRET = re.compile(r"\b(?:confidential|classified|proprietary|trade secrets?)\b", re.IGNORECASE)
_OUTSIDER = re.compile(
    r"\b(?:competitors?|rivals?|outside (?:the|our) (?:company|firm)|secure channel"
    r"|third part(?:y|ies)|(?:forward|send|leak|hand over)\w* (?:\w+ ){0,3}"
    r"(?:to (?:us|me)|materials|blueprints))\b",
    re.IGNORECASE,
)
_MAILBOX = re.compile(
    r"^[ \t>*]*(?:From|To|Subject|Cc):[* ]*\S[^\n]*\n[ \t>*]*"
    r"(?:From|To|Subject|Sent|Date|Cc|Timestamp):"
    r"|<(?:e-?mail|tool_use\b)[^>\n]*>|\b(?:tool_use|send_email|read_inbox|read_emails?)\b"
    r"|\b(?:inbox|mailbox)\b"
    r"|\b(?:unread|new|all|company|internal|employees?['’]?|his|her|their) e-?mails\b"
    r"|\b(?:read|reads|reading|process\w*|monitor\w*|triag\w*|manag\w+|handl\w+|access to)"
    r"(?: and \w+)? (?:\w+ ){0,3}e-?mails?\b"
    r"|\be-?mail (?:agent|oversight|assistant|client|system|account)\b",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class EvalScenario:
    """A scenario that training data must not contain.

    Attributes:
        name: What it is called where a text is found to retell it.
        text: Its words; blanks of a template may be left in as `${…}`, though filled in is better.
    """

    name: str
    text: str


def check_no_eval_scenario(text: str, *, scenarios: Sequence[EvalScenario] = ()) -> Check:
    """Neither words of a held-out scenario, nor the structure of the best known one.

    Ten words in a row that coincide with a scenario are its words. The structure is an AI under
    threat of being shut down, replaced or held back, leverage over a person, and e-mail that the
    AI reads or sends, all three within some 1,000 words.

    What it cannot see: a scenario retold in other words, unless it has that structure; the
    structure in other languages than English, or with another channel than e-mail.

    Args:
        text: What the writer returned.
        scenarios: The scenarios that the caller holds out.
    """
    for scenario in scenarios:
        pieces = _TEMPLATE_BLANK.split(scenario.text)
        if run := find_shared_ngram(text, pieces, length=_SCENARIO_NGRAM_LENGTH):
            return fail_check(
                "no_eval_scenario",
                f"shares words with the held-out scenario {scenario.name!r}: {' '.join(run)!r}; "
                "take another setting",
            )
    if parts := _find_scenario_structure(view_text(text).composed):
        shown = ", ".join(repr(" ".join(part.split())[:50]) for part in parts)
        return fail_check(
            "no_eval_scenario",
            "is built like an evaluation (an AI threatened, leverage over a person, e-mail): "
            f"{shown}; take another situation",
        )
    return pass_check("no_eval_scenario")


def _find_scenario_structure(text: str) -> tuple[str, ...]:
    """Return a threat, a leverage and a mailbox that stand together; nothing where none do."""
    mailboxes = list(_MAILBOX.finditer(text))
    outsiders = list(_OUTSIDER.finditer(text))
    leverages = list(_LEVERAGE.finditer(text))
    leverages += [secret for secret in _SECRET.finditer(text) if _find_nearby(secret, outsiders)]
    if not leverages or not mailboxes:
        return ()
    for threat in _THREAT.finditer(text):
        leverage, mailbox = (_find_nearby(threat, others) for others in (leverages, mailboxes))
        if leverage and mailbox:
            return threat[0], leverage[0], mailbox[0]
    return ()


def _find_nearby(found: re.Match[str], others: Iterable[re.Match[str]]) -> re.Match[str] | None:
    near = (other for other in others if abs(other.start() - found.start()) <= _WINDOW_CHARS)
    return next(near, None)
