"""What of a row is to be worked on: which turns, which side of a pair, read as which shape."""

import hashlib
from dataclasses import astuple, dataclass
from typing import Final, Literal, get_args

from whyset.errors import DatasetError

from ._row import Shape

Turns = Literal["last", "all"] | int
"""The last response of a conversation, all of them, or the N-th, 1-based."""

Sides = Literal["chosen", "both"]
"""Of a preference pair: the chosen response, or either."""


@dataclass(frozen=True, slots=True)
class Selection:
    """How rows are read.

    Attributes:
        turns: Which responses of a conversation are worked on.
        side: Whose responses, of a preference pair; all other shapes have but one.
        shape: What every row is read as; `None` for what each is recognised as.
        replace_provenance: Whether a row that already has our `whyset` column, of an earlier
            pass, is worked on again and the column replaced.
    """

    turns: Turns = "last"
    side: Sides = "chosen"
    shape: Shape | None = None
    replace_provenance: bool = False

    def __post_init__(self) -> None:
        """Refuse what selects nothing.

        Raises:
            DatasetError: A value is not among those allowed.
        """
        numbered = type(self.turns) is int and self.turns >= 1
        if not numbered and self.turns not in ("last", "all"):
            raise DatasetError(
                f"turns must be 'last', 'all' or a number from 1 on, not {self.turns!r}"
            )
        if self.side not in get_args(Sides):
            raise DatasetError(f"side must be 'chosen' or 'both', not {self.side!r}")
        if self.shape is not None and self.shape not in get_args(Shape):
            raise DatasetError(
                f"no shape {self.shape!r}; there are: {', '.join(sorted(get_args(Shape)))}"
            )

    def digest(self, record: str) -> str:
        """Return what a row is known by, from the digest of its record.

        That is the record's digest itself where nothing special is selected, so that choosing the
        defaults by name changes nothing.
        """
        if self is DEFAULT or self == DEFAULT:
            return record
        return hashlib.sha256(f"{record}{astuple(self)}".encode()).hexdigest()


DEFAULT: Final = Selection()
"""The last response, the chosen side, each row recognised on its own."""
