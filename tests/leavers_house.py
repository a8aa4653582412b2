"""A whole house on one disk for the tests of failing disks: thirty of forty people left, their accounts live in a SCIM server."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections import Counter
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlmodel import col, select

from connectors.sandbox.scim_server import ScimSandbox
from governance import audit, remediation
from governance.errors import LeaverwatchError
from governance.house import House
from governance.tables import AuditDetail, AuditEntry, DetectRun, Finding, Remediation, Snapshot
from jobs import home, work

PEOPLE, LEFT = 40, 30
TOLD = """
[[source]]
name = "hr"
connector = "hr_csv"
path = "hr.csv"
date_format = "%Y-%m-%d"
every = "1d"
[[application]]
name = "wiki"
connector = "scim"
base_url = "{url}"
token = {{ file = "token" }}
write_token = {{ file = "token" }}
every = "1d"
[act]
enabled = true
max_per_run = 100
max_share = 1.0
[[actor]]
email = "sec@x.example"
roles = ["security"]
[[actor]]
email = "app@x.example"
roles = ["approver"]
"""


def wiki() -> ScimSandbox:
    """The application, not yet started."""
    people = [{"userName": f"p{n}@x.example", "active": True, "externalId": str(n)} for n in range(PEOPLE)]
    return ScimSandbox(people, token="t")


def build(folder: Path, url: str) -> House:
    """The house, pulled and detected once."""
    (folder / "leaverwatch.toml").write_text(TOLD.format(url=url))
    (folder / "token").write_text("t")
    (folder / "token").chmod(0o600)
    rows = [f"{n},terminated,p{n}@x.example,2026-01-31" for n in range(LEFT)]
    rows += [f"{n},active,p{n}@x.example," for n in range(LEFT, PEOPLE)]
    (folder / "hr.csv").write_text("\n".join(["employee_id,status,work_email,termination_date", *rows, ""]))
    house = home.open_house(folder, {}, home.clock())
    home.announce(house, home.clock())
    assert {result.status for result in work.pull(house, ["hr", "wiki"], environ={})} == {"published"}
    assert work.detect(house).counts["ghost"] == LEFT
    return house


def approve(house: House, count: int) -> list[str]:
    """Propose and approve to close so many of the ghosts; the ids of what was approved."""
    now = home.clock()
    with house.store.read() as session:
        open_ones = select(Finding.fingerprint).where(Finding.rule == "ghost", Finding.status == "open")
        ghosts = session.exec(open_ones.order_by(Finding.fingerprint).limit(count)).all()
    proposed = remediation.propose(house, home.actor_named(house, "sec@x.example"), now, ghosts, "left")
    ids = [r.id for r in proposed]
    remediation.approve(house, home.actor_named(house, "app@x.example"), now, ids, "yes")
    return ids


def statuses(house: House) -> Counter[str]:
    """How many remediations are in which state."""
    with house.store.read() as session:
        return Counter(session.exec(select(Remediation.status)).all())


def sound(house: House, server: ScimSandbox) -> None:
    """The store is whole, every call had its line in the audit first, and every visible snapshot can be read."""
    import polars as pl

    assert house.store.file is not None
    with closing(sqlite3.connect(house.store.file)) as raw:
        assert raw.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert audit.verify(house.store).ok
    with house.store.read() as session:
        lines = session.exec(
            select(AuditDetail)
            .join(AuditEntry, col(AuditEntry.seq) == AuditDetail.seq)
            .where(AuditEntry.verb == "deactivate")
        ).all()
        shown = session.exec(select(Snapshot).where(Snapshot.status == "published")).all()
        judged = session.exec(
            select(DetectRun.estate).where(DetectRun.estate != "").order_by(col(DetectRun.id).desc())
        ).first()
    meant = Counter(line.facts["account_id"] for line in lines)
    called = Counter(seen.path.rpartition("/")[2] for seen in server.requests if seen.method in ("PATCH", "PUT"))
    assert not called - meant, f"called without a record: {called - meant}"
    files = [file for snapshot in shown for file in (house.snapshots / snapshot.path).glob("*.parquet")]
    assert len(files) >= len(shown) > 0
    for file in files:
        pl.read_parquet(file)
    assert pl.read_parquet(house.snapshots / str(judged) / "accounts.parquet").height == PEOPLE


def tried(do: Any) -> tuple[str, str]:
    """Do this; the class and words of the error, or `ok`. Anything that is no error of ours is a failure."""
    try:
        found = do()
    except LeaverwatchError as error:
        return type(error).__name__, str(error)
    failed = [r for r in found if getattr(r, "status", "") == "failed"] if isinstance(found, list) else []
    return ("failed", str(getattr(failed[0], "error", ""))) if failed else ("ok", "")


def main(folder: Path) -> None:
    """Do what each line of standard input says, in one long-lived process, and answer with a line of JSON."""
    house = home.open_house(folder, {}, home.clock())
    does = {
        "pull": lambda: work.pull(house, ["hr", "wiki"], environ={}),
        "detect": lambda: work.detect(house),
        "approve": lambda: approve(house, 1),
        "remediate": lambda: work.remediate(house, environ={}),
        "verify": lambda: work.verify(house, environ={}),
    }
    for line in sys.stdin:
        print(json.dumps(tried(does[line.strip()])), flush=True)  # noqa: T201


if __name__ == "__main__":
    main(Path(sys.argv[1]))
