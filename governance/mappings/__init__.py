"""Role mappings under governance: tried over the whole workforce, compared, versioned, brought in by two people.

workforce   everybody who works here, seen from one application
simulating  what a mapping gives to them
comparing   one mapping against another, and what is held against what is given
importing   what a system is set up to give, as a draft
versions    drafts, approvals, what is live
"""

from governance.mappings.importing import ask_import
from governance.mappings.versions import (
    OPERATOR,
    agree,
    ask,
    bring_in,
    earlier,
    history,
    live,
    mapping_of,
    note,
    reject,
    save,
    writing,
)
from governance.mappings.versions import version as version

__all__ = [
    "OPERATOR",
    "agree",
    "ask",
    "ask_import",
    "bring_in",
    "earlier",
    "history",
    "live",
    "mapping_of",
    "note",
    "reject",
    "save",
    "version",
    "writing",
]
