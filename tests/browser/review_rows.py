"""Rows to review: those of the design, and as many more as a test needs."""

from __future__ import annotations

from typing import Any

# who, position, application, entitlement, privileged, last use, peers, recommendation, why
PICTURED = (
    ("Jonas Weidmann", "Account Executive, Sales", "Salesforce", "Finance User", False, "2 d", "4 %", "remove", "Works in Sales; 2 of 47 peers hold it"),
    ("Jonas Weidmann", "Account Executive, Sales", "Salesforce", "Sales User", False, "today", "96 %", "keep", "Role mapping grants it; used today"),
    ("Leila Nasser", "Contractor, Finance", "Jira", "jira-finance", False, "26 d", "71 %", "remove", "Contract ended 31 Oct"),
    ("Aiko Mori", "Office Administrator", "Salesforce", "System Administrator", True, "61 d", "0 %", "remove", "No peer of 23 holds it; unused 61 d"),
    ("Rafael Ortega", "Controller, Finance", "Confluence", "sales-editors", False, "112 d", "3 %", "remove", "Kept from before the move of 1 Sep"),
    ("Rafael Ortega", "Controller, Finance", "Confluence", "finance-editors", False, "1 d", "88 %", "keep", "15 of 17 peers hold it; used yesterday"),
    ("Nadia Petrova", "Payroll Lead, Finance", "Salesforce", "Finance User", False, "3 d", "82 %", "keep", "Role mapping grants it; used this week"),
    ("Nadia Petrova", "Payroll Lead, Finance", "Salesforce", "Export reports", True, "unknown", "12 %", "judge", "Last use unknown; reads all data"),
    ("Ingmar Sandell", "Analyst, FP&A", "Figma", "Editor seat", False, "143 d", "18 %", "remove", "Unused 143 days"),
    ("Chiara Greco", "Accountant, Finance", "Confluence", "site-admins", True, "118 d", "0 %", "change", "16 of 17 peers only read"),
    ("Samuel Okoro", "Accountant, Finance", "Jira", "jira-finance", False, "5 d", "71 %", "keep", "12 of 17 peers hold it; used this week"),
    ("Teresa Vidal", "Treasury Manager", "Slack", "Full member", False, "unknown", "100 %", "keep", "Everybody in Finance holds it"),
    ("Wim de Boer", "Tax Manager, Finance", "Notion", "Member", False, "unknown", "64 %", "judge", "Notion does not tell last use"),
    ("Elif Aydin", "Analyst, Finance", "Salesforce", "Finance User", False, "8 d", "82 %", "keep", "Role mapping grants it; used last week"),
)  # fmt: skip


def pictured() -> list[dict[str, Any]]:
    """The rows of the picture, with what is known beside them."""
    rows = [_row(number, *facts) for number, facts in enumerate(PICTURED, 1)]
    rows[2].update(employment="left 31 Oct", notable=True)
    rows[3].update(
        critical=True,
        changed="New since the last review",
        earlier_recommendation="keep",
        earlier_because="Used 3 days before the start",
        earlier_decisions=["Q3 2026: keep, R. Ortega", "Q2 2026: keep, R. Ortega", "Q1 2026: change, L. Brandt"],
    )
    return rows


def many(number: int) -> list[dict[str, Any]]:
    """So many rows of as many people, all alike but for the name."""
    return [
        _row(
            n, f"Person {n}", "Analyst, Finance", "Jira", "jira-finance", False, "5 d", "71 %", "keep", "Used this week"
        )
        for n in range(1, number + 1)
    ]


def _row(number: int, *facts: Any) -> dict[str, Any]:
    who, below, application, entitlement, privileged, last_use, peers, recommendation, because = facts
    return {
        "number": number,
        "who": who,
        "who_below": below,
        "employment": "employed",
        "application": application,
        "entitlement": entitlement,
        "privileged": privileged,
        "critical": False,
        "how": "JIT, since 3 Mar 2025",
        "last_use": last_use,
        "peers": peers,
        "recommendation": recommendation,
        "because": because,
        "earlier_recommendation": recommendation,
        "earlier_because": because,
        "changed": "",
        "earlier_decisions": [],
        "decision": None,
        "reason": "",
        "decided_by": None,
    }
