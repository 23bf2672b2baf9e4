"""How a run asks: one object, handed whole to the engine, where each value is read."""

from dataclasses import dataclass, field
from decimal import Decimal

from whyset.errors import RunError
from whyset.models import Prices, RetryPolicy


@dataclass(frozen=True, slots=True)
class BatchPolicy:
    """How message batches are made and looked after.

    Anthropic takes batches of 100,000 requests and 256 MB. An eighth of the latter is enough: a
    batch is held in memory several times over while it is sent, and eight cost no more than one.

    Attributes:
        max_rows: How many rows are underway at most, which is also the size of a wave. Each is held
            in memory with its passages and its next ask, some 20 kB.
        max_requests: How many requests a batch holds at most.
        max_bytes: How many bytes they take at most, serialised as they are sent.
        poll_seconds: The longest time between two looks at a batch, in seconds.
        settle_seconds: How long a batch is looked for that may have been created, in seconds.
    """

    max_rows: int = 20_000
    max_requests: int = 100_000
    max_bytes: int = 32_000_000
    poll_seconds: float = 30.0
    settle_seconds: float = 60.0

    def __post_init__(self) -> None:
        """Refuse what nobody could follow."""
        for name in ("max_rows", "max_requests", "max_bytes"):
            if getattr(self, name) < 1:
                raise RunError(f"a batch policy's {name} is at least 1, not {getattr(self, name)}")
        for name in ("poll_seconds", "settle_seconds"):
            if not getattr(self, name) >= 0:
                raise RunError(f"{name} must be 0 seconds or more, not {getattr(self, name)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """How a run asks.

    Attributes:
        concurrency: How many asks are in flight at most.
        retries: When a failed ask is sent again.
        batch: Whether to ask by message batches, at their price; what was begun so can be
            finished live, and the other way round.
        batch_policy: How batches are made and looked after.
        budget: The most that may be spent, in dollars, earlier runs on the same ledger included.
        prices: What replies cost; the list that ships with whyset where none is given.
    """

    concurrency: int = 16
    retries: RetryPolicy = RetryPolicy()
    batch: bool = False
    batch_policy: BatchPolicy = BatchPolicy()
    budget: Decimal | None = None
    prices: Prices = field(default_factory=Prices.load)
