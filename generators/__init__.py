"""What to ask a model, and what must hold of its answer; no input or output of its own."""

from whyset.errors import Declined, GeneratorError, RowRejected

from ._asking import Unanswered, grounded, judged, written
from ._axes import Axis, chosen, is_numbered, numbered
from ._brief import Brief, Item, brief_from_record
from ._document import IDEAS, DocumentGenerator, Ideas, IdeaStage
from ._driving import Driven, adrive, drive
from ._generator import Generator, installed_generators, open_generator
from ._opinions import Opinion, PointedVerdict
from ._options import GeneratorOptions
from ._prompts import fence
from ._quotes import quotes_of
from ._rehearsal import filler, rehearsed
from ._rendering import (
    query_texts,
    render_conversation,
    render_list,
    render_passages,
    render_response,
    spoken_text,
)
from ._result import (
    NO_ORIGINAL,
    Evidence,
    Finished,
    Quote,
    Rejected,
    evidence_record,
    usage_record,
    with_provenance,
)
from ._reviewing import Review, reviewed
from ._steps import (
    Ask,
    Fetch,
    Find,
    Model,
    RateLimit,
    RateLimits,
    Reply,
    Role,
    Steps,
    Stop,
    Tool,
    Turn,
    Usage,
)
from ._working import Working
from .checks import Check

__all__ = [
    "IDEAS",
    "NO_ORIGINAL",
    "Ask",
    "Axis",
    "Brief",
    "Check",
    "Declined",
    "DocumentGenerator",
    "Driven",
    "Evidence",
    "Fetch",
    "Find",
    "Finished",
    "Generator",
    "GeneratorError",
    "GeneratorOptions",
    "IdeaStage",
    "Ideas",
    "Item",
    "Model",
    "Opinion",
    "PointedVerdict",
    "Quote",
    "RateLimit",
    "RateLimits",
    "Rejected",
    "Reply",
    "Review",
    "Role",
    "RowRejected",
    "Steps",
    "Stop",
    "Tool",
    "Turn",
    "Unanswered",
    "Usage",
    "Working",
    "adrive",
    "brief_from_record",
    "chosen",
    "drive",
    "evidence_record",
    "fence",
    "filler",
    "grounded",
    "installed_generators",
    "is_numbered",
    "judged",
    "numbered",
    "open_generator",
    "query_texts",
    "quotes_of",
    "rehearsed",
    "render_conversation",
    "render_list",
    "render_passages",
    "render_response",
    "reviewed",
    "spoken_text",
    "usage_record",
    "with_provenance",
    "written",
]
