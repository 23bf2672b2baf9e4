"""Plans of corpora: coverage as a quota, variety drawn from decks, a file to read and edit."""

from ._coverage import FocusGroup, coverage_text, focus_groups, planned_passages, uncovered
from ._file import open_planned_generator, parse_plan, plan_record, plan_text, read_plan, write_plan
from ._make import Context, attempt_seed, followed_by, make_plan, planned_contexts, problems
from ._plan import Focus, Plan, PlannedAxis, PlannedConstitution, PlannedSection, amount

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
