"""Access reviews from the command line, from the draft to evidence that is proved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from reviews import CRM, PEOPLE, WIKI

from tests.homes import Home

TOLD = """
[[source]]
name = "hr"
connector = "hr_csv"
path = "hr.csv"
date_format = "%Y-%m-%d"

[[application]]
name = "crm"
connector = "app_csv"
path = "crm.csv"
owner = "owner@x.example"

[[application]]
name = "wiki"
connector = "app_csv"
path = "wiki.csv"
owner = "ann@x.example"

[[actor]]
email = "sec@x.example"
roles = ["security"]

[[actor]]
email = "owner@x.example"
roles = ["application_owner"]

[[actor]]
email = "boss@x.example"
roles = ["approver"]

[[actor]]
email = "audit@x.example"
roles = ["auditor"]
"""
SEC = ("--actor", "sec@x.example")
OWNER = ("--actor", "owner@x.example")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "leaverwatch.toml").write_text(TOLD)
    (folder / "hr.csv").write_text(PEOPLE)
    (folder / "crm.csv").write_text(CRM)
    (folder / "wiki.csv").write_text(WIKI)
    made = Home(folder)
    made.do("pull")
    made.do("detect")
    return made


def drafted(home: Home, *more: str) -> str:
    answer = home.do(
        "campaign", "create", "--title", "Admins", "--privileged", "--level", "application_owner",
        "--fallback", "boss@x.example", *more, *SEC,
    )  # fmt: skip
    return answer.out.strip()


def test_a_draft_without_a_fallback_is_wrong_use_and_says_what_is_needed(home: Home) -> None:
    answer = home.run("campaign", "create", "--title", "Admins", *SEC)
    assert answer.code == 2
    assert "--fallback: name who decides" in answer.err
    assert home.run("campaign", "create", "--title", "Admins", "--fallback", "nobody", *SEC).code == 2


def test_from_the_draft_to_evidence_that_holds(home: Home, tmp_path: Path) -> None:
    id = drafted(home, "--title", "Admins\x1b[8m\nand more")
    seen = home.do("campaign", "preview", id, "--format", "json", *SEC).json
    assert (seen["items"], seen["reviewers"], seen["unresolved"]) == (4, {"owner@x.example": 4}, [])
    assert "population SHA-256" in home.do("campaign", "launch", id, *SEC).err
    wanted = tmp_path / "decisions.csv"
    wanted.write_text(
        "application,account_id,entitlement,decision,reason\n"
        "crm,c2,Admin,keep,leads Finance\ncrm,c3,Admin,keep,leads Sales\n"
        "crm,c8,Admin,remove,a seller\ncrm,c10,Admin,keep,the robot\n"
    )
    assert "4 decisions noted" in home.do("campaign", "decide", id, "--file", str(wanted), *OWNER).err
    assert '"proposed": 1' in home.do("campaign", "close", id, *SEC).err
    [row] = home.do("campaign", "list", "--format", "json").json
    assert (row["id"], row["status"], row["items"], row["decided"]) == (id, "closed", 4, 4)
    file = tmp_path / "pack.zip"
    home.do("evidence", "export", id, "--into", str(file), "--actor", "audit@x.example")
    key = home.folder / "evidence" / "public.pem"
    proof = home.do("evidence", "verify", str(file), "--key", str(key), "--format", "json").json
    assert (proof["ok"], proof["trusted"], proof["problems"]) == (True, True, [])
    [told] = home.do("evidence", "verify", str(file)).out.splitlines()
    assert "unchanged: “Admins\N{REPLACEMENT CHARACTER}[8m and more”, made 20" in told, "a title drives no terminal"
    whole = bytearray(file.read_bytes())
    whole[len(whole) // 2] ^= 1
    file.write_bytes(bytes(whole))
    broken = home.run("evidence", "verify", str(file), "--key", str(key))
    assert broken.code == 1
    assert "was changed" in broken.err


def test_what_is_refused_has_its_code_and_a_reason(home: Home, tmp_path: Path) -> None:
    id = drafted(home)
    assert home.run("campaign", "launch", id, *OWNER).code == 1, "only security begins a review"
    assert home.run("campaign", "create", "--title", "x", "--template", "nothing", *SEC).code == 2
    assert home.run("campaign", "decide", id, *SEC).code == 2
    home.do("campaign", "launch", id, *SEC)
    rows = tmp_path / "rows.csv"
    rows.write_text("application,account_id,entitlement,decision\ncrm,c99,Admin,keep\n")
    told = home.run("campaign", "decide", id, "--file", str(rows), *OWNER)
    assert (told.code, "line 2: this campaign has no item crm/c99/Admin" in told.err) == (1, True)
    for content in (None, b"\xff\xfe\0c"):
        rows.unlink() if content is None else rows.write_bytes(content)
        wrong = home.run("campaign", "decide", id, "--file", str(rows), *OWNER)
        assert (wrong.code, f"{rows}: " in wrong.err, "Errno" in wrong.err) == (2, True, False)
    assert home.run("campaign", "close", id, *SEC).code == 1
    assert home.run("evidence", "export", id, "--actor", "audit@x.example").code == 1
    assert home.run("evidence", "export", id, *SEC).code == 1, "security reads, auditors export"
    assert home.run("evidence", "verify", str(rows)).code == 2


def test_reviewers_are_reminded_now_and_once_an_hour(home: Home) -> None:
    id = drafted(home)
    home.do("campaign", "launch", id, *SEC)
    told = home.run("campaign", "remind", id, *SEC)
    assert (told.code, "no channel reaches persons" in told.err) == (1, True)
    with (home.folder / "leaverwatch.toml").open("a") as settings:
        settings.write(
            '\n[[notify.channel]]\nname = "mail"\nkind = "mail"\nurl = {env = "MAIL"}\nfrom = "lw@x.example"\n'
        )
    assert "1 reminded: owner@x.example" in home.do("campaign", "remind", id, *SEC).err
    again = home.do("campaign", "remind", id, "--reviewer", "owner@x.example", *SEC).err
    assert "0 reminded" in again
    assert "not again within an hour: owner@x.example" in again
    none = home.run("campaign", "remind", id, "--reviewer", "boss@x.example", *SEC)
    assert (none.code, "boss@x.example has no open item" in none.err) == (1, True)


def test_a_deputy_and_a_schedule(home: Home) -> None:
    away = ("campaign", "delegate", "--to", "boss@x.example", "--reason", "holiday", *OWNER)
    told = home.run(*away, "--until", "2999-01-01")
    assert told.code == 1
    assert "within 90 days" in told.err
    soon = f"{datetime.now(UTC) + timedelta(days=7):%Y-%m-%d}"
    assert "boss@x.example decides the reviews of owner@x.example" in home.do(*away, "--until", soon).err
    made = home.do(
        "campaign", "schedule", "--title", "Quarterly", "--every-months", "3", "--template", "quarterly-privileged",
        "--fallback", "boss@x.example", "--first", "2999-01-01", *SEC,
    )  # fmt: skip
    assert len(made.out.strip()) == 26
