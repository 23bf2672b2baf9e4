"""Dataset cards."""
