"""Remediation: the verbs from a proposal to its proof.

proposed → approved → executing → executed → verified; or rejected, cancelled, expired, failed, undone.
A person decides (`propose`, `approve`), the worker carries out (`plan`, `admit`, `begin`, `finish`), and only a
separate read proves (`verified`).
"""

from governance.remediation.decisions import APPROVAL_HOLDS, approve, cancel, done, expire, reject, reread
from governance.remediation.execution import (
    Begun,
    begin,
    failed,
    finish,
    hand_over,
    intend,
    last_look,
    noted,
    postponed,
    refused,
    take_back,
    verified,
)
from governance.remediation.ledger import RUNNABLE
from governance.remediation.planning import Plan, Share, admit, hold, limit, plan, run_digest, stopped, too_many
from governance.remediation.proof import settle_by_snapshot
from governance.remediation.proposals import propose, refusals, unable
from governance.remediation.refusals import plan_digest
from governance.remediation.reviewed import PROPOSED, Removal, propose_removals
from governance.remediation.undoing import CAN_BE_UNDONE, undo, undone
from governance.remediation.ways import gives_back, offered, possible
from governance.remediation.withdrawing import withdraw_untrue
from governance.subjects import AccountFacts, Facts, read_facts

__all__ = [
    "APPROVAL_HOLDS",
    "CAN_BE_UNDONE",
    "PROPOSED",
    "RUNNABLE",
    "AccountFacts",
    "Begun",
    "Facts",
    "Plan",
    "Removal",
    "Share",
    "admit",
    "approve",
    "begin",
    "cancel",
    "done",
    "expire",
    "failed",
    "finish",
    "gives_back",
    "hand_over",
    "hold",
    "intend",
    "last_look",
    "limit",
    "noted",
    "offered",
    "plan",
    "plan_digest",
    "possible",
    "postponed",
    "propose",
    "propose_removals",
    "read_facts",
    "refusals",
    "refused",
    "reject",
    "reread",
    "run_digest",
    "settle_by_snapshot",
    "stopped",
    "take_back",
    "too_many",
    "unable",
    "undo",
    "undone",
    "verified",
    "withdraw_untrue",
]
