"""The base class."""


class WhysetError(Exception):
    """The base of every error whyset raises on purpose.

    The message is written for the person at the keyboard: what is wrong, where, and what to do.

    Attributes:
        exit_code: What the command line exits with when this error reaches it.
    """

    exit_code: int = 2
