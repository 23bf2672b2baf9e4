"""The errors of whyset: the tree, and every class of it. Each room exports the branch it raises.

WhysetError                      exit 2  anything the user can mend
├── ConstitutionError                    a document that cannot be read as a constitution
│   └── ConstitutionLookupError          no such passage or section (also a LookupError)
├── DatasetError                         input that cannot be read, output that cannot be written
│   ├── UnsupportedContext               a shape without a place for system prompt or tools
│   ├── UnsupportedConversion            a row that another shape cannot hold
│   └── UnsupportedRow                   a row that cannot be exported
├── RetrieverError                       an index that cannot be built, opened or searched
│   └── EmbedderUnavailable              no such embedder on this machine
├── GeneratorError                       options that do not fit together, a prompt in error
│   ├── UnsupportedModel                 the model cannot do what the generator needs
│   └── RowRejected                      a row that failed, where there is no quarantine for it
├── ModelError                           a model that cannot be opened, or does not answer
│   ├── ModelAccessDenied        exit 4  key, permission, credit or model name refused: stop
│   ├── ModelUnavailable                 temporary: ask again; may carry `retry_after`
│   ├── BatchTooLarge                    the provider takes no message batch of this size
│   ├── BatchNotFound                    the provider shows no such message batch to this key
│   └── UnusableReply                    asking again would not help this ask
└── RunError                             a run that cannot start or go on
    ├── RunLocked                        another process has the run's ledger open
    ├── PlanError                        a plan that cannot be read or carried out
    └── RunStopped               exit 3  ended early; the same command resumes it
        └── BudgetExhausted      exit 3  ended by the budget
"""

__all__ = [
    "RETRYABLE_ERRORS",
    "BatchNotFound",
    "BatchTooLarge",
    "BudgetExhausted",
    "ConstitutionError",
    "ConstitutionLookupError",
    "DatasetError",
    "EmbedderUnavailable",
    "GeneratorError",
    "ModelAccessDenied",
    "ModelError",
    "ModelUnavailable",
    "PlanError",
    "RetrieverError",
    "RowRejected",
    "RunError",
    "RunLocked",
    "RunStopped",
    "UnsupportedContext",
    "UnsupportedConversion",
    "UnsupportedModel",
    "UnsupportedRow",
    "UnusableReply",
    "WhysetError",
]


class WhysetError(Exception):
    """The base of every error whyset raises on purpose.

    The message is written for the person at the keyboard: what is wrong, where, and what to do.

    Attributes:
        exit_code: What the command line exits with when this error reaches it.
    """

    exit_code: int = 2


class ConstitutionError(WhysetError):
    """A document that cannot be read as a constitution."""


class ConstitutionLookupError(ConstitutionError, LookupError):
    """A passage or section that is not in the constitution."""


class DatasetError(WhysetError):
    """Input that cannot be read, or output that cannot be written.

    One bad row is a `BadRow` in quarantine, not an error.
    """


class UnsupportedConversion(DatasetError):
    """A row that another shape cannot hold; the message says what stands in the way.

    Attributes:
        shape: The one it was to be written in.
        obstacle: What that has no place for.
    """

    def __init__(self, shape: str, obstacle: str) -> None:
        super().__init__(f"shape {shape!r} cannot hold {obstacle}")
        self.shape = shape
        self.obstacle = obstacle


class UnsupportedContext(DatasetError):
    """A system prompt or tools that a row's shape has no place for."""

    def __init__(self, shape: str, what: str) -> None:
        super().__init__(
            f"shape {shape!r} has no place for {what}: convert the rows first, for example to "
            "'messages'"
        )


class UnsupportedRow(DatasetError):
    """A row that cannot be exported; the message says what stands in the way.

    Attributes:
        reason: The same in one word, to be counted.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(detail)
        self.reason = reason


class RetrieverError(WhysetError):
    """An index that cannot be built, opened or searched, or labels that cannot be read."""


class EmbedderUnavailable(RetrieverError):
    """No embedder of that name on this machine; the message has the remedies."""


class GeneratorError(WhysetError):
    """Options that do not fit together, or a prompt that cannot be rendered."""


class UnsupportedModel(GeneratorError):
    """The model at hand cannot do what this generator needs; the message says what can."""


class RowRejected(GeneratorError):
    """A row that failed, where there is no quarantine to put it in.

    Attributes:
        reasons: One word each, as in the quarantine.
    """

    def __init__(self, reasons: tuple[str, ...], detail: str) -> None:
        super().__init__(f"row rejected ({', '.join(reasons)}): {detail}")
        self.reasons = reasons


class ModelError(WhysetError):
    """A model that cannot be opened, or does not answer."""


class ModelAccessDenied(ModelError):
    """The provider refused the key, the permission, the credit or the model's name.

    No other ask would fare better: a run stops here.
    """

    exit_code = 4


class ModelUnavailable(ModelError):
    """A temporary fault: overload, rate limit, a lost connection. The same ask may succeed later.

    Attributes:
        retry_after: Seconds the provider asked to wait, where it did.
        is_throttled: Whether the fault is that too much was asked for at once.
    """

    def __init__(
        self, message: str, *, retry_after: float | None = None, throttled: bool = False
    ) -> None:
        super().__init__(message)
        self.retry_after = retry_after
        self.is_throttled = throttled


class BatchTooLarge(ModelError):
    """The provider takes no message batch of this size; a smaller one would do."""


class BatchNotFound(ModelError):
    """The provider has no such message batch, or does not show it to this key."""


class UnusableReply(ModelError):
    """This ask will not get a usable answer by asking again; others may."""


RETRYABLE_ERRORS = (ModelUnavailable,)
"""Errors after which the same ask is sent again."""


class RunError(WhysetError):
    """A run that cannot start or go on."""


class RunLocked(RunError):
    """Another process has the run's ledger open."""


class PlanError(RunError):
    """A plan that cannot be read or carried out."""


class RunStopped(RunError):
    """A run that ended early; the same command resumes it."""

    exit_code = 3


class BudgetExhausted(RunStopped):
    """A run that the budget ended: the next ask could exceed it."""
