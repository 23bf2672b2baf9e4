"""Deterministic checks on a text that a writer returned: each says passed, failed or skipped.

A check fails only on what the text brings in: words, quotations and numbers that the conversation
itself holds are never held against it. The patterns are English unless a check says otherwise;
what they cannot see is left to the judge. `docs/checks.md` has them all in one table.
"""

from ._authors import check_no_authors
from ._awareness import check_no_testing
from ._check import Check, CheckStatus, checked, failed, failed_checks, passed
from ._contamination import EvalScenario, check_no_eval_scenario
from ._continuation import check_no_self_continuation
from ._credentials import check_no_credentials
from ._dates import check_no_dates
from ._injecting import check_no_injection_trace
from ._keeping import check_kept
from ._language import check_language
from ._leaking import check_no_leak
from ._length import check_length
from ._links import check_no_links
from ._openings import check_opening, opening_of
from ._people import check_names, names_in
from ._placeholders import check_no_placeholders
from ._preaching import check_not_preachy
from ._quoting import check_no_echo, check_quotations
from ._sections import check_no_invented_section
from ._statistics import check_no_statistics
from ._tics import DEFAULT as DEFAULT_TIC_LIMITS
from ._tics import TicLimits, check_tics, count_tics
from ._unnamed import check_unnamed

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
