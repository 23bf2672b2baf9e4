"""What options have in common."""

import typer


def given(value: str | None) -> str | None:
    """Return an option's value, which may be left out but not be empty.

    Raises:
        BadParameter: It is empty: taken as left out, it would hide a variable that is not set.
    """
    if value == "":
        raise typer.BadParameter("is empty; was a variable not set?")
    return value
