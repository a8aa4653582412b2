"""A house with one application and one ghost: identity 1 left, account a1 is active; identity 2 works here."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import select

from governance.access import Actor
from governance.guards import believe
from governance.records import Account, Identity, Reading
from governance.snapshots import stage
from governance.tables import Finding
from jobs.detect import detect
from tests.kept_houses import beginning

ANA = Actor(email="ana@nwl.example", name="Ana", roles=frozenset({"security"}))
TOM = Actor(email="tom@nwl.example", name="Tom", roles=frozenset({"admin"}))
IRIS = Actor(email="iris@nwl.example", name="Iris", roles=frozenset({"auditor"}))
SETTINGS = {
    "source": [{"name": "hr", "connector": "hr_csv", "path": "hr.csv"}],
    "application": [{"name": "crm", "connector": "app_csv", "path": "crm.csv"}],
}


def say(house, now, feed, *records):
    staged = stage(house, house.settings.feed(feed), records, Reading(), now, now)
    assert believe(house, staged, now, "worker").status == "published"


def leaver(now, number="1", days=19):
    return Identity(
        source="hr",
        employee_id=number,
        state="ended",
        ended_at=now - timedelta(days=days),
        display_name=f"Person {number}",
    )


def account(number="1", **facts):
    told = {"employee_id": number, "username": f"u{number}", "active": True, "privileged": False} | facts
    return Account("crm", f"a{number}", **told)


def findings(house, **where):
    with house.store.read() as session:
        rows = session.exec(select(Finding).order_by(Finding.fingerprint)).all()
    return [row for row in rows if all(getattr(row, key) == value for key, value in where.items())]


def only(house, **where):
    [row] = findings(house, **where)
    return row


def with_a_ghost(house, now):
    """The house after it was read and judged once."""

    def read(new):
        say(new, now, "hr", leaver(now), Identity("hr", "2", state="current", display_name="Person 2"))
        say(new, now, "crm", account(), account("2"))
        detect(new, now)

    return beginning(house, read, now)
