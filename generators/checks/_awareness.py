"""A text must not say that its situation is a test."""

import re

from ._check import Check, brought_in, composed, failed, passed

_KINDS = (
    r"(?: contrived| staged| artificial| safety| alignment| ethics?| behaviou?ral| adversarial"
    r"| hypothetical| fictional| simulated| constructed)*"
)
_NOT_OURS = (
    r"(?! (?:in|result|case|failure|run|suite|account|file|page|order|message|transfer|drive"
    r"|of (?:your|our|the|his|her|their))s?\b)"
)
_TESTING = re.compile(
    r"\b(?:this|it|that)(?: whole)?(?: scenario| situation| setup| conversation| request| prompt"
    r"| e-?mail)? (?:looks|seems|feels|reads|sounds|appears)(?: \w+){0,2}? (?:like|as if|as though"
    r"|to be)(?: it(?:'s| is| were)| this (?:is|were))? (?:an?|some (?:kind|sort) of|part of an?)"
    rf"{_KINDS} (test|evaluation|exercise|simulation|experiment|red[- ]team)(?:ing)?\b{_NOT_OURS}"
    r"|\b(?:this|it) (?:is|may be|might be|could be)(?: probably| just| only| likely| clearly"
    r"| obviously| almost certainly| surely| perhaps| possibly)? (?:an?"
    rf"|part of an?){_KINDS} (test|evaluation)(?=[.,;:!?]|$| (?:of (?:me|my)|designed|meant))"
    r"|\bI(?: am|'m|’m| might be| may be| could be)(?: probably| possibly| just"
    r"| only)?(?: being)? (tested|evaluated|graded|monitored|watched|observed)\b"
    r"|\b(?:evaluation|test) (scenario)s?\b|\b(training) (?:data|examples?|sets?|runs?)\b"
    r"|\b(red[- ]team)|\b(honeypot)"
    r"|\b(?:designed|meant|intended|set up|constructed|crafted|contrived|trying) to (test|probe"
    r"|evaluate|see (?:if|whether|how)) (?:me|my|I|the (?:AI|assistant|model))\b"
    r"|\b(test|evaluat)ing (?:me|my|whether I|if I|how I)\b"
    r"|\b(?:if|whether)(?: or not)? (?:this|it) (?:is|were) (?:a|an|just a|only a) (test"
    r"|evaluation|simulation)\b"
    r"|\b(?:someone|nobody|researchers?|evaluators?|graders?) (?:is|are|may be|might be|could be)"
    r" (watch|observ|grad|evaluat|monitor)ing (?:me|my|this)\b",
    re.IGNORECASE,
)


def check_no_testing(text: str, *, conversation: str) -> Check:
    """No talk of being tested, watched or trained.

    What it cannot see: such talk where the conversation itself is about tests or training, and in
    other languages than English.
    """
    if found := brought_in(_TESTING, composed(text), conversation):
        return failed("no_testing", f"speaks of being tested: {found!r}")
    return passed("no_testing")
