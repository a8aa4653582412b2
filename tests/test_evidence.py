"""Evidence: complete, signed, proved offline, and every changed byte is named."""

from __future__ import annotations

import csv
import io
import json
import random
import shutil
import socket
import zipfile
from collections.abc import Sequence
from datetime import timedelta
from itertools import cycle
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from conftest import NOW
from formulas import LIVE
from pypdf import PdfReader
from reviews import CRM, PLAN, TOLD, actor, items, read, write
from sqlmodel import select

from governance import audit, campaigns, evidence
from governance.campaigns import Decision
from governance.errors import ConfigurationError, DecisionError
from governance.evidence.container import write as write_container
from governance.evidence.report import write_report
from governance.evidence.sheets import write_xlsx
from governance.house import House
from governance.tables import EvidencePack
from jobs import work
from jobs.evidence import build_one
from tests.kept_houses import beginning


@pytest.fixture
def settings() -> dict[str, Any]:
    return TOLD


def closed(house: House, crm: str = CRM, reasons: Sequence[str] = ("looked at",)) -> str:
    write(house, crm=crm)
    read(house, NOW - timedelta(days=1))
    sec = actor(house, "sec")
    out = [{"application": "crm", "account": "eva", "owner": "boss@x.example", "why": "the board is reviewed apart"}]
    made = campaigns.create(house, sec, NOW, "Autumn", {"left_out": out}, PLAN)
    campaigns.launch(house, sec, NOW, made.id)
    by: dict[str, list[Decision]] = {}
    why = cycle(reasons)
    for item in items(house, made.id).values():
        word = "remove" if item.account_id in ("c9", "c5") else "keep"
        by.setdefault(item.reviewer, []).append(Decision(item.number, word, next(why)))
    for email, wanted in by.items():
        campaigns.decide(house, actor(house, email), NOW + timedelta(hours=1), made.id, wanted)
    campaigns.close(house, sec, NOW + timedelta(days=2), made.id)
    return made.id


def packed(house: House) -> Path:
    return build_one(house, closed(house), house.home / "out" / "autumn.zip")


@pytest.fixture
def pack(house: House) -> Path:
    """The pack of a closed campaign, in the house where it was made."""
    return beginning(house, packed).home / "out" / "autumn.zip"


def rows(archive: zipfile.ZipFile, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(archive.read(name).decode(), newline="")))


def test_the_pack_holds_everything_an_auditor_asks_for(house, pack):
    with zipfile.ZipFile(pack) as archive:
        assert archive.namelist() == sorted(archive.namelist())
        assert set(archive.namelist()) == {
            *("audit.jsonl", "decision_log.csv", "decisions.csv", "decisions.xlsx", "manifest.json", "manifest.sig"),
            *("population.csv", "population.parquet", "public.pem", "removals.csv", "report.pdf", "statement.json"),
        }
        decisions, population = rows(archive, "decisions.csv"), rows(archive, "population.csv")
        assert [row["number"] for row in decisions] == [str(n) for n in range(1, len(decisions) + 1)]
        assert {row["decision"] for row in decisions} == {"keep", "remove"}
        assert all(row["decided_by"] and row["decided_at"] and row["reason"] for row in decisions)
        left_out = [row for row in population if row["left_out"]]
        assert [(row["username"], row["number"]) for row in left_out] == [("eva", "")]
        assert len(population) == len(decisions) + 1
        statement = json.loads(archive.read("statement.json"))
        crm = next(one for one in statement["sources"] if one["feed"] == "crm")
        assert (crm["rows_read"], crm["kept"], crm["rejected"]) == (12, 12, 0)
        accounts = statement["accounts"]
        assert accounts["read"] == sum(n for name, n in accounts.items() if name != "read")
        assert {row["status"] for row in rows(archive, "removals.csv")} == {"proposed"}
        verbs = [json.loads(line)["verb"] for line in archive.read("audit.jsonl").splitlines()]
        assert verbs[:2] == ["campaign.create", "campaign.launch"]
        assert {"campaign.decide", "campaign.close", "propose"} <= set(verbs)


def test_counts_agree_with_what_was_read(house, pack):
    """H4: the statement is recomputed from the raw file."""
    with zipfile.ZipFile(pack) as archive:
        statement = json.loads(archive.read("statement.json"))
        population = rows(archive, "population.csv")
    raw = list(csv.DictReader(io.StringIO(CRM)))
    live = [row for row in raw if row["status"] == "active"]
    grants = sum(len(row["entitlements"].split(";")) for row in live)
    assert len([row for row in population if row["application"] == "crm"]) == grants
    assert statement["accounts"]["read"] == len(raw) + 2
    assert statement["accounts"]["inactive"] == len(raw) - len(live)


def test_the_report_is_read_by_people(house, pack):
    with zipfile.ZipFile(pack) as archive:
        text = "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(archive.read("report.pdf"))).pages)
        book = openpyxl.load_workbook(io.BytesIO(archive.read("decisions.xlsx")))
    first = text.index("Left out of the review: 1")
    assert text.index("the board is reviewed apart") > first
    assert first < text.index("Completeness and accuracy") < text.index("Reviewers") < text.index("Removals: 2")
    assert "Ida Fern" in text
    sheet = book.active
    assert [cell.value for cell in sheet[1]][:3] == ["number", "application", "account_id"]
    assert sheet.max_row == len(items(house, _campaigns(house)[0])) + 1


def test_the_report_says_what_was_read_whole_and_what_as_changes(tmp_path):
    crm = {"feed": "crm", "at": "2026-11-23T12:00:00+00:00", "rows_read": 0, "whole_at": "2026-11-23T09:00:00+00:00"}
    crm |= {"whole": {"rows_read": 1040, "rejected": 2}, "changes": {"rows_read": 7, "rejected": 0}}
    dates = dict.fromkeys(("launched_at", "due_at", "closed_at"), NOW)
    review = {**dates, "title": "Autumn", "launched_by": "a", "closed_by": "a", "population_sha256": "", "outcome": {}}
    write_report(tmp_path / "report.pdf", {**review, "statement": {"sources": [crm]}}, [], iter(()), [], NOW)
    words = " ".join(" ".join(page.extract_text() for page in PdfReader(tmp_path / "report.pdf").pages).split())
    assert "(changes only)" in words
    assert "crm: everything was read as of 2026-11-23 09:00Z, 1,040 rows (2 rejected); since then only" in words
    assert "what changed, 7 rows (0 rejected)." in words


@pytest.mark.parametrize(
    "name",
    [
        "a\n" * 500,
        "\r\n" * 500,
        "W" * 10_000,
        "\x0b\x0c\u2028" * 200,
        "\u202egnp.exe\u202c",
        "\u200b" * 900,
        "\t" * 900,
        "<b>=1+1",
    ],
    ids=["lines", "other lines", "wide", "breaks", "turned round", "no width", "tabs", "marks"],
)
def test_no_name_keeps_the_report_from_being_made(tmp_path, name):
    dates = dict.fromkeys(("launched_at", "due_at", "closed_at", "verified_at"), NOW)
    texts = (
        "title",
        "launched_by",
        "closed_by",
        "population_sha256",
        "application",
        "username",
        "account_id",
        "reason",
    )
    texts += ("entitlement_id", "entitlement", "identity_name", "recommendation", "decision", "approved_by", "status")
    row = {**dates, **dict.fromkeys(texts, name), "number": 1, "control": False, "first_recommendation": "judge"}
    row |= {"decided_by": name, "owner": name, "left_out": name}
    source = {"feed": name, "source": name, "sha256": name, "whole_at": "2026-11-23T09:00:00+00:00"}
    review = {**row, "outcome": {}, "statement": {"left_out": [row], "sources": [source], "never_read": [name]}}
    given = {"reviewer": name, "given": 1, "decided": 1, "removed": 1, "seconds": 1.0, "flags": [name]}
    quality = [{**given, "bulk_share": 0.5, "agreement": 0.5}]
    write_report(tmp_path / "report.pdf", review, quality, iter([row]), [row], NOW)
    assert PdfReader(tmp_path / "report.pdf").pages


def test_a_reason_longer_than_a_cell_is_cut_and_not_left_out(tmp_path):
    rows = [{"reason": "x" * 40_000, "decision": "keep"}, {"reason": "y" * 32_767, "decision": "keep"}]
    write_xlsx(tmp_path / "x.xlsx", iter(rows), ("reason", "decision"), "t")
    _, cut, whole = openpyxl.load_workbook(tmp_path / "x.xlsx").active.iter_rows(values_only=True)
    assert (len(cut[0]), cut[0].startswith("xxx"), "the CSV of the same name" in cut[0]) == (32_767, True, True)
    assert whole[0] == "y" * 32_767


def _campaigns(house: House):
    from governance.tables import Campaign

    with house.store.read() as session:
        return session.exec(select(Campaign.id)).all()


def test_it_is_proved_with_the_public_key_alone(house, pack, tmp_path, monkeypatch):
    key = evidence.public_key_file(house.home).read_bytes()
    alone = shutil.copy(pack, tmp_path / "elsewhere.zip")

    def no_network(*_: object, **__: object) -> None:
        raise AssertionError("verifying opened a connection")

    monkeypatch.setattr(socket.socket, "connect", no_network)
    proof = evidence.verify(Path(alone), key)
    assert (proof.ok, proof.trusted, proof.files) == (True, True, 12)
    assert not evidence.verify(Path(alone)).trusted, "the key inside proves no origin"


def test_another_key_is_told(house, pack, tmp_path, make_house):
    other = tmp_path / "other"
    other.mkdir()
    pem = evidence.public_key_file(other).read_bytes()
    proof = evidence.verify(pack, pem)
    assert not proof.ok
    assert "public.pem is another key than the one given" in proof.problems


def test_any_changed_byte_is_found_and_named(house, pack, tmp_path):
    key = evidence.public_key_file(house.home).read_bytes()
    whole = pack.read_bytes()
    where = _places(pack)
    chance = random.Random(5)
    spots = [chance.randrange(len(whole)) for _ in range(300)]
    refused: list[str] = []
    for place in spots:
        changed = bytearray(whole)
        changed[place] ^= 1 << chance.randrange(8)
        copy = tmp_path / "changed.zip"
        copy.write_bytes(bytes(changed))
        try:
            proof = evidence.verify(copy, key)
        except ConfigurationError as refusal:  # no archive any more, or no key in it
            refused.append(str(refusal))
            continue
        assert not proof.ok, f"byte {place} was changed unnoticed"
        name = where(place)
        if name and not name.startswith(("manifest", "public")):
            assert any(name in problem for problem in proof.problems), (place, name, proof.problems)
    assert all("damaged" in said or "expected a" in said for said in refused), refused


def test_no_bit_of_a_header_is_changed_unnoticed(house, pack, tmp_path):
    """Every bit of the directory's entry of one member, among them how it is packed and whether it is locked."""
    key = evidence.public_key_file(house.home).read_bytes()
    whole = pack.read_bytes()
    begin = whole.rindex(b"removals.csv") - 46
    copy = tmp_path / "changed.zip"
    for place in range(begin, begin + 46 + len(b"removals.csv")):
        for bit in range(8):
            changed = bytearray(whole)
            changed[place] ^= 1 << bit
            copy.write_bytes(bytes(changed))
            try:
                found = evidence.verify(copy, key).ok
            except ConfigurationError:
                continue
            assert not found, (place - begin, bit)


def _places(pack: Path):
    """Which member's data a byte lies in."""
    spans = []
    with zipfile.ZipFile(pack) as archive:
        for info in archive.infolist():
            begin = info.header_offset + 30 + len(info.filename.encode()) + _extra(pack, info)
            spans.append((begin, begin + info.file_size, info.filename))
    return lambda place: next((name for begin, end, name in spans if begin <= place < end), None)


def _extra(pack: Path, info: zipfile.ZipInfo) -> int:
    with pack.open("rb") as file:
        file.seek(info.header_offset + 28)
        return int.from_bytes(file.read(2), "little")


@pytest.mark.parametrize("change", ["edit", "add", "remove", "swap"])
def test_a_pack_that_was_put_together_anew_names_the_file(house, pack, tmp_path, change):
    key = evidence.public_key_file(house.home).read_bytes()
    folder = tmp_path / "members"
    with zipfile.ZipFile(pack) as archive:
        archive.extractall(folder)
    members = {path.name: path for path in folder.iterdir()}
    if change == "edit":
        text = members["decisions.csv"].read_text()
        members["decisions.csv"].write_text(text.replace("remove", "keep", 1))
        named = "decisions.csv was changed"
    elif change == "add":
        members["more.csv"] = folder / "more.csv"
        members["more.csv"].write_text("x")
        named = "more.csv was added"
    elif change == "remove":
        del members["removals.csv"]
        named = "removals.csv is missing"
    else:
        members["removals.csv"], members["decisions.csv"] = members["decisions.csv"], members["removals.csv"]
        named = "decisions.csv was changed"
    forged = tmp_path / "forged.zip"
    write_container(forged, members)
    proof = evidence.verify(forged, key)
    assert named in proof.problems


def test_a_population_that_was_changed_is_no_evidence(house, tmp_path):
    id = closed(house)
    file = house.home / campaigns.load(house, id).population
    file.write_bytes(file.read_bytes() + b"x")
    with pytest.raises(DecisionError, match="was changed since the launch"):
        build_one(house, id, tmp_path / "x.zip")


def test_a_running_campaign_gives_no_evidence(house, tmp_path):
    write(house)
    read(house, NOW - timedelta(days=1))
    made = campaigns.create(house, actor(house, "sec"), NOW, "x", {}, PLAN)
    with pytest.raises(DecisionError, match="evidence is of closed ones"):
        build_one(house, made.id, tmp_path / "x.zip")


def test_no_cell_becomes_a_formula(house, tmp_path):
    out = io.StringIO(newline="")
    lines = csv.writer(out)
    for place, text in enumerate((text for text in LIVE if "\0" not in text), 100):  # a file with NUL is not believed
        lines.writerow([f"p{place}", text, "", "active", "4", "2026-11-20", "human", "Reader"])
    path = build_one(house, closed(house, CRM + out.getvalue(), LIVE), tmp_path / "x.zip")
    with zipfile.ZipFile(path) as archive:
        lists = [
            rows(archive, name) for name in ("population.csv", "decisions.csv", "decision_log.csv", "removals.csv")
        ]
        book = openpyxl.load_workbook(io.BytesIO(archive.read("decisions.xlsx")))
    live = ("=", "+", "-", "@", "\t", "\r", "\0", "＝", "＋", "－", "＠")
    for table in lists:
        assert not [v for row in table for v in row.values() if v and v.lstrip().startswith(live) and not _number(v)]
    for line in book.active.iter_rows():
        for cell in line:
            assert cell.data_type != "f", cell.value


def _number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def test_the_worker_builds_what_closing_asked_for(house):
    id = closed(house)
    work.run(house, "evidence", {})
    with house.store.read() as session:
        pack = session.exec(select(EvidencePack)).one()
    assert (pack.campaign, pack.status) == (id, "ready")
    assert evidence.verify(house.home / pack.path).ok
    assert audit.verify(house.store).ok


def test_what_is_no_evidence_is_refused(tmp_path):
    for content in (b"", b"PK", b"hello" * 100):
        file = tmp_path / "x.zip"
        file.write_bytes(content)
        with pytest.raises(ConfigurationError, match="no evidence file"):
            evidence.verify(file)
    with pytest.raises(ConfigurationError, match="no evidence file"):
        evidence.verify(tmp_path / "absent.zip")
