"""A link in a notice shows and never decides (FAULTS F7), whoever follows it and however often."""

from __future__ import annotations

import http.client
import re
import shutil
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
import tomlkit
from seeded import TWO_APPLICATIONS, account, put_connectors, put_findings, put_remediation, put_run
from sqlmodel import select

from governance.tables import AuditEntry, Remediation, Request
from jobs.home import open_house
from tests.browser.alone import dashboard_alone
from tests.screen import BOSS, show, text_of

AGENTS = ("Mozilla/5.0", "SafeLinks prefetch", "Slackbot-LinkExpanding 1.0", "Microsoft-Office/16.0 ExistenceCheck")


@pytest.fixture
def home(tmp_path):
    folder = tmp_path / "home"
    folder.mkdir()
    (folder / "leaverwatch.toml").write_text(tomlkit.dumps(TWO_APPLICATIONS))
    house = open_house(folder, {}, datetime.now(UTC))
    now = datetime.now(UTC)
    put_connectors(house)
    put_run(house, now, [account("wiki", f"a{n}", owner_id=f"hr:{n}", owner_state="ended") for n in range(3)])
    put_findings(house, now, *({"application": "wiki", "status": "in_remediation"} for _ in range(3)))
    for n in range(3):
        put_remediation(
            house,
            f"R{n}",
            now,
            account_id=f"a{n}",
            username=f"person{n}",
            identity_name=f"Person {n}",
            finding=f"{n:016x}",
        )
    yield house
    house.store.close()
    shutil.rmtree(folder)


def state(house):
    with house.store.read() as session:
        return (
            [row.model_dump() for row in session.exec(select(Remediation).order_by(Remediation.id))],
            session.exec(select(AuditEntry.seq)).all(),
            session.exec(select(Request.id)).all(),
        )


def test_who_prefetches_a_link_a_hundred_times_decides_nothing(home):
    before = state(home)
    with dashboard_alone(home.home) as address:
        link = http.client.HTTPConnection(urlsplit(address).netloc, timeout=30)
        for number in range(100):
            link.request(
                ("GET", "HEAD")[number % 2], f"/approvals?id=R{number % 3}&decision=approve",
                headers={"User-Agent": AGENTS[number % 4], "Purpose": "prefetch"},
            )  # fmt: skip
            answer = link.getresponse()
            answer.read()
            assert answer.status in (200, 405)
        link.close()
    assert state(home) == before


@pytest.mark.filterwarnings("ignore::DeprecationWarning:streamlit")
@pytest.mark.parametrize("asked", ["R0", "R1", "R2"])
def test_a_link_opens_exactly_its_card_and_decides_nothing(home, asked):
    before = state(home)
    app = show(home, "approvals", BOSS, id=asked)
    assert not app.exception
    said = text_of(app)
    assert f"for `person{asked[1]}` in Wiki" in said, "its card is open"
    assert sorted(re.findall(r"Next: \*\*Person (\d)", said)) == sorted({"0", "1", "2"} - {asked[1]})
    assert state(home) == before
