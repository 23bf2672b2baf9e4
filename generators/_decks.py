"""Drawing where no plan has drawn: the same for the same row or brief, in every process."""

import hashlib
from collections.abc import Mapping

from ._axes import Axis, numbered

_DIGITS = 13
_RANGE: int = 16**_DIGITS


def draw(weights: Mapping[str, float], *told_apart: object) -> str:
    """Return one value, each as often as it weighs, the same for the same row.

    Args:
        weights: Value → weight; at least one weighs something.
        told_apart: What draws are told apart by, such as a row's digest and the deck's name.

    Raises:
        ValueError: There is nothing to draw.
    """
    drawable = [value for value, weight in weights.items() if weight > 0]
    if not drawable:
        raise ValueError("there is nothing to draw")
    left = fraction(*told_apart) * sum(weights[value] for value in drawable)
    for value in drawable:
        left -= weights[value]
        if left < 0:
            return value
    return drawable[-1]


def draw_on(axis: Axis, *told_apart: object) -> str:
    """Return one value of an axis by its weight, or a number where a model is to list them.

    Args:
        axis: The axis; its name is among what tells draws apart.
        told_apart: What else does, such as a brief's seed.
    """
    if axis.generated:
        return numbered(seed_of(axis.name, *told_apart) % axis.generated)
    return draw(axis.values, axis.name, *told_apart)


def fraction(*told_apart: object) -> float:
    """Return a number from 0 up to 1 that depends on what is given alone."""
    return seed_of(*told_apart) / _RANGE


def seed_of(*told_apart: object) -> int:
    """Return a seed that depends on what is given alone."""
    # By digest and not by `random`, whose draws may differ from one Python to the next.
    digest = hashlib.sha256("\n".join(map(str, told_apart)).encode()).hexdigest()
    return int(digest[:_DIGITS], 16)
