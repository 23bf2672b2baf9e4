"""What a run would cost, without a model."""
