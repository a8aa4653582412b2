"""Houses that already hold something: the demo company read and judged, and small ones with numbers known by heart."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from governance.findings.listing import write_listing
from governance.house import House
from governance.rulebook import all_rules
from governance.score import SEVERITY
from governance.snapshots import believed
from governance.store import put_rows
from governance.tables import Connector, DetectRun, Finding, Pull, Remediation, Snapshot
from tests.estates import ACCOUNT_COLUMNS, IDENTITY_COLUMNS, frame

RUN = "01M7ZZZZZZZZZZZZZZZZZZZZZZ"
TWO_APPLICATIONS = {
    "act": {"enabled": True},
    "source": [{"name": "hr", "title": "HR file", "connector": "hr_csv", "path": "hr.csv"}],
    "application": [
        {
            "name": "crm",
            "title": "Customer CRM",
            "connector": "app_csv",
            "path": "crm.csv",
            "owner": "owner@example.com",
        },
        {
            "name": "wiki",
            "title": "Wiki",
            "connector": "scim",
            "base_url": "http://127.0.0.1:1/",
            "write_token": {"env": "WIKI_TOKEN"},
            "outdated_after": "2h",
        },
    ],
    "actor": [
        {"email": "sec@example.com", "name": "Sam Secure", "roles": ["security"]},
        {"email": "boss@example.com", "name": "Bea Boss", "roles": ["approver"]},
        {"email": "owner@example.com", "name": "Olga Owner", "roles": ["application_owner"]},
        {"email": "admin@example.com", "name": "Ada Admin", "roles": ["admin"]},
        {"email": "audit@example.com", "name": "Aud Itor", "roles": ["auditor"]},
    ],
}


def demo_company(folder: Path, now: datetime) -> None:
    """The demo company's files in a folder, read as they were and as they are, and judged. Its SCIM side stays unread."""
    from connectors.sandbox.company import build
    from jobs import home
    from jobs.detect import detect
    from jobs.pull import pull

    company = build(folder, now)
    house = home.open_house(folder, {}, now)
    home.announce(house, now)
    current = {feed: (folder / "feeds" / f"{feed}.csv").read_bytes() for feed in company.earlier}
    for feed, path in company.earlier.items():
        (folder / "feeds" / f"{feed}.csv").write_bytes(path.read_bytes())
    pull(house, list(company.earlier), now, at=company.earlier_at)
    for feed, content in current.items():
        (folder / "feeds" / f"{feed}.csv").write_bytes(content)
    pull(house, list(company.earlier), now)
    detect(house, now)
    house.store.close()


def put_run(
    house: House,
    now: datetime,
    accounts: Iterable[Mapping[str, Any]] = (),
    identities: Iterable[Mapping[str, Any]] = (),
    summary: Mapping[str, Any] | None = None,
    not_evaluable: Mapping[str, Any] | None = None,
    id: str = RUN,
) -> None:
    """A stored detect run whose estate holds these accounts and identities."""
    folder = house.snapshots / "estates" / id
    folder.mkdir(parents=True)
    frame(ACCOUNT_COLUMNS, accounts).sort("application", "account_id").write_parquet(folder / "accounts.parquet")
    frame(IDENTITY_COLUMNS, identities).sort("identity_id").write_parquet(folder / "identities.parquet")
    write_listing(folder)
    with house.store.write() as session:
        session.add(
            DetectRun(
                id=id,
                as_of=now,
                started_at=now,
                finished_at=now,
                estate=f"estates/{id}",
                not_evaluable=dict(not_evaluable or {}),
                summary=dict(summary or {}),
            )
        )


def account(application: str, account_id: str, **values: Any) -> dict[str, Any]:
    """An account of the estate: active, matched, of somebody who works here."""
    return {
        "application": application,
        "account_id": account_id,
        "username": account_id,
        "active": True,
        "present": True,
        "privileged": False,
        "match": "matched",
        "match_key": "email",
        "owner_id": f"hr:{account_id}",
        "owner_name": f"Person {account_id}",
        "owner_state": "current",
        "as_of_s": 0,
        **values,
    }


def put_findings(house: House, now: datetime, *rows: Mapping[str, Any]) -> list[str]:
    """Findings with sensible values; gives their fingerprints. The order of the rows is the order of the fingerprints."""
    rules = all_rules()
    full = []
    for number, row in enumerate(rows):
        rule = row.get("rule", "ghost")
        severity = rules[rule].severity
        name = row.get("identity_name", f"Person {number}")
        full.append(
            {
                "fingerprint": f"{number:016x}",
                "rule": rule,
                "severity": severity,
                "score": SEVERITY[severity],
                "status": "open",
                "application": "crm",
                "account_id": f"a{number}",
                "username": f"person{number}",
                "identity_id": f"hr:{number}",
                "identity_name": name,
                "reason": f"{name} left on 4 Nov 2026; the account person{number} in Customer CRM is still active.",
                "evidence": {"facts": [], "values": {}},
                "search": f"{name.lower()} person{number}",
                "digest": "d",
                "first_seen": now,
                "opened_at": now,
                "since_at": None,
                "resolved_at": None,
                "resolved_why": None,
                "reopened": 0,
                **row,
            }
        )
    with house.store.write() as session:
        put_rows(session, Finding, full)
    return [str(row["fingerprint"]) for row in full]


def put_snapshot(house: House, feed: str, at: datetime, status: str = "published", **values: Any) -> str:
    """A snapshot row of a feed."""
    id = values.pop("id", f"{feed}-{at:%Y%m%d%H%M%S}-{status}")
    with house.store.write() as session:
        session.add(
            Snapshot(
                id=id, feed=feed, kind="application", at=at, pulled_at=at, status=status, rows={}, change={},
                released_by=[], **values,
            )
        )  # fmt: skip
    return id


def put_pull(house: House, feed: str, number: int, at: datetime, status: str = "ok", **values: Any) -> None:
    """One pull of a feed."""
    row = Pull(
        id=f"{number:026d}", feed=feed, at=at, started_at=at, finished_at=at, status=status, notes=[],
        **{"rejects": [], **values},
    )  # fmt: skip
    with house.store.write() as session:
        session.add(row)


def put_whole_before(house: House, feed: str, earlier: timedelta, **counts: int) -> None:
    """As if the newest snapshot of a feed were the changes since this long before, when all of it was read."""
    with house.store.write() as session:
        last = believed(session, feed)
        assert last is not None
        last.whole_at = whole_at = last.at - earlier
        session.add(last)
    put_pull(house, feed, 1, whole_at, snapshot=put_snapshot(house, feed, whole_at, whole_at=whole_at), **counts)


def put_connectors(house: House) -> None:
    """What the two connectors of the settings declare."""
    with house.store.write() as session:
        session.add(Connector(name="app_csv", title="File", kind="application", capabilities=["pull"], tells=["account.active", "account.mfa"]))  # fmt: skip
        session.add(
            Connector(
                name="scim", title="SCIM 2.0", kind="application", tells=["account.active"],
                capabilities=["pull", "read_one", "deactivate", "reactivate"], scopes={"deactivate": ["write Users"]},
            )
        )  # fmt: skip


def put_remediation(house: House, id: str, now: datetime, **values: Any) -> Remediation:
    """A remediation proposed by sec@example.com."""
    row = Remediation(
        **{
            "id": id, "status": "proposed", "application": "wiki", "account_id": "a0", "username": "person0",
            "identity_id": "hr:0", "identity_name": "Person 0", "finding": "0" * 16, "rule": "ghost",
            "reason": "left", "proposed_by": "sec@example.com", "proposed_at": now - timedelta(minutes=5),
            "evidence": {"finding": {"reason": "Person 0 left.", "severity": "critical", "facts": {"facts": []}}},
            **values,
        }
    )  # fmt: skip
    with house.store.write() as session:
        session.add(row)
    return row
