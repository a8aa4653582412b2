"""Snapshots that are not where they were written, as after a restore or without their disk: nothing is concluded."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta

import pytest
from homes import CRM, HR, SETTINGS, Home

TWICE = """[[source]]
name = "second"
connector = "hr_csv"
path = "second.csv"
ids = "shared"
"""


@pytest.fixture
def home(tmp_path):
    (tmp_path / "leaverwatch.toml").write_text(SETTINGS)
    (tmp_path / "hr.csv").write_text(HR)
    (tmp_path / "crm.csv").write_text(CRM)
    found = Home(tmp_path, {"LEAVERWATCH_ACTOR": "sec@x.example"})
    found.do("pull", "--detect")
    return found


def ghosts(home):
    return [
        (row["status"], row["account_id"]) for row in home.do("findings", "--rule", "ghost", "--format", "json").json
    ]


@pytest.fixture
def bare(home):
    """The home without its snapshots: the store alone was restored, or their disk is not there."""
    shutil.rmtree(home.folder / "snapshots")
    return home


def test_nobody_is_taken_for_gone_because_what_was_read_is_not_there(bare):
    answer = bare.run("detect")
    assert answer.code == 2
    for feed in ("hr", "crm"):
        assert f"{feed}: what was read as of 20" in answer.err
        assert f"or read it anew with leaverwatch pull {feed}" in answer.err
    assert answer.err.endswith("nothing was judged")
    assert bare.run("detect", "--dry-run").code == 2
    doctor = {row["what"]: row for row in bare.run("doctor", "--format", "json").json}
    assert doctor["snapshots"]["result"] == "FAILED"
    assert "hr: what was read as of 20" in doctor["snapshots"]["says"]
    bare.do("pull", "--detect")
    assert ghosts(bare) == [("open", "a3")]


def test_what_may_not_be_read_is_not_lost_and_is_named(home):
    [place] = (home.folder / "snapshots" / "hr").glob("*")
    people = place / "identities.parquet"
    people.rename(place / "kept")
    people.mkdir()  # refused even to root, as another user's file is to anybody else
    for command in ("pull", "detect"):
        answer = home.run(command)
        assert (answer.code != 0, f"cannot be read: {people}: Is a directory" in answer.err) == (True, True)
    doctor = {row["what"]: row for row in home.run("doctor", "--format", "json").json}
    assert (doctor["snapshots"]["result"], str(people) in doctor["snapshots"]["says"]) == ("FAILED", True)
    people.rmdir()
    (place / "kept").rename(people)
    home.do("pull", "--detect")
    assert ghosts(home) == [("open", "a3")]


def test_what_was_read_is_for_nobody_else(home):
    place = home.folder / "snapshots"
    assert place.stat().st_mode & 0o077 == 0
    place.chmod(0o755)
    home.folder.chmod(0o755)
    doctor = {row["what"]: row for row in home.run("doctor", "--format", "json").json}
    assert (doctor["snapshots"]["result"], f"chmod 700 {place}" in doctor["snapshots"]["says"]) == ("note", True)


@pytest.mark.parametrize(
    "command",
    ["accounts", "identities", "access hr:3", "findings", "radar", "rules coverage", "pin crm/a3 hr:1 --reason x"],
)
def test_a_list_is_refused_not_empty_while_the_last_estate_is_not_there(home, command):
    shutil.rmtree(home.folder / "snapshots" / "estates")
    answer = home.run(*command.split())
    assert (answer.code, answer.out) == (2, "")
    assert "what the last detect run found is not in" in answer.err
    assert answer.err.endswith("any more: run leaverwatch detect")
    home.do("detect")
    home.do(*command.split())


def test_after_a_restore_detecting_is_enough(home):
    kept = home.do("backup").out.strip()
    for _ in range(3):  # no estate that the backup knows is kept
        home.do("detect")
    home.do("restore", kept)
    assert home.run("findings", "--rule", "ghost").code == 2
    home.do("detect")
    assert ghosts(home) == [("open", "a3")]
    home.do(
        "exclude",
        home.do("findings", "--rule", "ghost", "--format", "json").json[0]["fingerprint"],
        "--until",
        f"{datetime.now(UTC) + timedelta(days=9):%Y-%m-%d}",
        "--reason",
        "x",
    )


@pytest.mark.parametrize(("lines", "code"), [(6, 0), (5, 0), (3, 3)], ids=["as many", "one less", "three less"])
def test_what_is_read_anew_is_guarded_by_number(bare, lines, code):
    (bare.folder / "hr.csv").write_text("".join(HR.splitlines(keepends=True)[:lines]))
    answer = bare.run("pull", "--format", "json")
    assert answer.code == code
    assert answer.json[0]["status"] == ("held" if code else "published")
    assert ("3 of 5 were removed since the last believed snapshot" in answer.err) == bool(code)


@pytest.mark.parametrize("admin", ["active", "terminated"])
def test_two_may_release_what_was_read_anew_and_then_everything_is_judged_again(bare, admin):
    few = "".join(HR.splitlines(keepends=True)[:2])
    (bare.folder / "hr.csv").write_text(f"{few}6,{admin},admin@x.example,Fay,2020-01-01,,Finance\n")
    held = bare.run("pull", "--format", "json").json[0]["snapshot"]
    assert bare.run("detect").code == 2
    release = ("guard", "release", held, "--reason", "the disk is lost", "--actor")
    bare.do(*release, "sec@x.example")
    assert bare.run(*release, "sec@x.example").code != 0, "one alone releases nothing"
    answer = bare.run(*release, "admin@x.example")
    if admin == "terminated":
        assert "has left and may not act any more" in answer.err
    else:
        assert answer.code == 0
        bare.do("detect")


def test_one_person_in_two_sources_is_one_who_releases(home):
    text = SETTINGS.replace('date_format = "%Y-%m-%d"\n', 'date_format = "%Y-%m-%d"\nids = "shared"\n' + TWICE, 1)
    (home.folder / "leaverwatch.toml").write_text(text)
    (home.folder / "hr.csv").write_text(f"{HR}6,active,admin@x.example,Fay,2020-01-01,,Finance\n")
    (home.folder / "second.csv").write_text("employee_id,status,work_email\n6,active,sec@x.example\n")
    home.do("pull", "--detect")
    shutil.rmtree(home.folder / "snapshots")
    (home.folder / "hr.csv").write_text(f"{HR.splitlines()[0]}\n6,active,admin@x.example,Fay,2020-01-01,,Finance\n")
    held = next(row for row in home.run("pull", "--format", "json").json if row["feed"] == "hr")
    assert held["status"] == "held"
    release = ("guard", "release", held["snapshot"], "--reason", "the disk is lost", "--actor")
    home.do(*release, "sec@x.example")
    assert "has released this already" in home.run(*release, "admin@x.example").err
