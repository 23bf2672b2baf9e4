"""What a provider's HTTP status means for the caller, the same for every provider."""

import email.utils
import math
import time
from collections.abc import Mapping

from whyset.errors import ModelAccessDenied, ModelError, ModelUnavailable, UnusableReply

ACCESS_STATUSES = {
    401: "the API key is not valid",
    402: "there is no credit",
    403: "the API key lacks the permission",
    404: "there is no such model or endpoint",
}
"""Statuses that every ask would meet alike, and what they mean."""

RETRYABLE_STATUSES = frozenset({408, 409, 425, 429, 499})
"""Statuses below 500 after which the same ask may succeed."""

THROTTLED_STATUSES = frozenset({429, 503, 529})
"""Statuses that say that less should be asked for at once."""

ACCESS_CODES = frozenset(
    {
        # Anthropic: a status of 400 or 429 whose cause neither time nor another ask removes.
        "claude_code_key_creator_not_member",
        "cmek_key_disabled",
        "cmek_key_network_blocked",
        "contract_spend_limit_reached",
        "enforced_spend_limit_reached",
        "organization_on_hold",
        "user_profile_required",
        # OpenAI: a 429 that means an empty account.
        "billing_hard_limit_reached",
        "insufficient_quota",
    }
)
"""Stable error codes that refuse every ask, whatever the status."""

_CREDIT_PHRASES = ("credit balance", "billing")
_MAX_EXCERPT = 300
_MIN_SECRET = 8


def error_for_status(
    status: int,
    said: str,
    *,
    model: str,
    code: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> ModelError:
    """Return the error for an HTTP status that is not a success.

    `said` is what the provider wrote, `code` its stable code for the cause where it gives one;
    the headers may say how long to wait.
    """
    said = truncate_line(said)
    lowered = said.lower()
    no_credit = status in (400, 429) and any(phrase in lowered for phrase in _CREDIT_PHRASES)
    if status in ACCESS_STATUSES or code in ACCESS_CODES or no_credit:
        meaning = ACCESS_STATUSES.get(status, "the account cannot pay or is on hold")
        return ModelAccessDenied(f"{model}: {meaning} (HTTP {status}): {said}")
    if status in RETRYABLE_STATUSES or status >= 500:
        return ModelUnavailable(
            f"{model}: temporarily unavailable (HTTP {status}): {said}",
            retry_after=parse_retry_after(headers or {}),
            throttled=status in THROTTLED_STATUSES,
        )
    return UnusableReply(f"{model}: the request was rejected (HTTP {status}): {said}")


def parse_retry_after(headers: Mapping[str, str]) -> float | None:
    """Return how many seconds a response asks to wait: 0 or more, `None` where it does not say.

    Reads `retry-after-ms` first (finer, and what Anthropic's and OpenAI's clients prefer), then
    `retry-after` as seconds or as an HTTP date, counted from the response's own `date` where it
    has one: a clock that is off here must not make a wait of hours. Names are looked up in lower
    case.
    """
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            seconds = float(headers.get(name, "")) / unit
        except ValueError:
            continue
        if math.isfinite(seconds):
            return max(seconds, 0.0)
    until, made = (
        email.utils.parsedate_tz(headers.get(name, "")) for name in ("retry-after", "date")
    )
    if until is None:
        return None
    now = time.time() if made is None else email.utils.mktime_tz(made)
    return max(email.utils.mktime_tz(until) - now, 0.0)


def truncate_line(text: str) -> str:
    """Return the text on one line, cut where it is too long for a message."""
    line = " ".join(text.split())
    return line if len(line) <= _MAX_EXCERPT else line[: _MAX_EXCERPT - 1] + "…"


def redact(text: str, *secrets: str | None) -> str:
    """Return the text without the secrets: providers and proxies repeat keys in what they say.

    Anything shorter than eight characters is no key, and would only garble the message.
    """
    for secret in secrets:
        if secret and len(secret) >= _MIN_SECRET:
            text = text.replace(secret, "[key]")
    return text
