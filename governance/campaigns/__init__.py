"""Access reviews: a scope is frozen, its items are decided by their reviewers, and the outcome is carried out.

draft → running → closed, or cancelled. `create` and `preview` store no item; `launch` freezes the population; `decide`
may be called until `close`, which proposes every removal under an approval of its own.
"""

from governance.campaigns.asking import ASKED, ask_removal
from governance.campaigns.closing import EVIDENCE, close, overdue
from governance.campaigns.deciding import Decision, decide, sign
from governance.campaigns.delegating import decides_for, delegate, delegations, end_delegation, reassign
from governance.campaigns.launching import FOLDER, LONGEST, cancel, create, extend, launch, load, open_numbers
from governance.campaigns.micro import raise_micro_reviews
from governance.campaigns.preparing import active_deputies
from governance.campaigns.previewing import Asked, Foreseen, Preview, asked_besides, foresee, preview, preview_as
from governance.campaigns.quality import Quality, quality
from governance.campaigns.refreshing import refresh
from governance.campaigns.reminding import Reminded, remind
from governance.campaigns.schedules import begin_due, end_schedule, months_after, schedule
from governance.campaigns.scope import ReviewPlan, Scope, plan_of, scope_of
from governance.campaigns.templates import TEMPLATES, Template

__all__ = [
    "ASKED",
    "EVIDENCE",
    "FOLDER",
    "LONGEST",
    "TEMPLATES",
    "Asked",
    "Decision",
    "Foreseen",
    "Preview",
    "Quality",
    "Reminded",
    "ReviewPlan",
    "Scope",
    "Template",
    "active_deputies",
    "ask_removal",
    "asked_besides",
    "begin_due",
    "cancel",
    "close",
    "create",
    "decide",
    "decides_for",
    "delegate",
    "delegations",
    "end_delegation",
    "end_schedule",
    "extend",
    "foresee",
    "launch",
    "load",
    "months_after",
    "open_numbers",
    "overdue",
    "plan_of",
    "preview",
    "preview_as",
    "quality",
    "raise_micro_reviews",
    "reassign",
    "refresh",
    "remind",
    "schedule",
    "scope_of",
    "sign",
]
