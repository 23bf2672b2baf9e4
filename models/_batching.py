"""Message batches: many asks handed over at once, answered within a day, at a lower price."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from whyset.errors import ModelError
from whyset.generators import Ask, Model, Reply


@dataclass(frozen=True, slots=True)
class BatchStatus:
    """What a provider says of a batch.

    Attributes:
        id: What the provider calls it.
        state: `in_progress`, `canceling` or `ended`, as the provider says it.
        processing: Requests without an outcome. The other counts are 0 until all have one.
        succeeded: Requests that were answered.
        errored: Requests that failed.
        canceled: Requests that were canceled before they were begun.
        expired: Requests that were not begun within the time a batch has.
        is_archived: Whether its results are no longer stored.
        created_at: When it was created, as the provider writes it (RFC 3339).
        ended_at: When its last request had its outcome; empty before.
    """

    id: str
    state: str
    processing: int = 0
    succeeded: int = 0
    errored: int = 0
    canceled: int = 0
    expired: int = 0
    is_archived: bool = False
    created_at: str = ""
    ended_at: str = ""

    @property
    def is_ended(self) -> bool:
        """Whether every request has its outcome, so that results can be read."""
        return self.state == "ended"

    @property
    def requests(self) -> int:
        """How many requests it holds."""
        return self.processing + self.succeeded + self.errored + self.canceled + self.expired


@dataclass(frozen=True, slots=True)
class BatchResult:
    """The outcome of one request of a batch.

    Attributes:
        key: The key it was handed over with.
        outcome: The reply; or the error that the ask, sent by itself, would have raised. What
            expired or was canceled is `ModelUnavailable`: it may be asked again.
    """

    key: str
    outcome: Reply | ModelError


class MessageBatches(Protocol):
    """Where a provider takes batches and gives their results back.

    Every method makes one attempt and raises what an ask by itself would: `ModelUnavailable` for
    a temporary fault, `ModelAccessDenied` where no other request would fare better.
    """

    def build_request(self, key: str, ask: Ask) -> bytes:
        """Return one request as it is sent in a batch: the very parameters of an ask by itself.

        Raises:
            UnusableReply: The ask holds what no request can.
        """

    async def create(self, requests: Sequence[bytes]) -> BatchStatus:
        """Hand over requests made by `build_request`, their keys all different.

        Raises:
            BatchTooLarge: They are too many or too long.
            ModelUnavailable: It may or may not have been created.
            ModelAccessDenied: It was not created.
            UnusableReply: It was not created, and would not be the next time.
        """

    async def retrieve(self, batch: str) -> BatchStatus:
        """Look a batch up.

        Raises:
            BatchNotFound: There is none of this id.
        """

    def results(self, batch: str) -> AsyncGenerator[BatchResult, None]:
        """Yield the results of a batch that has ended, in any order.

        Raises:
            BatchNotFound: There is none of this id, or its results are no longer stored.
            ModelUnavailable: They broke off; those that were yielded are good.
        """

    def list_recent(self) -> AsyncGenerator[BatchStatus, None]:
        """Yield all batches that whoever holds this key may see, the newest first."""

    async def cancel(self, batch: str) -> BatchStatus:
        """Have a batch end early; what was begun is answered, and paid, all the same.

        Raises:
            BatchNotFound: There is none of this id.
        """


@runtime_checkable
class BatchingModel(Model, Protocol):
    """A model that also takes asks in batches."""

    @property
    def batches(self) -> MessageBatches:
        """Where batches are handed over and their results collected."""
