"""What can go wrong between a constitution and the passages found in it."""

from whyset.errors import WhysetError


class RetrieverError(WhysetError):
    """An index that cannot be built, opened or asked, or labels that cannot be read."""


class EmbedderUnavailable(RetrieverError):
    """No embedder of that name on this machine; the message has the remedies."""
