"""The accounts Leaverwatch itself uses (FAULTS.md D13): flagged before their credential ends."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from conftest import NOW, MakeHouse

from governance.views import applications
from jobs import home
from jobs.detect import detect
from jobs.doctor import examine
from jobs.pull import pull

HR = "employee_id,status,work_email,display_name,termination_date,contract_end_date\n"
SETTINGS: dict[str, Any] = {
    "source": [{"name": "hr", "connector": "hr_csv", "path": "hr.csv"}],
    "application": [
        {"name": "crm", "connector": "app_csv", "path": "crm.csv", "own_account": "ada", "title": "CRM"},
        {"name": "erp", "connector": "app_csv", "path": "erp.csv", "own_account": "robot"},
        {"name": "wiki", "connector": "app_csv", "path": "erp.csv"},
    ],
}


@pytest.mark.parametrize(
    ("row", "account", "said"),
    [
        ("1,active,ada@nwl.example,Ada Byrne,,", "active", None),
        ("1,terminated,ada@nwl.example,Ada Byrne,2026-11-03,", "active", "belongs to Ada Byrne, who left on"),
        ("1,active,ada@nwl.example,Ada Byrne,2026-12-10,", "active", "belongs to Ada Byrne, who leaves on"),
        ("1,active,ada@nwl.example,Ada Byrne,2027-06-30,", "active", None),
        ("1,active,ada@nwl.example,Ada Byrne,,", "inactive", "is closed"),
    ],
)
def test_an_own_account_is_flagged_when_it_or_its_owner_goes(
    make_house: MakeHouse, tmp_path: Path, row: str, account: str, said: str | None
) -> None:
    (tmp_path / "hr.csv").write_text(HR + row + "\n2,active,ben@nwl.example,Ben Cole,,\n")
    (tmp_path / "crm.csv").write_text(
        f"account_id,username,email,status\n7,ada,ada@nwl.example,{account}\n8,ben,ben@nwl.example,active\n"
    )
    (tmp_path / "erp.csv").write_text("account_id,username,status,kind\n1,robot,active,service\n")
    house = make_house(SETTINGS)
    assert {r.status for r in pull(house, [], NOW, connect=home.connect)} == {"published"}
    detect(house, NOW + timedelta(minutes=1))
    cards = {card.name: card for card in applications.cards(house, NOW)}
    assert cards["erp"].credential is None
    assert cards["wiki"].credential is None
    told = {check.what: check for check in examine(house, NOW, {})}
    if said is None:
        assert cards["crm"].credential is None
        assert "own account of crm" not in told
    else:
        assert said in (cards["crm"].credential or "")
        assert cards["crm"].trouble == "credential"
        assert said in told["own account of crm"].says


def test_an_own_account_that_is_gone_is_flagged_until_it_is_there_again(make_house: MakeHouse, tmp_path: Path) -> None:
    header, rest = "account_id,username,email,status\n", "8,ben,ben@nwl.example,active\n"
    (tmp_path / "hr.csv").write_text(HR + "1,active,ada@nwl.example,Ada Byrne,,\n2,active,ben@nwl.example,Ben Cole,,\n")
    (tmp_path / "erp.csv").write_text("account_id,username,status,kind\n1,Robot,active,service\n2,x,active,human\n")
    house = make_house(SETTINGS)

    def seen(crm: str, hours: int) -> dict[str, str | None]:
        (tmp_path / "crm.csv").write_text(header + crm)
        now = NOW + timedelta(hours=hours)
        assert {r.status for r in pull(house, [], now, connect=home.connect)} == {"published"}
        detect(house, now)
        return {card.name: card.credential for card in applications.cards(house, now)}

    assert seen("7,Ada,ada@nwl.example,active\n" + rest, 0) == {"crm": None, "erp": None, "wiki": None}
    assert "is gone" in (seen(rest, 1)["crm"] or "")
    assert seen("9,ADA,ada@nwl.example,active\n" + rest, 2)["crm"] is None
