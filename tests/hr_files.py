"""What the tests of HR files share: a header, the settings for real files, and the one person of a file of one row."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from governance.records import Identity
from tests.feeds import hr

HEADER = "employee_id,status,work_email,display_name"
CERT = {
    "default_status": "active",
    "columns": {
        "employee_id": "user_id",
        "display_name": "employee_name",
        "work_email": "email",
        "job_title": "role",
        "manager_name": "supervisor",
    },
}


def one(tmp_path: Path, header: str, row: str, **options: Any) -> Identity:
    """The one person of a file of one row."""
    pulled = hr(tmp_path, f"employee_id,{header}\nE1,{row}\n", **options)
    return pulled.people["E1"]


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)
