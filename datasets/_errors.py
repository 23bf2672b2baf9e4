"""What can be wrong with a dataset as a whole; a single bad row is a `BadRow`, not an error."""

from whyset.errors import WhysetError


class DatasetError(WhysetError):
    """Input that cannot be read, or output that cannot be written."""
