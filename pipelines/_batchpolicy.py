"""How message batches are made and looked after."""

from dataclasses import dataclass

from whyset.errors import RunError


@dataclass(frozen=True, slots=True)
class BatchPolicy:
    """How message batches are made and looked after.

    Anthropic takes batches of 100,000 requests and 256 MB. An eighth of the latter is enough: a
    batch is held in memory several times over while it is sent, and eight cost no more than one.

    Attributes:
        window: How many rows are underway at most, which is also the size of a wave. Each is held
            in memory with its passages and its next ask, some 20 kB.
        requests: How many requests a batch holds at most.
        size: How many bytes they take at most, serialised as they are sent.
        poll: The longest time between two looks at a batch, in seconds.
        settling: How long a batch is looked for that may have been created, in seconds.
    """

    window: int = 20_000
    requests: int = 100_000
    size: int = 32_000_000
    poll: float = 30.0
    settling: float = 60.0

    def __post_init__(self) -> None:
        """Refuse what nobody could follow."""
        for name in ("window", "requests", "size"):
            if getattr(self, name) < 1:
                raise RunError(f"a batch policy's {name} is at least 1, not {getattr(self, name)}")
        for name in ("poll", "settling"):
            if not getattr(self, name) >= 0:
                raise RunError(f"{name} must be 0 seconds or more, not {getattr(self, name)}")


DEFAULT_POLICY = BatchPolicy()
