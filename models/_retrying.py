"""When to ask again, and how long to wait before it."""

import random
from dataclasses import dataclass

from whyset.errors import ModelError

_MOST_DOUBLINGS = 30


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """Exponential backoff with full jitter (Brooker, "Exponential Backoff and Jitter", 2015).

    Attributes:
        attempts: How often an ask is sent at most, at least once.
        first_wait: The longest wait before the second attempt, in seconds; doubled each time.
        longest_wait: No own wait is longer than this, in seconds.
        longest_obeyed: A provider's `retry-after` is honoured up to this many seconds.
        longest_outage: A run whose provider answered before and now answers nobody waits up to
            this many seconds for its return; attempts are not counted meanwhile.
    """

    attempts: int = 8
    first_wait: float = 1.0
    longest_wait: float = 60.0
    longest_obeyed: float = 600.0
    longest_outage: float = 3600.0

    def __post_init__(self) -> None:
        """Refuse what nobody could follow."""
        if self.attempts < 1:
            raise ModelError(f"An ask is sent at least once, not {self.attempts} times.")
        for name in ("first_wait", "longest_wait", "longest_obeyed", "longest_outage"):
            if not getattr(self, name) >= 0:
                raise ModelError(f"{name} must be 0 seconds or more, not {getattr(self, name)}.")

    def wait(self, failed: int, retry_after: float | None) -> float:
        """Return the seconds to wait after an attempt failed.

        Args:
            failed: How many attempts have failed so far, at least 1.
            retry_after: What the provider asked for, in seconds.
        """
        doublings = min(failed - 1, _MOST_DOUBLINGS)
        jittered = random.uniform(0, min(self.first_wait * 2**doublings, self.longest_wait))
        if retry_after is None:
            return jittered
        # A little later than asked for, so that all who were told the same do not come at once.
        return min(retry_after, self.longest_obeyed) + min(jittered, 1.0)
