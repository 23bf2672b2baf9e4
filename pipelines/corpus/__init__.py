"""Corpora: documents written to a plan, without near-duplicates."""
