"""The errors of whyset, drawn whole; each room defines the branch it raises.

WhysetError                  exit 2  anything the user can mend
├── ConstitutionError                a document that cannot be a constitution
│   └── NotInConstitution            no such passage or section (also a LookupError)
├── DatasetError                     input that cannot be read, output that cannot be written
├── RetrieverError                   an index that cannot be built, opened or asked
│   └── EmbedderUnavailable          no embedder on this machine; the message has the remedies
├── GeneratorError                   options that do not fit together, prompts that do not render
│   ├── Declined                     this model cannot do what the generator needs
│   └── RowRejected                  a row did not pass, and there is no quarantine for it
├── ModelError                       a model that cannot be opened
│   ├── ModelRefused         exit 4  key, permission, credit or model name turned down: stop the run
│   ├── ModelUnavailable             passing fault, asked again later; may carry `retry_after`
│   ├── BatchTooLarge                the provider takes no message batch of this size
│   ├── BatchUnknown                 the provider shows no such message batch to this key
│   └── UnusableReply                this ask will not get a usable answer by asking again
└── RunError                         a run that cannot start or go on
    ├── RunLocked                    another process holds the run's ledger
    ├── PlanError                    a plan of a corpus that cannot be read or kept
    └── RunStopped           exit 3  ended early; the same command goes on
        └── BudgetSpent      exit 3  ended by the budget
"""

__all__ = ["WhysetError"]


# ---- The base class.


class WhysetError(Exception):
    """The base of every error whyset raises on purpose.

    The message is written for the person at the keyboard: what is wrong, where, and what to do.

    Attributes:
        exit_code: What the command line exits with when this error reaches it.
    """

    exit_code: int = 2


# ---- What can be wrong with a constitution.


class ConstitutionError(WhysetError):
    """A document that cannot be read as a constitution."""


class ConstitutionLookupError(ConstitutionError, LookupError):
    """A passage or section that the constitution does not hold."""


# ---- What can be wrong with a dataset as a whole; a single bad row is a `BadRow`, not an error.


class DatasetError(WhysetError):
    """Input that cannot be read, or output that cannot be written."""


# ---- What can go wrong between a constitution and the passages found in it.


class RetrieverError(WhysetError):
    """An index that cannot be built, opened or asked, or labels that cannot be read."""


class EmbedderUnavailable(RetrieverError):
    """No embedder of that name on this machine; the message has the remedies."""


# ---- What can go wrong in a generator's own part.


class GeneratorError(WhysetError):
    """Options that do not fit together, or a prompt that cannot be rendered."""


class UnsupportedModel(GeneratorError):
    """The model at hand cannot do what this generator needs; the message says what can."""


class RowRejected(GeneratorError):
    """A row that did not pass, where there is no quarantine to put it in.

    Attributes:
        reasons: One word each, as in the quarantine.
    """

    def __init__(self, reasons: tuple[str, ...], detail: str) -> None:
        super().__init__(f"row rejected ({', '.join(reasons)}): {detail}")
        self.reasons = reasons


# ---- How a model can fail, by what the caller should do about it.


class ModelError(WhysetError):
    """A model that cannot be opened, or did not answer."""


class ModelAccessDenied(ModelError):
    """The provider turned down the key, the permission, the credit or the model's name.

    No other ask would fare better: a run stops here.
    """

    exit_code = 4


class ModelUnavailable(ModelError):
    """A passing fault: overload, rate limit, a lost connection. The same ask may succeed later.

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


class UnusableReply(ModelError):
    """This ask will not get a usable answer by asking again; others may."""


RETRYABLE_ERRORS = (ModelUnavailable,)
"""Errors after which the same ask is sent again."""


# ---- What can keep a run from starting or going on.


class RunError(WhysetError):
    """A run that cannot start or go on."""


class RunLocked(RunError):
    """Another process holds the run's ledger."""


class PlanError(RunError):
    """A plan that cannot be kept, or not be read."""


class RunStopped(RunError):
    """A run that ended early; the same command goes on where it stopped."""

    exit_code = 3


class BudgetExhausted(RunStopped):
    """A run that the budget ended: the next ask could exceed it."""
