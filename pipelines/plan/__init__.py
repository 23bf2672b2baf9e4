"""Plans of corpora: coverage as a quota, variety drawn from decks, a file to read and edit."""

from ._coverage import (
    FocusGroup,
    find_uncovered_passages,
    group_passages,
    list_planned_passages,
    render_coverage,
)
from ._file import (
    open_planned_generator,
    parse_plan,
    plan_record,
    read_plan,
    render_plan,
    write_plan,
)
from ._make import (
    Context,
    adapt_plan,
    build_contexts,
    derive_attempt_seed,
    make_plan,
    validate_plan,
)
from ._plan import Focus, Plan, PlannedAxis, PlannedConstitution, PlannedSection, parse_amount

__all__ = [
    "Context",
    "Focus",
    "FocusGroup",
    "Plan",
    "PlannedAxis",
    "PlannedConstitution",
    "PlannedSection",
    "adapt_plan",
    "build_contexts",
    "derive_attempt_seed",
    "find_uncovered_passages",
    "group_passages",
    "list_planned_passages",
    "make_plan",
    "open_planned_generator",
    "parse_amount",
    "parse_plan",
    "plan_record",
    "read_plan",
    "render_coverage",
    "render_plan",
    "validate_plan",
    "write_plan",
]
