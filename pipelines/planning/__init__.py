"""Plans of corpora: coverage as a quota, variety drawn from decks, a file to read and edit."""

from ._amounts import amount
from ._contexts import Context, attempt_seed, planned_contexts
from ._coverage import uncovered
from ._focus import FocusGroup, focus_groups, planned_passages
from ._laws import problems
from ._making import followed_by, make_plan
from ._plan import Focus, Plan, PlannedAxis, PlannedConstitution, PlannedSection
from ._reading import open_planned_generator, parse_plan, read_plan
from ._table import coverage_text
from ._writing import plan_record, plan_text, write_plan

__all__ = [
    "Context",
    "Focus",
    "FocusGroup",
    "Plan",
    "PlannedAxis",
    "PlannedConstitution",
    "PlannedSection",
    "amount",
    "attempt_seed",
    "coverage_text",
    "focus_groups",
    "followed_by",
    "make_plan",
    "open_planned_generator",
    "parse_plan",
    "plan_record",
    "plan_text",
    "planned_contexts",
    "planned_passages",
    "problems",
    "read_plan",
    "uncovered",
    "write_plan",
]
