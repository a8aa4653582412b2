"""The demo: builds the invented company, finds exactly what is wrong in it, shows it, and ends when asked."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from pathlib import Path

import pytest
from sqlmodel import select

from governance.errors import ConfigurationError
from governance.tables import Finding, Pull
from jobs import demo
from jobs.up import free_port

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    """The demo as it stands when the pages open, what it said, and how long it took."""
    folder, said = tmp_path_factory.mktemp("demo") / "home", []
    started = time.monotonic()
    house, wiki = demo.prepare(folder, {}, said.append)
    yield house, wiki, said, time.monotonic() - started
    wiki.stop()
    house.store.close()


class TestPreparing:
    def test_takes_seconds(self, prepared):
        assert prepared[3] < 20

    def test_finds_exactly_what_is_wrong_in_the_invented_company(self, prepared):
        house = prepared[0]
        truth = json.loads((house.home / "truth.json").read_text())
        with house.store.read() as session:
            found = session.exec(select(Finding.rule, Finding.application, Finding.account_id)).all()
        assert Counter(rule for rule, _, _ in found) == {rule: n for rule, n in truth["counts"].items() if n}
        ghosts = sorted([application, account] for rule, application, account in found if rule == "ghost")
        assert ghosts == truth["findings"]["ghost"]

    def test_begins_with_one_sentence_a_person_understands(self, prepared):
        house, _, said, _ = prepared
        truth = json.loads((house.home / "truth.json").read_text())
        sentence = next(line for line in said if "left in the last 30 days" in line)
        assert sentence.startswith(f"{truth['left']} people left in the last 30 days; {truth['still_holding']} of them")
        assert f"{truth['open_accounts']} active accounts, the oldest for {truth['oldest_days']} days" in sentence

    def test_reads_every_feed_twice_so_that_movers_and_the_missing_are_known(self, prepared):
        house = prepared[0]
        with house.store.read() as session:
            pulls = Counter(session.exec(select(Pull.feed).where(Pull.status == "ok")))
        assert pulls["hr"] == 2
        assert set(pulls) == {"hr", "salesforce", "github", "figma", "wiki"}

    def test_again_goes_on_with_what_was_decided(self, prepared):
        house = prepared[0]
        with house.store.read() as session:
            before = set(session.exec(select(Finding.fingerprint)))
        said: list[str] = []
        again, wiki = demo.prepare(house.home, {}, said.append)
        try:
            with again.store.read() as session:
                assert set(session.exec(select(Finding.fingerprint))) == before
            assert "goes on" in said[0]
            assert wiki.url in (house.home / "leaverwatch.toml").read_text()
        finally:
            wiki.stop()
            again.store.close()


class TestItsFolder:
    def test_is_the_one_the_environment_names(self, tmp_path):
        assert demo.folder_of({"LEAVERWATCH_HOME": str(tmp_path)}) == tmp_path
        assert demo.folder_of({}) == Path.cwd() / ".leaverwatch-demo"

    def test_is_never_taken_from_somebody_else(self, tmp_path):
        (tmp_path / "leaverwatch.toml").write_text("")
        with pytest.raises(ConfigurationError):
            demo.clear(tmp_path)
        with pytest.raises(ConfigurationError):
            demo.prepare(tmp_path, {}, lambda _: None)
        assert (tmp_path / "leaverwatch.toml").exists()

    def test_is_emptied_when_it_is_a_demo_s(self, tmp_path):
        (tmp_path / "old" / "feeds").mkdir(parents=True)
        (tmp_path / "old" / "truth.json").write_text("{}")
        demo.clear(tmp_path / "old")
        assert not (tmp_path / "old").exists()


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_the_whole_demo_shows_its_first_page_and_ends_when_asked(tmp_path, end):
    environ = {**os.environ, "LEAVERWATCH_HOME": str(tmp_path / "demo")}
    command = [sys.executable, "-m", "jobs", "demo", "--port", str(free_port(18_501))]
    started = time.monotonic()
    with subprocess.Popen(command, cwd=ROOT, env=environ, stderr=subprocess.PIPE, text=True) as running:
        said, address = [], None
        for line in running.stderr:
            said.append(line)
            if found := re.search(r"open on (http://127\.0\.0\.1:\d+)", line):
                address = found[1]
                break
        assert address, "".join(said)
        with urllib.request.urlopen(f"{address}/healthz", timeout=10) as answer:
            assert json.load(answer) == {"status": "ok"}
        with urllib.request.urlopen(address, timeout=10) as answer:
            assert answer.status == 200
        assert time.monotonic() - started < 60
        children = subprocess.run(
            ["ps", "-o", "pid=", "--ppid", str(running.pid)], capture_output=True, text=True, check=True
        ).stdout.split()
        assert len(children) == 2
        running.send_signal(end)
        rest = running.stderr.read()
        assert running.wait(30) == 0, rest
    assert [pid for pid in children if Path(f"/proc/{pid}").exists()] == []
    assert "Traceback" not in rest
