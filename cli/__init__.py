"""A person's door: arguments in, summaries out."""

from ._app import app, main

__all__ = ["app", "main"]
