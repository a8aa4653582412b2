"""What was decided because of something that is no longer so: nobody is asked to close an account for it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from conftest import MakeHouse
from sqlmodel import select
from test_quarantined import APP, CRM, CY, LEAVER, SEC, Company

from governance import audit
from governance.remediation import approve, propose
from governance.tables import AuditEntry, Finding, Remediation

HERE = "3,active,cy@x.example,2020-01-01,\n"


def begun(company: Company, rule: str = "ghost") -> str:
    """The id of the task its owner was given because of a finding on Cy's account."""
    with company.house.store.read() as session:
        found = session.exec(select(Finding.fingerprint).where(Finding.rule == rule, Finding.account_id == "a3")).one()
    [task] = propose(company.house, SEC, company.now, [found], "left")
    approve(company.house, APP, company.now, [task.id], "yes")
    return task.id


def row(company: Company, id: str) -> Remediation:
    with company.house.store.read() as session:
        return session.get_one(Remediation, id)


def test_nobody_is_asked_to_close_the_account_of_somebody_who_works_here_again(
    make_house: MakeHouse, tmp_path: Path
) -> None:
    company = Company(make_house, tmp_path)
    company.reads(LEAVER, CY)
    task = begun(company)
    company.reads(LEAVER, CY)
    assert row(company, task).status == "executing"
    company.reads(HERE, CY)
    assert (row(company, task).status, row(company, task).error) == (
        "cancelled",
        "it is no longer so: nothing needs to be closed",
    )
    assert company.status("ghost") == [("resolved", "no_longer_true")]
    with company.house.store.read() as session:
        verbs = session.exec(select(AuditEntry.verb).where(AuditEntry.object == f"remediation/{task}")).all()
    assert verbs[-1] == "cancel"
    assert audit.verify(company.house.store).ok
    company.reads(LEAVER, CY)
    assert company.status("ghost") == [("open", None)]
    assert row(company, begun(company)).status == "executing"


def test_what_must_be_closed_for_another_reason_now_is_still_asked_for(make_house: MakeHouse, tmp_path: Path) -> None:
    header = "employee_id,status,work_email,hire_date,termination_date,worker_type,contract_end_date\n"
    company = Company(make_house, tmp_path)

    def reads(status: str) -> None:
        company.now += timedelta(hours=1)
        others = "".join(f"{n}0,active,p{n}@x.example,2020-01-01,,employee,\n" for n in range(1, 9))
        cy = f"3,{status},cy@x.example,2020-01-01,{'2026-10-01' if status == 'terminated' else ''},vendor,2026-09-01\n"
        (tmp_path / "hr.csv").write_text(header + others + cy)
        (tmp_path / "crm.csv").write_text(CRM + CY)
        company.reread()

    reads("active")
    task = begun(company, "contract_expired")
    reads("terminated")
    assert company.status("contract_expired") == [("resolved", "no_longer_true")]
    assert company.status("ghost") == [("open", None)]
    assert row(company, task).status == "executing"
