"""What a provider's headers say of its limits."""

from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime

from whyset.generators import RateLimit, RateLimits

_PREFIX = "anthropic-ratelimit"


def rate_limits(headers: Mapping[str, str], *, now: datetime) -> RateLimits | None:
    """Return what Anthropic's headers say; `None` where they say nothing.

    Args:
        headers: A response's headers; names are looked up in lower case.
        now: The time here, with its zone; used where the response does not say when it was
            made, so that a clock that is off does no harm.
    """
    if f"{_PREFIX}-requests-remaining" not in headers:
        return None
    made = _made(headers) or now
    return RateLimits(
        requests=_limit(headers, "requests", made),
        input_tokens=_limit(headers, "input-tokens", made),
        output_tokens=_limit(headers, "output-tokens", made),
    )


def _limit(headers: Mapping[str, str], kind: str, made: datetime) -> RateLimit | None:
    try:
        remaining = int(headers[f"{_PREFIX}-{kind}-remaining"])
        resets = datetime.fromisoformat(headers[f"{_PREFIX}-{kind}-reset"])
        return RateLimit(remaining, max((resets - made).total_seconds(), 0.0))
    except (KeyError, TypeError, ValueError):
        # Absent, no number, no date, or a date without its zone: nothing that could be kept to.
        return None


def _made(headers: Mapping[str, str]) -> datetime | None:
    try:
        return parsedate_to_datetime(headers["date"])
    except (KeyError, ValueError):
        return None
