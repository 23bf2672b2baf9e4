"""What the loopback servers answer to each generator, from the ask alone."""
