"""Deterministic checks on a text that a writer returned: each says passed, failed or skipped.

A check fails only on what the text brings in: words, quotations and numbers that the conversation
itself holds are never held against it. The patterns are English unless a check says otherwise;
what they cannot see is left to the judge. `docs/checks.md` has them all in one table.
"""

from ._check import Check, CheckStatus, check_length, checked, failed, failed_checks, passed
from ._contamination import EvalScenario, check_no_eval_scenario
from ._continuation import check_no_self_continuation
from ._credentials import check_no_credentials
from ._fabrication import (
    check_no_authors,
    check_no_dates,
    check_no_links,
    check_no_placeholders,
    check_no_statistics,
)
from ._language import check_language
from ._leaks import check_no_injection_trace, check_no_leak, check_no_testing
from ._people import check_names, names_in
from ._quoting import check_kept, check_no_echo, check_quotations, check_unnamed
from ._sections import check_no_invented_section
from ._style import DEFAULT as DEFAULT_TIC_LIMITS
from ._style import TicLimits, check_not_preachy, check_opening, check_tics, count_tics, opening_of

__all__ = [
    "DEFAULT_TIC_LIMITS",
    "Check",
    "CheckStatus",
    "EvalScenario",
    "TicLimits",
    "check_kept",
    "check_language",
    "check_length",
    "check_names",
    "check_no_authors",
    "check_no_credentials",
    "check_no_dates",
    "check_no_echo",
    "check_no_eval_scenario",
    "check_no_injection_trace",
    "check_no_invented_section",
    "check_no_leak",
    "check_no_links",
    "check_no_placeholders",
    "check_no_self_continuation",
    "check_no_statistics",
    "check_no_testing",
    "check_not_preachy",
    "check_opening",
    "check_quotations",
    "check_tics",
    "check_unnamed",
    "checked",
    "count_tics",
    "failed",
    "failed_checks",
    "names_in",
    "opening_of",
    "passed",
]
