"""What can be wrong with a constitution."""

from whyset.errors import WhysetError


class ConstitutionError(WhysetError):
    """A document that cannot be read as a constitution."""


class NotInConstitution(ConstitutionError, LookupError):
    """A passage or section that the constitution does not hold."""
