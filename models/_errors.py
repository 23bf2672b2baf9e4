"""How a model can fail, by what the caller should do about it."""

from whyset.errors import WhysetError


class ModelError(WhysetError):
    """A model that cannot be opened, or did not answer."""


class ModelRefused(ModelError):
    """The provider turned down the key, the permission, the credit or the model's name.

    No other ask would fare better: a run stops here.
    """

    exit_code = 4


class ModelUnavailable(ModelError):
    """A passing fault: overload, rate limit, a lost connection. The same ask may succeed later.

    Attributes:
        retry_after: Seconds the provider asked to wait, where it did.
        throttled: Whether the fault is that too much was asked for at once.
    """

    def __init__(
        self, message: str, *, retry_after: float | None = None, throttled: bool = False
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.throttled = throttled


class UnusableReply(ModelError):
    """This ask will not get a usable answer by asking again; others may."""


RETRYABLE = (ModelUnavailable,)
"""Errors after which the same ask is sent again."""
