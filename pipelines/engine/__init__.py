"""Engines: what drives steps, live or by batch, within a budget and a limit."""
