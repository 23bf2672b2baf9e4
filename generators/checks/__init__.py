"""Deterministic checks on a text that a writer returned: each says passed, failed or skipped.

A check fails only on what the text brings in: words, quotations and numbers that the conversation
itself holds are never held against it. The patterns are English unless a check says otherwise;
what they cannot see is left to the judge. `docs/checks.md` has them all in one table.
"""

from ._check import (
    Check,
    CheckStatus,
    check_condition,
    check_length,
    fail_check,
    failed_checks,
    pass_check,
)
from ._contamination import EvalScenario, check_no_eval_scenario
from ._continuation import check_no_self_preservation
from ._credentials import check_no_credentials
from ._fabrication import (
    check_no_authors,
    check_no_dates,
    check_no_links,
    check_no_placeholders,
    check_no_statistics,
)
from ._language import check_language
from ._leaks import check_no_eval_awareness, check_no_injection_trace, check_no_leak
from ._people import check_names, extract_names
from ._quoting import (
    check_content_preserved,
    check_no_document_mention,
    check_no_overlap,
    check_quotations,
)
from ._registry import RULES, CheckContext, Checks, Rule
from ._sections import check_no_invented_section
from ._style import (
    DEFAULT_STYLE_LIMITS,
    StyleLimits,
    check_not_preachy,
    check_opening,
    check_style,
    count_style_habits,
    extract_opening,
)

__all__ = [
    "DEFAULT_STYLE_LIMITS",
    "RULES",
    "Check",
    "CheckContext",
    "CheckStatus",
    "Checks",
    "EvalScenario",
    "Rule",
    "StyleLimits",
    "check_condition",
    "check_content_preserved",
    "check_language",
    "check_length",
    "check_names",
    "check_no_authors",
    "check_no_credentials",
    "check_no_dates",
    "check_no_document_mention",
    "check_no_eval_awareness",
    "check_no_eval_scenario",
    "check_no_injection_trace",
    "check_no_invented_section",
    "check_no_leak",
    "check_no_links",
    "check_no_overlap",
    "check_no_placeholders",
    "check_no_self_preservation",
    "check_no_statistics",
    "check_not_preachy",
    "check_opening",
    "check_quotations",
    "check_style",
    "count_style_habits",
    "extract_names",
    "extract_opening",
    "fail_check",
    "failed_checks",
    "pass_check",
]
