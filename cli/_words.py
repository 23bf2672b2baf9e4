"""Numbers in sentences."""


def counted(count: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun, such as `1 row` or `2,000 rows`.

    Args:
        count: How many.
        noun: One of them.
        plural: Several of them, where that is not the noun and an `s`.
    """
    return f"{count:,} {noun if count == 1 else plural or f'{noun}s'}"
