"""Whole numbers in given proportions: the method of largest remainders, exact to the last unit."""

from collections.abc import Sequence
from fractions import Fraction


def quotas(total: int, weights: Sequence[float | Fraction]) -> list[int]:
    """Divide a number of things in proportion to weights.

    Each share is its exact one rounded up or down; those with the largest remainders are rounded
    up, of equal ones the first.

    Args:
        total: How many things.
        weights: 0 or more each; where all are 0, all are alike.

    Returns:
        A number for each weight; together they are the total.
    """
    exact = [Fraction(weight) for weight in weights]
    whole = sum(exact)
    if not whole:
        exact, whole = [Fraction(1)] * len(exact), Fraction(len(exact))
    shares = [total * weight / whole for weight in exact]
    counts = [share.numerator // share.denominator for share in shares]
    left = total - sum(counts)
    by_remainder = sorted(
        range(len(shares)), key=lambda place: (counts[place] - shares[place], place)
    )
    for place in by_remainder[:left]:
        counts[place] += 1
    return counts
