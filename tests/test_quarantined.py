"""Rows that could not be believed: whom they are about is neither gone nor a leaver, and nothing is proved by them."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from conftest import NOW, MakeHouse
from sqlmodel import select

from governance.access import Actor
from governance.house import House
from governance.remediation import approve, propose
from governance.snapshots import believed, newest_estate
from governance.snapshots.frames import scan
from governance.tables import Finding, Pull, Remediation
from governance.views.freshness import freshness
from governance.views.population import population
from jobs import home
from jobs.detect import detect
from jobs.doctor import examine
from jobs.pull import pull

SEC = Actor("sec@x.example", "Sec", frozenset({"security"}))
APP = Actor("app@x.example", "App", frozenset({"approver"}))
HR = "employee_id,status,work_email,hire_date,termination_date\n"
LEAVER = "3,terminated,cy@x.example,2020-01-01,2026-01-31\n"
CRM = "account_id,email,status,created_at,entitlements\n"
CY = "a3,cy@x.example,active,2021-01-01,Auditor;User\n"
UNREADABLE = [
    pytest.param("a3,cy@x.example,active,2021-13-01,User\n", id="a date that is none"),
    pytest.param("a3,cy@x.example,enabled,2021-01-01,User\n", id="a status that is unknown"),
    pytest.param(CY + CY.replace("active", "inactive"), id="two rows that differ"),
    pytest.param("a3,cy@x.example,active,2021-01-01\n", id="a row that is too short"),
    pytest.param(CY.replace("a3", ""), id="a row without an id"),
]


class Company:
    """A house fed by two files, an hour after the other."""

    def __init__(self, make_house: MakeHouse, folder: Path, **source: Any) -> None:
        self.folder, self.now = folder, NOW - timedelta(days=9)
        feed = {"name": "hr", "connector": "hr_csv", "path": "hr.csv", **source}
        application = {"name": "crm", "connector": "app_csv", "path": "crm.csv"}
        self.house: House = make_house({"source": [feed], "application": [application]})

    def reads(self, hr: str, crm: str) -> None:
        """Write both files, read them and judge."""
        self.now += timedelta(hours=1)
        others = [f"{n}0,active,p{n}@x.example,2020-01-01,\n" for n in range(1, 9)]
        (self.folder / "hr.csv").write_text(HR + "".join(others) + hr)
        accounts = [f"b{n},p{n}@x.example,active,2021-01-01,User\n" for n in range(1, 9)]
        (self.folder / "crm.csv").write_text(CRM + "".join(accounts) + crm)
        self.reread()

    def reread(self) -> None:
        """Read both files as they are, and judge."""
        results = pull(self.house, [], self.now, connect=home.connect)
        assert {result.status for result in results} == {"published"}, results
        detect(self.house, self.now)

    def status(self, rule: str) -> list[tuple[str, str | None]]:
        """The findings of a rule on Cy's account: status and why resolved."""
        with self.house.store.read() as session:
            rows = session.exec(select(Finding).where(Finding.rule == rule, Finding.account_id == "a3")).all()
        return [(row.status, row.resolved_why) for row in rows]

    def accounts(self, *ids: str) -> list[dict[str, Any]]:
        """Those of these ids, or all, as the last detect run has them."""
        with self.house.store.read() as session:
            estate = newest_estate(self.house, session)
        assert estate is not None
        rows = pl.read_parquet(estate / "accounts.parquet").to_dicts()
        return [row for row in rows if not ids or row["account_id"] in ids]

    def held(self) -> set[str]:
        """What Cy's account holds as the last snapshot says, by the names."""
        with self.house.store.read() as session:
            folder = self.house.snapshots / believed(session, "crm").path
        names = dict(
            scan("entitlements", [folder / "entitlements.parquet"])
            .select("entitlement_id", "name")
            .collect()
            .iter_rows()
        )
        grants = (
            scan("grants", [folder / "grants.parquet"]).select("account_id", "entitlement_id").collect().iter_rows()
        )
        return {names[entitlement] for account, entitlement in grants if account == "a3"}


def asked_of_the_owner(company: Company) -> str:
    """Cy has left, and the application's owner is asked to close the account: the id of that task."""
    company.reads(LEAVER, CY)
    with company.house.store.read() as session:
        [ghost] = session.exec(select(Finding.fingerprint).where(Finding.rule == "ghost")).all()
    [task] = propose(company.house, SEC, company.now, [ghost], "left")
    approve(company.house, APP, company.now, [task.id], "yes")
    return task.id


@pytest.mark.parametrize("row", UNREADABLE)
def test_an_account_whose_row_is_quarantined_is_not_gone(make_house: MakeHouse, tmp_path: Path, row: str) -> None:
    company = Company(make_house, tmp_path)
    task = asked_of_the_owner(company)

    def task_is() -> str:
        with company.house.store.read() as session:
            return session.get_one(Remediation, task).status

    company.reads(LEAVER, row)
    company.reads(LEAVER, row)
    assert company.status("ghost") == [("in_remediation", None)]
    assert (task_is(), company.held()) == ("executing", {"Auditor", "User"})
    with company.house.store.read() as session:
        pulls = session.exec(select(Pull).where(Pull.feed == "crm").order_by(Pull.id)).all()
    assert [bool(one.rejected) for one in pulls] == [False, True, True]
    company.reads(LEAVER, "")
    assert (task_is(), company.status("ghost")) == ("verified", [("resolved", "verified")])


@pytest.mark.parametrize("row", UNREADABLE)
@pytest.mark.parametrize("entitlement", [None, "User"], ids=["the account", "one entitlement"])
def test_nor_is_it_where_what_was_known_of_it_is_lost(
    make_house: MakeHouse, tmp_path: Path, row: str, entitlement: str | None
) -> None:
    company = Company(make_house, tmp_path)
    task = asked_of_the_owner(company)
    if entitlement:
        with company.house.store.write() as session:
            held = session.get_one(Remediation, task)
            held.entitlement_id = entitlement
            session.add(held)

    def task_is() -> str:
        with company.house.store.read() as session:
            return session.get_one(Remediation, task).status

    shutil.rmtree(company.house.snapshots / "crm")
    for _ in range(2):  # the second time nothing is lost any more, and as little is known
        company.reads(LEAVER, row)
        assert (task_is(), company.status("ghost")) == ("executing", [("in_remediation", None)])
        [there] = company.accounts("a3")
        assert (there["present"], there["active"], there["owner_id"]) == (True, None, None)
    nameless = row.startswith(",") or row.count(",") < 4
    assert bool(population(company.house, company.now).doubts) == nameless
    company.reads(LEAVER, CY)
    assert (task_is(), company.status("ghost")) == ("executing", [("in_remediation", None)])
    assert company.accounts("a3")[0]["owner_id"] == "hr:3"
    company.reads(LEAVER, row)
    company.reads(LEAVER, "")
    assert (task_is(), company.status("ghost")) == ("verified", [("resolved", "verified")])


def test_what_nobody_decided_about_is_not_made_up_from_a_quarantined_row(make_house: MakeHouse, tmp_path: Path) -> None:
    company = Company(make_house, tmp_path)
    company.reads("", "")
    shutil.rmtree(company.house.snapshots / "crm")
    company.reads("", "total: 8 accounts\n,,,,\n")
    assert len(company.accounts()) == 8


def test_an_account_whose_row_was_quarantined_for_a_while_was_not_reborn(make_house: MakeHouse, tmp_path: Path) -> None:
    company = Company(make_house, tmp_path)
    for crm in (CY, CY.replace("2021-01-01", "2021-13-01"), CY):
        company.reads("3,active,cy@x.example,2020-01-01,\n", crm)
    assert company.status("reborn") == []


@pytest.mark.parametrize(
    ("row", "state"),
    [
        ("3,active,cy@x.example,2020-13-01,\n", "missing_from_source"),
        ("3,aktiv,cy@x.example,2020-01-01,\n", "missing_from_source"),
        ("", "ghost"),
    ],
)
def test_a_quarantined_row_is_no_absence(make_house: MakeHouse, tmp_path: Path, row: str, state: str) -> None:
    company = Company(make_house, tmp_path, absence_means="leaver")
    company.reads("3,active,cy@x.example,2020-01-01,\n", CY)
    company.reads(row, CY)
    company.reads(row + "9,active,ivy@x.example,2020-01-01,\n", CY)
    found = {rule: company.status(rule) for rule in ("ghost", "missing_from_source")}
    assert found == {rule: [("open", None)] if rule == state else [] for rule in found}


def test_who_is_absent_beside_a_quarantined_row_has_left_and_so_has_who_left_before(
    make_house: MakeHouse, tmp_path: Path
) -> None:
    bad = "99,active,zoe@x.example,2020-13-01,\n"
    company = Company(make_house, tmp_path, absence_means="leaver")
    company.reads("3,active,cy@x.example,2020-01-01,\n", CY)
    company.reads(bad, CY)
    company.reads(bad + "9,active,ivy@x.example,2020-01-01,\n", CY)
    assert company.status("ghost") == [("open", None)]


def test_a_row_that_says_nothing_of_whom_it_is_about_is_told_where_it_keeps_absence_from_counting(
    make_house: MakeHouse, tmp_path: Path
) -> None:
    company = Company(make_house, tmp_path, absence_means="leaver")
    company.reads("3,active,cy@x.example,2020-01-01,\n", CY)
    nameless = ",active,zoe@x.example,2020-01-01,\n"
    company.reads(nameless, CY.replace("a3", ""))
    company.reads(nameless + "9,active,ivy@x.example,2020-01-01,\n", CY.replace("a3", ""))
    assert company.status("ghost") == []
    assert company.status("missing_from_source") == [("open", None)]
    with company.house.store.read() as session:
        notes = {pull.feed: pull.notes for pull in session.exec(select(Pull).order_by(Pull.id)).all()}
    assert any("nobody's absence counts" in note for note in notes["hr"])
    assert any("1 missing account is taken for unchanged" in note for note in notes["crm"])
    feeds = {feed.name: feed for feed in freshness(company.house, company.now)}
    assert [feeds[name].sound for name in ("hr", "crm")] == [False, False]
    said = [feeds[name].doubt.says for name in ("hr", "crm")]
    assert "1 person missing from it is not taken for a leaver" in said[0]
    assert "1 account missing from it is not taken for gone" in said[1]
    assert population(company.house, company.now).doubts == tuple(said)
    examined = {one.what: (one.ok, one.says) for one in examine(company.house, company.now, {})}
    assert [examined[f"absences in {name}"] for name in ("hr", "crm")] == [(False, one) for one in said]
    company.reads("", CY)
    assert company.status("ghost") == [("open", None)]
    assert not population(company.house, company.now).doubts
    assert all(feed.sound for feed in freshness(company.house, company.now))


def test_the_last_use_of_an_account_whose_row_is_quarantined_is_not_known(
    make_house: MakeHouse, tmp_path: Path
) -> None:
    company = Company(make_house, tmp_path)
    header, used = CRM.rstrip() + ",last_login_at\n", CY.rstrip() + ",2026-11-01\n"
    person = "3,active,cy@x.example,2020-01-01,\n"
    others = "".join(f"b{n},p{n}@x.example,active,2021-01-01,User,2026-11-01\n" for n in range(1, 9))
    for row, days in ((used, 0), (used.replace("active", "enabled"), 149)):
        company.now += timedelta(days=days)
        company.reads(person, "")
        (tmp_path / "crm.csv").write_text(header + others + row)
        company.now += timedelta(hours=1)
        assert {result.status for result in pull(company.house, [], company.now, connect=home.connect)} == {"published"}
        detect(company.house, company.now)
    with company.house.store.read() as session:
        stale = {row.account_id for row in session.exec(select(Finding).where(Finding.rule == "stale")).all()}
    assert stale == {f"b{n}" for n in range(1, 9)}
