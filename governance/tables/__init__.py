"""The tables of the store: decisions, never facts. Instants are aware datetimes in UTC."""

from __future__ import annotations

from governance.tables.columns import Instant, Written, as_json
from governance.tables.mappings import MappingVersion
from governance.tables.notices import Notice, NoticePreference
from governance.tables.reviews import (
    Campaign,
    Delegation,
    EvidencePack,
    ReviewDecision,
    ReviewItem,
    ReviewSchedule,
    ReviewSignature,
)
from governance.tables.sign_ins import SignIn, StartLink
from governance.tables.work import (
    UNDER_WAY,
    AuditDetail,
    AuditEntry,
    Connector,
    DetectRun,
    Exclusion,
    Finding,
    JobRun,
    Lease,
    Pin,
    PolicyVersion,
    Pull,
    Remediation,
    Request,
    RunHold,
    Snapshot,
    StoredSecret,
)

__all__ = [
    "UNDER_WAY",
    "AuditDetail",
    "AuditEntry",
    "Campaign",
    "Connector",
    "Delegation",
    "DetectRun",
    "EvidencePack",
    "Exclusion",
    "Finding",
    "Instant",
    "JobRun",
    "Lease",
    "MappingVersion",
    "Notice",
    "NoticePreference",
    "Pin",
    "PolicyVersion",
    "Pull",
    "Remediation",
    "Request",
    "ReviewDecision",
    "ReviewItem",
    "ReviewSchedule",
    "ReviewSignature",
    "RunHold",
    "SignIn",
    "Snapshot",
    "StartLink",
    "StoredSecret",
    "Written",
    "as_json",
]
