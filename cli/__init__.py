"""A person's door: arguments in, summaries out."""

from ._app import main

__all__ = ["main"]
