"""Between the network and the pages: cookies, headers, the way back after signing in, and a door that stays closed."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from datetime import timedelta

import pytest
import requests

from governance import sessions
from governance.errors import ConfigurationError
from governance.settings import parse
from governance.tables import SignIn
from jobs import front_door, home
from jobs.front_door import FrontDoor, hosts, narrowed, refuse_open, secrets_for_streamlit
from tests.browser.alone import dashboard_alone
from tests.conftest import NOW
from tests.foreign_servers import free_port
from tests.homes import ROOT, SETTINGS, Home, process
from tests.screen import rows_of

SIGN_IN = {
    "address": "https://lw.example",
    "provider": [{"name": "corp", "issuer": "https://id.example/", "client_id": "lw", "client_secret": {"env": "S"}}],
}
OPEN, CLOSED = parse({"sign_in": SIGN_IN}), parse({})
HERE = parse({"sign_in": {**SIGN_IN, "address": "http://127.0.0.1:8501"}})


def ask(settings, path, *, client="203.0.113.9", kind="http", answer=(), **headers):
    """One request through the door; what comes out: status, headers, or None for a closed websocket."""
    told = []

    async def inside(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": list(answer)})
        await send({"type": "http.response.body", "body": b"inside"})

    async def send(message):
        told.append(message)

    async def receive():
        return {"type": "http.request"}

    named = {name.replace("_", "-").encode(): value.encode() for name, value in headers.items()}
    scope = {
        "type": kind,
        "path": path,
        "method": "GET",
        "headers": list(named.items()),
        "client": client and (client, 1),
    }
    asyncio.run(FrontDoor(inside, settings)(scope, receive, send))
    if told[0]["type"] != "http.response.start":
        return None
    return told[0]["status"], told[0]["headers"]


def cookies(headers):
    return [value.decode() for name, value in headers if name == b"set-cookie"]


# --- Addresses

HTML, SCRIPT = ((b"content-type", b"text/html; charset=utf-8"),), ((b"content-type", b"text/javascript"),)


@pytest.mark.parametrize("path", ["/a/b", "/findings/1/2", "/static/none"])
def test_an_address_below_a_page_leads_to_where_it_is_said_that_there_is_none(path):
    status, headers = ask(OPEN, path, answer=HTML)
    assert (status, dict(headers)[b"location"]) == (307, b"/no-such-page")
    assert dict(headers)[b"x-frame-options"] == b"DENY"
    assert ask(OPEN, path, answer=SCRIPT)[0] == 200


@pytest.mark.parametrize(
    "path", ["/", "/x", "/findings/", "/_stcore/host", "/component/grid/index.html", "/auth/login"]
)
def test_what_stands_at_an_address_is_answered_there(path):
    assert ask(OPEN, path, answer=HTML)[0] == 200


# --- Cookies


@pytest.mark.parametrize(
    ("given", "made"),
    [
        ("_streamlit_user=x; HttpOnly; Max-Age=2592000; Path=/; SameSite=lax", "_streamlit_user=x; HttpOnly; Max-Age=43200; Path=/; SameSite=lax; Secure"),
        ("_streamlit_user__1=x; Max-Age=2592000; expires=Sun, 01 Jan 2027 00:00:00 GMT; Path=/", "_streamlit_user__1=x; Max-Age=43200; Path=/; Secure"),
        ("_streamlit_user_tokens=x; Max-Age=2592000; Path=/; HttpOnly", "_streamlit_user_tokens=x; Max-Age=43200; Path=/auth/logout; HttpOnly; Secure"),
        ("_streamlit_user_tokens__2=x; Path=/", "_streamlit_user_tokens__2=x; Path=/auth/logout; Secure"),
        ("_streamlit_user=; Max-Age=0; Path=/", "_streamlit_user=; Max-Age=0; Path=/; Secure"),
        ("_streamlit_xsrf=x; Path=/", "_streamlit_xsrf=x; Path=/; Secure"),
        ("other=_streamlit_user_tokens; Max-Age=9999999; Path=/; secure", "other=_streamlit_user_tokens; Max-Age=9999999; Path=/; secure"),
    ],
)  # fmt: skip
def test_a_cookie_reaches_no_further_and_lives_no_longer_than_it_must(given, made):
    assert narrowed(given, True, timedelta(hours=12)) == made
    assert "ecure" not in narrowed(given.replace("; secure", ""), False, timedelta(hours=12))
    assert cookies(ask(OPEN, "/", answer=[(b"set-cookie", given.encode())])[1]) == [made]


def test_every_answer_has_its_headers_and_https_is_kept():
    found = dict(ask(OPEN, "/", answer=[(b"X-Frame-Options", b"ALLOW")])[1])
    assert found.items() >= front_door.HEADERS.items()
    assert b"X-Frame-Options" not in found
    assert found[b"strict-transport-security"] == b"max-age=31536000"
    assert b"strict-transport-security" not in dict(ask(HERE, "/")[1])


# --- Back to the page asked for


def test_the_page_before_the_sign_in_is_kept_in_a_cookie_for_the_way_back_alone():
    [kept] = cookies(
        ask(OPEN, "/auth/login", host="lw.example", referer="https://lw.example/approvals?id=7&x=a%20b")[1]
    )
    assert kept == (
        "leaverwatch_asked=/approvals%3Fid%3D7%26x%3Da%2520b; Path=/oauth2callback; Max-Age=600; HttpOnly; SameSite=Lax;"
        " Secure"
    )
    came = kept.partition(";")[0]
    status, headers = ask(OPEN, "/oauth2callback", cookie=f"a=b; {came}", answer=[(b"location", b"/")])
    assert (status, dict(headers)[b"location"]) == (200, b"/approvals?id=7&x=a%20b")
    assert "leaverwatch_asked=; Path=/oauth2callback; Max-Age=0" in cookies(headers)[0]


@pytest.mark.parametrize(
    "referer",
    [
        "", "https://evil.example/approvals", "https://lw.example.evil.example/", "https://lw.example//evil.example/x",
        "https://lw.example/\\evil.example", "https://lw.example/oauth2callback?code=1", "https://lw.example/auth/logout",
        "https://lw.example/_stcore/stream", "https://lw.example/" + "a" * 3000, "nonsense",
    ],
)  # fmt: skip
def test_no_other_page_is_kept(referer):
    assert cookies(ask(OPEN, "/auth/login", host="lw.example", referer=referer)[1]) == []


@pytest.mark.parametrize(
    "told",
    [
        "https://evil.example/",
        "//evil.example",
        "/\\evil.example",
        "%2F%2Fevil.example",
        "x",
        "/a%0d%0aSet-Cookie:x",
        "",
    ],
)
def test_a_changed_cookie_leads_nowhere_else(told):
    headers = ask(OPEN, "/oauth2callback", cookie=f"leaverwatch_asked={told}", answer=[(b"location", b"/")])[1]
    assert dict(headers)[b"location"] == b"/"


# --- A closed door


@pytest.mark.parametrize("client", ["127.0.0.1", "::1"])
def test_without_a_provider_this_machine_is_answered(client):
    assert ask(CLOSED, "/", client=client)[0] == 200


@pytest.mark.parametrize(
    ("client", "headers"),
    [
        ("10.0.0.7", {}),
        ("203.0.113.9", {}),
        (None, {}),
        ("127.0.0.1", {"x_forwarded_for": "127.0.0.1"}),
        ("127.0.0.1", {"forwarded": "for=x"}),
    ],
)
def test_without_a_provider_nobody_else_is(client, headers):
    assert ask(CLOSED, "/", client=client, **headers)[0] == 403
    assert ask(CLOSED, "/_stcore/stream", client=client, kind="websocket", **headers) is None
    assert ask(OPEN, "/", client=client, **headers)[0] == 200


@pytest.mark.parametrize("address", ["0.0.0.0", "::", "", "192.168.1.4", "lw.example"])
def test_it_does_not_start_where_others_reach_it_and_nobody_can_sign_in(address):
    with pytest.raises(ConfigurationError, match=r"sign_in\.provider"):
        refuse_open(CLOSED, address)
    refuse_open(OPEN, address)
    for here in ("127.0.0.1", "127.0.0.9", "::1", "localhost"):
        refuse_open(CLOSED, here)


def test_the_commands_and_the_program_refuse_too(tmp_path):
    (tmp_path / "leaverwatch.toml").write_text(SETTINGS)
    for command in ("up", "dashboard"):
        answer = Home(tmp_path).run(command, "--address", "0.0.0.0")
        assert answer.code == 2
        assert "nobody can sign in" in answer.err
    environ = os.environ | {"LEAVERWATCH_HOME": str(tmp_path), "LEAVERWATCH_DASHBOARD": f"0.0.0.0:{free_port()}"}
    done = subprocess.run([sys.executable, "app.py"], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60)
    assert done.returncode != 0
    assert "ConfigurationError" in done.stderr


# --- What Streamlit is told


def test_a_provider_is_told_twice_and_the_cookies_key_is_the_same_in_every_process(make_house, tmp_path):
    house = make_house({"sign_in": SIGN_IN})
    told = secrets_for_streamlit(house, {"S": "client-canary"})["auth"]
    assert told["redirect_uri"] == "https://lw.example/oauth2callback"
    assert told["cookie_secret"] == secrets_for_streamlit(house, {"S": "x"})["auth"]["cookie_secret"]
    assert len(told["cookie_secret"]) == 64
    assert told["cookie_secret"] not in (tmp_path / "key").read_text()
    usual, again = told["corp"], told["corp-again"]
    assert (usual["client_kwargs"]["prompt"], again["client_kwargs"]["prompt"]) == ("select_account", "login")
    assert usual["server_metadata_url"] == "https://id.example/.well-known/openid-configuration"
    assert usual["authorize_params"] == {"max_age": "43200"}
    assert "canary" not in repr(house)
    with pytest.raises(ConfigurationError, match=r"sign_in\.corp\.client_secret"):
        secrets_for_streamlit(house, {})
    assert secrets_for_streamlit(make_house({}), {}) == {}
    assert hosts(OPEN) == ["localhost", "127.0.0.1", "lw.example"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"address": None}, "address"),
        ({"address": "http://lw.example"}, "not encrypted"),
        ({"address": "https://lw.example/below"}, "without a path"),
        ({"provider": [{**SIGN_IN["provider"][0], "issuer": "http://id.example"}]}, "not encrypted"),
        ({"provider": [{**SIGN_IN["provider"][0], "name": "a_b"}]}, "name"),
        ({"provider": [{**SIGN_IN["provider"][0], "client_secret": "plain"}]}, "client_secret"),
        ({"provider": SIGN_IN["provider"] * 2}, "same name"),
        ({"groups": {"g": ["king"]}}, "groups"),
        ({"idle": "5s"}, "idle"),
        ({"longest": "never"}, "longest"),
    ],
)
def test_settings_that_would_not_hold_are_refused(change, why):
    with pytest.raises(ConfigurationError, match=why):
        parse({"sign_in": {**SIGN_IN, **change}})


# --- The command line


def test_an_administrator_lists_and_ends_sessions_from_the_command_line(tmp_path):
    (tmp_path / "leaverwatch.toml").write_text(SETTINGS)
    cli = Home(tmp_path)
    house = home.open_house(tmp_path, {}, home.clock())
    now = home.clock()
    with house.store.write() as session:
        session.add(
            SignIn(id="a" * 64, email="ada@x.example", issuer="i", started_at=now, authenticated_at=now, seen_at=now)
        )
    assert [
        row["email"] for row in cli.do("sessions", "list", "--actor", "admin@x.example", "--format", "json").json
    ] == ["ada@x.example"]
    assert cli.run("sessions", "list", "--actor", "sec@x.example").code == 1
    assert cli.run("sessions", "end", "ada@x.example", "--actor", "sec@x.example").code == 1
    assert cli.run("sessions", "end", "ada@x.example").code == 2
    assert (
        "1 session of ada@x.example ended"
        in cli.do("sessions", "end", "ada@x.example", "--actor", "admin@x.example").err
    )
    assert [row.ended_why for row in rows_of(house, SignIn)] == ["ended by admin@x.example"]
    assert cli.do("sessions", "list", "--actor", "admin@x.example", "--format", "json").json == []
    assert cli.run("sessions", "link").code == 2, "there are actors"
    house.store.close()


# --- The first start


def test_the_link_of_the_first_start_opens_once_by_pressing_and_never_by_looking(tmp_path):
    (tmp_path / "leaverwatch.toml").write_text("")
    house = home.open_house(tmp_path, {}, home.clock())
    with dashboard_alone(tmp_path) as address:
        port = address.rpartition(":")[2]
        link = Home(tmp_path).do("sessions", "link", "--port", port).out.strip()
        assert link.startswith(f"{address}/start?token=")
        token = link.partition("token=")[2]
        for _ in range(20):
            assert "Become the local administrator" in requests.get(link, timeout=10).text
            requests.head(link, timeout=10)
        assert rows_of(house, SignIn) == []
        rebound = requests.post(f"{address}/start", data={"token": token}, headers={"Host": "evil.example"}, timeout=10)
        assert rebound.status_code == 403
        opened = requests.post(f"{address}/start", data={"token": token}, allow_redirects=False, timeout=10)
        assert (opened.status_code, opened.headers["location"]) == (303, "/")
        assert re.search(
            r"leaverwatch_local=[\w-]{43}; HttpOnly; Max-Age=43200; Path=/; SameSite=strict",
            opened.headers["set-cookie"],
        )
        assert [row.email for row in rows_of(house, SignIn)] == [sessions.LOCAL]
        again = requests.post(f"{address}/start", data={"token": token}, allow_redirects=False, timeout=10)
        assert again.status_code == 403
        assert "does not open any more" in again.text
        assert token not in again.text
        assert "<script" not in requests.get(f"{address}/start?token=%22%3E%3Cscript%3E", timeout=10).text
    house.store.close()


def test_up_prints_the_link_where_nobody_may_act(tmp_path):
    (tmp_path / "leaverwatch.toml").write_text("")
    port = free_port()
    started = process("up", "--port", str(port), home=tmp_path)
    try:
        said = ""
        for line in started.stderr:
            said += line
            if "/start?token=" in line:
                break
        assert re.search(rf"http://127\.0\.0\.1:{port}/start\?token=[\w-]{{43}}$", said.strip())
    finally:
        started.terminate()
        started.wait(30)
        started.stdout.close()
        started.stderr.close()


def test_who_may_act_counts_as_soon_as_the_file_says_so_and_nothing_else(tmp_path):
    from jobs.configuring import renewal

    file = tmp_path / "leaverwatch.toml"
    file.write_text("[policy]\nstale_days = 90\n" + SETTINGS)
    house = home.open_house(tmp_path, {}, NOW)
    renew = renewal({})
    assert renew(house) is house
    file.write_text(file.read_text().replace("90", "30").replace('roles = ["security"]', 'roles = ["auditor"]'))
    fresh = renew(house)
    assert fresh.settings.actor[0].roles == ("auditor",)
    assert fresh.settings.policy.stale_days == 90, "everything else counts from the next start on"
    assert renew(fresh) is fresh
    file.write_text("[broken")
    assert renew(fresh).settings.actor[0].roles == ("auditor",)
    house.store.close()
