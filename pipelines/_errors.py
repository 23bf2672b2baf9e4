"""What can keep a run from starting or going on."""

from whyset.errors import WhysetError


class RunError(WhysetError):
    """A run that cannot start or go on."""


class RunLocked(RunError):
    """Another process holds the run's ledger."""


class PlanError(RunError):
    """A plan that cannot be kept, or not be read."""


class RunStopped(RunError):
    """A run that ended early; the same command goes on where it stopped."""

    exit_code = 3


class BudgetSpent(RunStopped):
    """A run that the budget ended: the next ask could exceed it."""
