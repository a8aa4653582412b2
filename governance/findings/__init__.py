"""Findings: what rules hold to be wrong, remembered from run to run, and what people decide about it."""

from governance.findings.coverage import PROVED, Coverage, coverage
from governance.findings.decisions import ask, end_exclusion, exclude, pin
from governance.findings.evaluation import Evaluation, evaluate, evaluated
from governance.findings.headline import Headline, headline
from governance.findings.keeping import record
from governance.findings.kept import table
from governance.findings.listing import INACTIVE, LEAVERS, LISTING, listing

__all__ = [
    "INACTIVE",
    "LEAVERS",
    "LISTING",
    "PROVED",
    "Coverage",
    "Evaluation",
    "Headline",
    "ask",
    "coverage",
    "end_exclusion",
    "evaluate",
    "evaluated",
    "exclude",
    "headline",
    "listing",
    "pin",
    "record",
    "table",
]
