"""Role mappings from the command line: from a proposal to a change that two people brought in."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from reviews import CRM, PEOPLE

from connectors.sandbox.signing import Claims, IdentityProvider
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
provisioning = ["jit"]

[[sign_on]]
name = "okta"
issuer = "https://id.x.example"
audience = "crm"
certificates = ["idp.pem"]
keys = "idp.json"

[[actor]]
email = "sec@x.example"
roles = ["security"]

[[actor]]
email = "adm@x.example"
roles = ["admin"]

[[actor]]
email = "audit@x.example"
roles = ["auditor"]
"""
SEC, ADM = ("--actor", "sec@x.example"), ("--actor", "adm@x.example")


@pytest.fixture(scope="module")
def idp() -> IdentityProvider:
    return IdentityProvider("https://id.x.example", datetime.now(UTC))


@pytest.fixture
def home(tmp_path: Path, idp: IdentityProvider) -> Home:
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "leaverwatch.toml").write_text(TOLD)
    (folder / "hr.csv").write_text(PEOPLE)
    (folder / "crm.csv").write_text(CRM)
    (folder / "idp.pem").write_text(idp.certificate)
    (folder / "idp.json").write_text(json.dumps(idp.keys))
    made = Home(folder)
    made.do("pull")
    made.do("detect")
    return made


def test_from_a_proposal_to_a_change_that_two_people_brought_in(home: Home, tmp_path: Path) -> None:
    proposal = tmp_path / "proposal.json"
    said = home.do("mapping", "learn", "crm", "--into", str(proposal)).err
    assert "department is Sales → Seller: 2 of 2 hold it" not in said, "two are too few to learn from"
    proposal.write_text(json.dumps({
        "lines": [{"when": {"department": "Finance"}, "gives": ["Reader"]},
                  {"when": {"department": "Sales"}, "gives": ["Reader", "Seller"]},
                  {"when": {"title": "Head"}, "gives": ["Admin"]}]}))  # fmt: skip
    seen = home.do("mapping", "simulate", "crm", "--from", str(proposal), "--format", "json").json
    assert (seen["people"], seen["roles"]) == (8, {"Admin": 2, "Reader": 7, "Seller": 3})
    assert (seen["no_line"], [one["people"] for one in seen["lines"]]) == (1, [4, 3, 2])
    assert [(one["value"], one["people"]) for one in seen["uncovered"]] == [("Board", 1), ("Director", 1)]
    changed = home.do("mapping", "diff", "crm", "--from", str(proposal), "--format", "json").json
    assert (changed["changed"], changed["effects"]["gains_privilege"]) == (7, 2)
    version = home.do("mapping", "draft", "crm", "--from", str(proposal), *SEC).out.strip()
    assert version == "crm/1"
    assert "2 would gain privilege" in home.do("mapping", "ask", version, "--reason", "first", *SEC).err
    assert home.run("mapping", "approve", version, "--reason", "mine", *SEC).code == 1
    assert "is live" in home.do("mapping", "approve", version, "--reason", "looked", *ADM).err
    [row] = home.do("mapping", "list", "crm", "--format", "json").json
    assert (row["status"], row["actor"], row["decided_by"]) == ("live", "sec@x.example", "adm@x.example")
    assert (
        home.do("mapping", "show", "crm", "--format", "json").json["lines"] == json.loads(proposal.read_text())["lines"]
    )
    drift = {
        (one["display_name"], one["name"], one["cause"])
        for one in home.do("mapping", "drift", "crm", "--format", "json").json
    }
    # Eva leads the board, which no line covers; nobody gave the head of Sales what sellers get.
    assert drift == {
        ("Eva Lind", "Reader", "by_hand"),
        ("Joe Main", "Admin", "by_hand"),
        ("Tom Vale", "Seller", "by_hand"),
        ("Lea Bach", "Seller", "lacking"),
    }
    file = tmp_path / "record.zip"
    home.do("mapping", "export", version, "--into", str(file), "--actor", "audit@x.example")
    assert home.do("evidence", "verify", str(file), "--format", "json").json["ok"]
    assert "leaverwatch mapping" not in home.do("detect").err


def test_rules_read_what_was_brought_in_from_the_next_detect_run_on(home: Home, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("department,title,gives\nFinance; Sales,,Reader\nSales,Sell*,Seller\n")
    home.do("mapping", "draft", "crm", "--from", str(table), *SEC)
    home.do("mapping", "ask", "crm/1", "--reason", "first", *SEC)
    home.do("mapping", "approve", "crm/1", "--reason", "ok", *ADM)
    home.do("detect")
    found = home.do("findings", "--rule", "over_privileged", "--format", "json").json
    # The heads hold Admin, and so does a seller: no line gives it. Tom holds Seller and is in Finance; no line gives
    # the board anything.
    assert sorted(one["username"] for one in found) == ["eva", "joe", "lea", "max", "tom"]


def test_one_sign_in_is_tried_out(home: Home, idp: IdentityProvider, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("department,gives\nFinance,Reader\n")
    tom = Claims("00u6", "tom", {"email": "tom@x.example", "department": "Sales", "employeeNumber": "6"}, ("all",))
    signed = tmp_path / "tom.xml"
    signed.write_bytes(idp.saml(tom, "crm", datetime.now(UTC)))
    told = home.do(
        "mapping", "test", str(signed), "--application", "crm", "--from", str(table), "--format", "json"
    ).json
    assert (told["signature"], told["checked_by"], told["protocol"]) == ("verified", "okta", "saml")
    assert (told["decision"], told["account_id"], told["held"]) == ("update", "c6", ["Reader", "Seller"])
    assert (told["lines"], told["gives"], told["identity_id"]) == ([], [], "hr:6")
    assert "the identity provider says department “Sales”, the source of truth says “Finance”" in told["warnings"]
    token = tmp_path / "tom.jwt"
    token.write_text(idp.id_token(tom, "crm", datetime.now(UTC)))
    shown = home.do("mapping", "test", str(token), "--application", "crm").out
    assert "Signature verified with what is registered for okta" in shown
    signed.write_bytes(signed.read_bytes().replace(b">Sales<", b">Board<"))
    forged = home.run("mapping", "test", str(signed), "--application", "crm")
    assert (forged.code, "was changed after it was signed" in forged.err) == (1, True)


def test_somebody_elses_account_met_by_its_address_is_a_takeover_and_said_so(home: Home, idp, tmp_path: Path) -> None:
    sue = Claims("00u7", "sue2", {"email": "tom@x.example", "department": "Sales", "employeeNumber": "7"})
    file = tmp_path / "sue.xml"
    file.write_bytes(idp.saml(sue, "crm", datetime.now(UTC)))
    told = home.do("mapping", "test", str(file), "--application", "crm", "--format", "json").json
    assert (told["met_by"], told["account_id"]) == ("email", "c6")
    assert any("takes it over" in one for one in told["warnings"])
    assert any("whoever controls the address gets it" in one for one in told["warnings"])


def test_another_issuer_is_read_and_marked_as_unverified(home: Home, tmp_path: Path) -> None:
    stranger = IdentityProvider("https://other.example", datetime.now(UTC))
    file = tmp_path / "x.jwt"
    file.write_text(stranger.id_token(Claims("1", "eva", {"email": "eva@x.example"}), "crm", datetime.now(UTC)))
    told = home.do("mapping", "test", str(file), "--application", "crm", "--format", "json").json
    assert (told["signature"], told["checked_by"]) == ("unverified", None)


def test_what_is_wrong_is_named_with_file_and_place(home: Home, tmp_path: Path) -> None:
    table = tmp_path / "t.csv"
    table.write_text("deparment,gives\nFinance,Reader\n")
    refused = home.run("mapping", "simulate", "crm", "--from", str(table))
    assert (refused.code, "t.csv: row 2: no attribute is named 'deparment'" in refused.err) == (2, True)
    document = tmp_path / "t.json"
    for text, said in (("{", "t.json: "), ("[]", 'expected {"lines"'), ('{"lines": [{"gives": []}]}', "line 1")):
        document.write_text(text)
        refused = home.run("mapping", "diff", "crm", "--from", str(document))
        assert (refused.code, said in refused.err) == (2, True), refused.err
    assert home.run("mapping", "simulate", "crm", "--from", "nowhere.csv").code == 2
    assert home.run("mapping", "simulate", "erp").code == 2
    assert home.run("mapping", "drift", "crm").code == 1, "there is no mapping to hold against"
    assert home.run("mapping", "test", "nowhere.xml", "--application", "crm").code == 2
    (home.folder / "idp.pem").unlink()
    document.write_text("x")
    assert home.run("mapping", "test", str(document), "--application", "crm").code == 1
