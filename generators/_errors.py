"""What can go wrong in a generator's own part."""

from whyset.errors import WhysetError


class GeneratorError(WhysetError):
    """Options that do not fit together, or a prompt that cannot be rendered."""


class Declined(GeneratorError):
    """The model at hand cannot do what this generator needs; the message says what can."""


class RowRejected(GeneratorError):
    """A row that did not pass, where there is no quarantine to put it in.

    Attributes:
        reasons: One word each, as in the quarantine.
    """

    def __init__(self, reasons: tuple[str, ...], detail: str) -> None:
        super().__init__(f"row rejected ({', '.join(reasons)}): {detail}")
        self.reasons = reasons
