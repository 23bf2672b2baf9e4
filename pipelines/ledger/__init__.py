"""The durable record of asks, replies and row states."""
