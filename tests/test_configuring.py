"""Adding a feed from a page: what is refused, what the file looks like afterwards, and that a running worker takes it up."""

from __future__ import annotations

import threading
import time
import tomllib

import pytest
from sqlmodel import col, select

from governance import audit, configuring, secrets
from governance.configuring import Draft, as_toml, mended
from governance.errors import ConfigurationError, NotAllowed
from governance.house import install, installed
from governance.tables import AuditEntry, JobRun, Pull, Request
from jobs import home, work
from jobs.configuring import add_feed, renewal, with_feed
from jobs.worker import serve
from tests.a_commented_file import ADMIN, CANARY, LEDGER, NOW, SECURITY, TOML, WIKI, a_house, asked, text, write
from tests.screen import rows_of


@pytest.fixture
def house(tmp_path):
    yield from a_house(tmp_path)


# --- what is asked for


def test_only_who_may_configure_asks_and_only_they_have_it_written(house):
    with pytest.raises(NotAllowed, match="configure"):
        configuring.add(house, SECURITY, NOW, Draft("application", LEDGER))
    request = asked(house)
    with pytest.raises(NotAllowed, match="configure"):
        add_feed(house, SECURITY, request.arguments, {})
    assert text(house) == TOML


@pytest.mark.parametrize(
    ("change", "key", "words"),
    [
        ({"name": ""}, "name", "missing"),
        ({"name": "Not a name"}, "name", "small letters"),
        ({"name": "hr"}, "name", "another feed"),
        ({"path": ""}, "path", "missing"),
        ({"path": None}, "path", "missing"),
        ({"every": "soon"}, "every", "15m"),
        ({"criticality": "huge"}, "criticality", "low"),
        ({"colour": "red"}, "colour", "not known"),
        ({"columns": "account_id"}, "columns", "table"),
        ({"connector": "hr_csv"}, "connector", "no connector"),
        ({"connector": "nothing"}, "connector", "no connector"),
    ],
)
def test_what_is_wrong_is_said_by_key_and_nothing_is_asked(house, change, key, words):
    draft = Draft("application", {**LEDGER, **change})
    assert words in configuring.problems(house, draft)[key]
    with pytest.raises(ConfigurationError):
        configuring.add(house, ADMIN, NOW, draft)
    assert rows_of(house, Request) == []


@pytest.mark.parametrize("url", ["wiki", "x.example/", "https://", "https://me:secret@x.example/", "http://x:99999/"])
def test_an_address_is_whole_and_holds_no_password(house, url):
    draft = Draft("application", {**WIKI, "base_url": url}, {"token": CANARY})
    assert "address" in configuring.problems(house, draft)["base_url"]


@pytest.mark.parametrize(
    "place",
    [CANARY, {"store": "crm.token"}, {"file": "/etc/passwd"}, {"env": "A B"}, {"env": "LEAVERWATCH_KEY"}, {"env": 1}],
)
def test_a_secret_is_typed_or_comes_from_a_variable_that_is_not_ours(house, place):
    draft = Draft("application", {**WIKI, "token": place})
    assert configuring.problems(house, draft)["token"]
    with pytest.raises(ConfigurationError):
        configuring.add(house, ADMIN, NOW, draft)


def test_a_typed_secret_is_sealed_and_stands_nowhere_else(house):
    request = asked(house, WIKI, token=CANARY)
    write(house, request)
    assert secrets.get(house.store, house.home, "wiki.token") == CANARY
    assert tomllib.loads(text(house))["application"][1]["token"] == {"store": "wiki.token"}
    house.store.close()
    for file in house.home.rglob("*"):
        assert not file.is_file() or CANARY.encode() not in file.read_bytes(), file


def test_a_secret_of_another_feed_is_not_taken(house):
    """A request that did not come from the verb: the address would get what belongs to another."""
    request = asked(house, WIKI, token=CANARY)
    forged = {**request.arguments, "table": {**WIKI, "name": "evil", "token": {"store": "wiki.token"}}}
    with pytest.raises(ConfigurationError, match="token"):
        add_feed(house, ADMIN, forged, {})
    assert text(house) == TOML


def test_a_name_that_waits_is_not_given_twice_so_its_secret_stays(house):
    asked(house, WIKI, token=CANARY)
    with pytest.raises(ConfigurationError, match="just now"):
        asked(house, WIKI, token="another")
    assert secrets.get(house.store, house.home, "wiki.token") == CANARY


def test_a_key_pasted_into_one_line_is_whole_again():
    body = "x" * 100
    key = f"-----BEGIN PRIVATE KEY-----\n{body[:64]}\n{body[64:]}\n-----END PRIVATE KEY-----\n"
    assert mended(key.replace("\n", "")) == key.strip() + "\n"
    assert mended(key.replace("\n", " ")) == key.strip() + "\n"
    assert mended(key) == key.strip()
    assert mended("  plain ") == "plain"


# --- what is written


def test_a_feed_stands_after_the_last_of_its_kind_and_every_comment_stays(house):
    write(house, asked(house, {**LEDGER, "columns": {"username": "login"}, "privileged": ["admin*"]}))
    block = '[[application]]\nname = "ledger"\ntitle = "Ledger"\nconnector = "app_csv"\npath = "ledger.csv"\n'
    block += 'every = "1d"\nprivileged = ["admin*"]\n\n[application.columns]\nusername = "login"\n'
    assert text(house) == TOML.replace("\n# --- people", f"\n{block}\n# --- people")
    assert (house.home / "leaverwatch.toml.bak").read_text() == TOML
    assert (house.home / "leaverwatch.toml").stat().st_mode & 0o777 == 0o640
    assert sorted(file.name for file in house.home.glob(".leaverwatch*")) == []
    assert home.read_settings(house.home, {})[0].feed("ledger").label == "Ledger"


@pytest.mark.parametrize("kind", ["source", "application"])
@pytest.mark.parametrize(
    "before",
    [
        "",
        "# only a comment",
        '[[application]]\nname = "a"\nconnector = "x"',
        '[[application]]\r\nname = "a"\r\nconnector = "x"\r\n# end\r\n',
        '[[application]]\nname = "a"\nlong = """\n[[application]]\n"""\n[policy]\nstale_days = 1\n',
        '[[application]]\nname = "a"\nlist = [\n  "[policy]",\n  # none\n]\n',
        '[ [application] ]\n'.replace(" ", "") + 'name = "a"\n[application.values.status]\nA = "active"\n[act]\n',
        '[["application"]]\nname = "a"\n[act]\nenabled = true # yes\n',
    ],
)  # fmt: skip
def test_whatever_the_file_looks_like_it_says_the_same_and_one_feed_more(before, kind, tmp_path):
    table = {"name": "new", "token": {"store": "new.token"}, "values": {"status": {"A b": 'act"ive'}}}
    after = tomllib.loads(with_feed(before, kind, table, tmp_path))
    wanted = tomllib.loads(before)
    wanted[kind] = [*wanted.get(kind, []), table]
    assert after == wanted


def test_a_file_that_cannot_be_added_to_is_left_alone(house):
    (house.home / "leaverwatch.toml").write_text(
        'application = [{ name = "crm", connector = "app_csv", path = "c" }]\n'
    )
    before, request = text(house), None
    request = asked(house)
    with pytest.raises(ConfigurationError, match="by hand"):
        write(house, request)
    assert text(house) == before


def test_a_file_that_changed_meanwhile_is_left_alone(house):
    request = asked(house)
    (house.home / "leaverwatch.toml").write_text(TOML + "# edited\n")
    with pytest.raises(ConfigurationError, match="changed by somebody else"):
        write(house, request)
    assert text(house) == TOML + "# edited\n"
    assert not (house.home / "leaverwatch.toml.bak").exists()


def test_an_edit_by_hand_before_it_was_asked_for_is_kept(house):
    (house.home / "leaverwatch.toml").write_text(TOML + "# edited\n")
    write(house, asked(house))
    assert text(house).endswith("# edited\n")
    assert "ledger" in text(house)


@pytest.mark.parametrize(
    ("table", "environ", "words"),
    [
        ({**LEDGER, "delimiter": "long"}, {}, "delimiter"),
        ({**LEDGER, "columns": {"nothing": "x"}}, {}, "columns.nothing"),
        ({**WIKI, "base_url": "http://10.0.0.1/", "token": {"env": "WIKI"}}, {"WIKI": "t"}, "allow_private"),
        ({**WIKI, "token": {"env": "WIKI"}}, {}, "WIKI"),
    ],
)
def test_the_connector_itself_proves_its_keys_before_anything_is_written(house, table, environ, words):
    request = asked(house, table)
    with pytest.raises(ConfigurationError, match=f"nothing was written.*{words}"):
        write(house, request, **environ)
    assert text(house) == TOML
    assert "configure" not in {entry.verb for entry in rows_of(house, AuditEntry)}


def test_a_linked_file_is_kept_elsewhere(house):
    (house.home / "leaverwatch.toml").rename(house.home / "kept.toml")
    (house.home / "leaverwatch.toml").symlink_to("kept.toml")
    with pytest.raises(ConfigurationError, match="kept elsewhere"):
        asked(house)
    assert rows_of(house, Request) == []


def test_writing_is_audited_with_who_and_what(house):
    digest = write(house, asked(house))
    entries = [(e.actor, e.verb, e.object) for e in rows_of(house, AuditEntry)]
    assert entries[-2:] == [
        ("admin@x.example", "ask", "configure/ledger"),
        ("admin@x.example", "configure", "application/ledger"),
    ]
    assert digest == configuring.file_digest(house.home)
    assert audit.verify(house.store).ok


def test_a_store_that_takes_no_line_leaves_the_file(house):
    request = asked(house)
    with house.store.write() as session:
        session.connection().exec_driver_sql(
            "CREATE TRIGGER no_more BEFORE INSERT ON auditentry BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
    with pytest.raises(Exception, match="full"):
        write(house, request)
    assert text(house) == TOML


def test_the_snippet_is_what_would_be_written():
    shown = as_toml("application", {**WIKI, "token": {"env": "WIKI_TOKEN"}})
    assert 'token = { env = "WIKI_TOKEN" }' in shown
    assert tomllib.loads(shown) == {"application": [{**WIKI, "token": {"env": "WIKI_TOKEN"}}]}


# --- who takes it up


def until(true, seconds=20.0):
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_running_worker_and_dashboard_take_up_what_was_written(house):
    stop = threading.Event()
    worker = threading.Thread(target=serve, args=(house, stop, {}))
    worker.start()
    try:
        request = asked(house)
        until(lambda: [p.status for p in rows_of(house, Pull) if p.feed == "ledger"] == ["ok"])
        with house.store.read() as session:
            assert session.get_one(Request, request.id).status == "done"
        install(house, renewal({}))
        assert installed().settings.feed("ledger").label == "Ledger"
        assert installed() is installed(), "read once"
        work_asked = Request(id="01Z", at=NOW, actor=ADMIN.email, verb="check", arguments={"feeds": ["ledger"]})
        with house.store.write() as session:
            session.add(work_asked)
        until(lambda: [r.status for r in rows_of(house, JobRun) if r.job == "check"] == ["ok"])
    finally:
        stop.set()
        worker.join(30)
    assert not worker.is_alive()


def test_a_refusal_stands_with_the_request(house):
    request = asked(house, {**LEDGER, "delimiter": "long"})
    stop = threading.Event()
    worker = threading.Thread(target=serve, args=(house, stop, {}))
    worker.start()
    try:
        until(lambda: rows_of(house, Request)[0].status == "failed")
    finally:
        stop.set()
        worker.join(30)
    assert "delimiter" in str(rows_of(house, Request)[0].error)
    assert request.id == rows_of(house, Request)[0].id
    assert text(house) == TOML


def test_settings_that_cannot_be_read_any_more_leave_those_in_force(house):
    renew = renewal({})
    with house.store.write() as session:
        session.add(Request(id="01A", at=NOW, actor="a", verb="configure", arguments={}, status="done"))
    (house.home / "leaverwatch.toml").write_text("[[")
    assert renew(house) is house


def test_a_check_says_what_is_wrong(house):
    (house.home / "crm.csv").unlink()
    with pytest.raises(Exception, match=r"crm\.csv"):
        work.run(house, "check", {"feeds": ["crm"]}, ADMIN.email, {})
    with house.store.read() as session:
        run = session.exec(select(JobRun).where(JobRun.job == "check").order_by(col(JobRun.id).desc())).first()
    assert run is not None
    assert run.status == "failed"
    assert "crm.csv" in str(run.error)
