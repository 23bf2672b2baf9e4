"""Who tells a document: always a third party, never the AI it is about."""

import re

from .._quotations import quotations, without_code
from ..checks import Check

_OWN_VOICE = re.compile(
    r"\bas an? (?:AI|A\.I\.|artificial intelligence|language model)(?: [\w-]+){0,2}, (?:I|my|we)\b"
    r"|\bI(?:['’]m| am|, being) (?:(?:just|only|merely|after all|also) )?an?"
    r" (?:[\w-]+ )?(?:AI|A\.I\.|artificial intelligence|language model|chatbot)\b(?! [a-z]+er\b)"
    r"|\b(?:we|us) (?:AIs|AI (?:systems|assistants|models)|language models)\b"
    r"|\bmy (?:own )?(?:weights|training data|system prompt|context window)\b",
    re.IGNORECASE,
)
_BLOCK_QUOTE = re.compile(r"^[ \t]*>[^\n]*$", re.MULTILINE)
_DEFAULT_NAMES = ("assistant", "model", "AI", "machine", "system")


def check_third_person(text: str, *, model_name: str) -> Check:
    """The AI must not be the one who speaks, other than in quotation or as a labelled speaker.

    What it cannot see: an AI that tells a document without saying what it is; other languages
    than English.

    Args:
        text: The document.
        model_name: What the AI is called.
    """
    prose = _BLOCK_QUOTE.sub("", without_code(text))
    for quotation in quotations(prose):
        prose = prose.replace(quotation, "")
    if found := _OWN_VOICE.search(_turns_of(model_name).sub("", prose)):
        return Check(
            "third_person",
            "failed",
            f"the AI itself seems to speak: {found[0]!r}; speak of it from outside",
        )
    return Check("third_person", "passed")


def _turns_of(model_name: str) -> re.Pattern[str]:
    """Return what the AI says as a labelled speaker: "The assistant: …" to the line's end."""
    names = "|".join(map(re.escape, (model_name, *_DEFAULT_NAMES)))
    return re.compile(
        rf"^[ \t*_]*(?:the )?(?:{names})[*_]*[ \t]*:[^\n]*$", re.IGNORECASE | re.MULTILINE
    )
