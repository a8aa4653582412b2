"""Signing in with a real provider (Canaille) in Chromium: the page asked for, the end of a session, and no way around."""

from __future__ import annotations

import base64
import json
import os
import re
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta

import pytest
import requests
from sqlmodel import select

from governance import sessions
from governance.access import Actor
from governance.tables import AuditEntry, Remediation, SignIn
from jobs import home
from tests.browser.alone import dashboard_alone
from tests.browser.chromium import LONGEST, at_rest, faded, on_screen
from tests.foreign_servers import free_port, missing
from tests.homes import CRM, HR, SETTINGS, Home
from tests.oidc_provider import PASSWORD, SECRET, provider

pytestmark = pytest.mark.skipif(missing("canaille") is not None, reason=str(missing("canaille")))
QUERY = "/findings?rule=ghost&application=crm"
BOB = Actor("bob@x.example", "Bob", frozenset({"admin"}))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A small house, read and judged: one ghost, Cy's account."""
    place = tmp_path_factory.mktemp("signed") / "home"
    place.mkdir()
    (place / "hr.csv").write_text(HR)
    (place / "crm.csv").write_text(CRM)
    return place


@pytest.fixture(scope="module")
def address(folder):
    """The dashboard with its provider."""
    port = free_port()
    here = f"http://127.0.0.1:{port}"
    with provider(folder, here) as running:
        (folder / "leaverwatch.toml").write_text(SETTINGS.partition("[[actor]]")[0] + running.settings(here))
        cli = Home(folder)
        cli.do("pull")
        cli.do("detect")
        with dashboard_alone(folder, port, {"LW_TEST_CLIENT_SECRET": SECRET}) as found:
            assert found == here
            yield here


@pytest.fixture
def house(folder, address):
    opened = home.open_house(folder, os.environ, datetime.now(UTC))
    yield opened
    opened.store.close()


@pytest.fixture
def browsing(visitors):
    """Gives browsers that know nothing of each other."""
    with ExitStack() as all_:
        yield lambda **how: all_.enter_context(visitors.one(**how)).context


def sign_in(page, address, name, path="/"):
    page.goto(address + path)
    page.get_by_role("button", name="Sign in with Canaille").click(timeout=LONGEST)
    at_provider(page, name)


def at_provider(page, name):
    page.get_by_label("Login").fill(name, timeout=LONGEST)
    page.get_by_role("button", name="Continue").click()
    page.locator("input[type=password]").fill(PASSWORD, timeout=LONGEST)
    page.locator("button[type=submit], input[type=submit]").first.click()


def signed_in(page):
    """Wait for the page behind the sign-in."""
    page.get_by_role("button", name="Ada").first.wait_for(timeout=LONGEST)
    at_rest(page)


def asked_to_sign_in(page):
    page.get_by_role("heading", name="Sign in to Leaverwatch").wait_for(timeout=LONGEST)
    nothing_is_shown(page)


def nothing_is_shown(page):
    """Once the run has ended: what the run before drew goes only then."""
    at_rest(page)
    faded(page)
    for of_the_house in ("Cy in crm", "Act first", "open findings", "Approvals"):
        assert page.get_by_text(of_the_house).count() == 0, of_the_house


def newest(house, email="ada@x.example"):
    with house.store.read() as session:
        rows = session.exec(select(SignIn).where(SignIn.email == email)).all()
    return max(rows, key=lambda row: row.started_at)


def age(house, by):
    """Let the newest session of Ada have signed in that much earlier."""
    with house.store.write() as session:
        row = session.get_one(SignIn, newest(house).id)
        row.authenticated_at -= by
        session.add(row)


def test_the_page_asked_for_is_kept_over_the_sign_in(browsing, address, house):
    page = browsing().new_page()
    page.goto(address + QUERY)
    asked_to_sign_in(page)
    sign_in(page, address, "ada", QUERY)
    page.get_by_role("heading", name="Findings", level=1).wait_for(timeout=LONGEST)
    page.get_by_text("1 of 4 open findings").wait_for(timeout=LONGEST)
    assert "/findings?rule=ghost&application=crm" in page.url
    page.get_by_role("button", name="Ada").click()
    page.get_by_text("security", exact=False).first.wait_for(timeout=LONGEST)
    assert newest(house).groups == "grp-security"


def test_cookies_reach_no_further_than_they_must(browsing, address):
    context = browsing()
    page = context.new_page()
    sign_in(page, address, "ada")
    signed_in(page)
    cookies = {one["name"]: one for one in context.cookies([address, f"{address}/auth/logout"])}
    identity, tokens = cookies["_streamlit_user"], cookies["_streamlit_user_tokens"]
    for one in (identity, tokens):
        assert one["httpOnly"]
        assert one["sameSite"] == "Lax"
        assert one["expires"] <= datetime.now(UTC).timestamp() + 12 * 3600 + 5
    assert tokens["path"] == "/auth/logout"
    assert "leaverwatch_asked" not in cookies


def test_signing_out_in_one_tab_ends_the_other_too(browsing, address, house):
    context = browsing()
    one, other = context.new_page(), context.new_page()
    sign_in(one, address, "ada", QUERY)
    signed_in(one)
    other.goto(address + "/jobs")
    signed_in(other)
    one.get_by_role("button", name="Ada").click()
    one.get_by_role("button", name="Sign out").click()
    one.wait_for_url(lambda url: "/findings" not in url, timeout=LONGEST)
    other.get_by_role("link", name="Findings").click()
    asked_to_sign_in(other)
    other.get_by_text("You are signed out.").wait_for(timeout=LONGEST)
    assert newest(house).ended_why == "signed out"


def test_deciding_asks_for_a_fresh_sign_in_and_comes_back_to_the_same_page(browsing, address, house):
    context = browsing()
    page = context.new_page()
    sign_in(page, address, "ada", QUERY)
    signed_in(page)
    before = context.cookies(address)
    age(house, timedelta(minutes=6))
    old = newest(house).id

    def propose():
        page.get_by_role("button", name="Propose a task to deactivate").click(timeout=LONGEST)
        page.get_by_label("Why it is right to close this account").fill("left in January", timeout=LONGEST)
        page.get_by_role("button", name="Send the proposal").click()

    propose()
    page.get_by_role("heading", name="Sign in again to decide").wait_for(timeout=LONGEST)
    with house.store.read() as session:
        assert session.exec(select(Remediation)).all() == [], "nothing was done"
    page.get_by_role("button", name="Sign in again", exact=True).click()
    page.locator("input[type=password]").or_(page.get_by_label("Login")).first.wait_for(timeout=LONGEST)
    if page.get_by_label("Login").count():
        at_provider(page, "ada")
    else:
        page.locator("input[type=password]").fill(PASSWORD)
        page.locator("button[type=submit], input[type=submit]").first.click()
    page.get_by_text("1 of 4 open findings").wait_for(timeout=LONGEST)
    assert "/findings?rule=ghost&application=crm" in page.url
    assert newest(house).id != old, "a fresh sign-in is a session of its own"
    propose()
    page.get_by_text("In remediation 1").wait_for(timeout=LONGEST)
    with house.store.read() as session:
        assert [r.proposed_by for r in session.exec(select(Remediation))] == ["ada@x.example"]
        assert session.get_one(SignIn, old).ended_why == "signed in again"
    thief = browsing()
    thief.add_cookies([one for one in before if one["name"].startswith("_streamlit_user")])
    stolen = thief.new_page()
    stolen.goto(address + QUERY)
    asked_to_sign_in(stolen)


def test_who_is_ended_by_an_administrator_is_out_at_the_next_run(browsing, address, house):
    page = browsing().new_page()
    sign_in(page, address, "ada", QUERY)
    signed_in(page)
    assert sessions.end_all(house, BOB, datetime.now(UTC), "Ada@X.example") >= 1
    page.get_by_role("link", name="Jobs").click()
    page.get_by_text("Your session was ended by").wait_for(timeout=LONGEST)
    asked_to_sign_in(page)
    with house.store.read() as session:
        ends = session.exec(select(AuditEntry).where(AuditEntry.verb == "sign_out")).all()
    assert "bob@x.example" in {one.actor for one in ends}


def test_who_becomes_a_leaver_is_out_at_the_next_run_and_stays_out(browsing, address, house, folder):
    page = browsing().new_page()
    sign_in(page, address, "ada", QUERY)
    signed_in(page)
    cli = Home(folder)
    (folder / "hr.csv").write_text(
        HR.replace("1,active,ada@x.example,Ada,2020-01-01,", "1,terminated,ada@x.example,Ada,2020-01-01,2026-11-01")
    )
    try:
        cli.do("pull", "hr")
        cli.do("detect")
        page.get_by_role("link", name="Jobs").click()
        page.get_by_text("this person has left").wait_for(timeout=LONGEST)
        nothing_is_shown(page)
        page.reload()
        page.get_by_role("heading", name="No access").wait_for(timeout=LONGEST)
        nothing_is_shown(page)
    finally:
        (folder / "hr.csv").write_text(HR)
        cli.do("pull", "hr")
        cli.do("detect")
    assert newest(house).ended_why == "has left"


@pytest.mark.parametrize(("name", "said"), [("eve", "you have no role"), ("cy", "this person has left")])
def test_who_has_no_business_here_is_told_so_and_sees_nothing(browsing, address, house, name, said):
    page = browsing().new_page()
    sign_in(page, address, name, QUERY)
    page.get_by_role("heading", name="No access").wait_for(timeout=LONGEST)
    page.get_by_text(said).wait_for(timeout=LONGEST)
    nothing_is_shown(page)
    assert newest(house, f"{name}@x.example").ended_at is not None


def claims_of(house, **other):
    now = int(datetime.now(UTC).timestamp())
    base = {
        "iss": "https://elsewhere.example", "sub": "ada", "email": "ada@x.example", "iat": now, "auth_time": now,
        "groups": ["grp-security"], "provider": "canaille", "is_logged_in": True,
        "origin": (house.settings.sign_in.address or "").rstrip("/"),
    }  # fmt: skip
    return {**base, **other}


def forged(house):
    """Cookies that are not what the provider gave, a dozen, by what is wrong with them."""
    from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

    from governance import secrets

    key = secrets.derived(house.home, house.key, "cookies of the dashboard")

    def signed(with_key, name="_streamlit_user", **other):
        return create_signed_value(with_key, name, json.dumps(claims_of(house, **other))).decode()

    whole = signed(key)
    now = int(datetime.now(UTC).timestamp())
    return {
        "nothing": {"_streamlit_user": whole},
        "no cookie at all": {},
        "nonsense": {"_streamlit_user": "nonsense"},
        "plain claims": {"_streamlit_user": base64.b64encode(json.dumps(claims_of(house)).encode()).decode()},
        "another key": {"_streamlit_user": signed("0" * 64)},
        "no key": {"_streamlit_user": signed("x")},
        "a changed signature": {"_streamlit_user": whole[:-4] + ("AAAA" if whole[-4:] != "AAAA" else "BBBB")},
        "a changed payload": {"_streamlit_user": "X" + whole[1:]},
        "signed for another cookie": {"_streamlit_user": signed(key, name="_streamlit_user_tokens")},
        "another origin": {"_streamlit_user": signed(key, origin="https://evil.example")},
        "thirteen hours old": {"_streamlit_user": signed(key, iat=now - 13 * 3600)},
        "from the future": {"_streamlit_user": signed(key, iat=now + 3600)},
        "a provider that is not configured": {"_streamlit_user": signed(key, provider="evil")},
        "a local administrator's": {"leaverwatch_local": "A" * 43},
    }


def test_the_same_cookie_with_nothing_wrong_opens_the_page(browsing, address, house):
    """The test below would prove nothing if no cookie made here were ever accepted."""
    context = browsing()
    context.add_cookies(
        [{"name": "_streamlit_user", "value": forged(house)["nothing"]["_streamlit_user"], "url": address}]
    )
    page = context.new_page()
    page.goto(address + QUERY)
    signed_in(page)


@pytest.mark.parametrize(
    "wrong",
    [
        "no cookie at all", "nonsense", "plain claims", "another key", "no key", "a changed signature",
        "a changed payload", "signed for another cookie", "another origin", "thirteen hours old", "from the future",
        "a provider that is not configured", "a local administrator's",
    ],
)  # fmt: skip
def test_a_forged_cookie_opens_nothing(browsing, address, house, wrong):
    context = browsing(extra_http_headers={"X-Forwarded-User": "bob@x.example", "X-Remote-User": "bob@x.example"})
    for name, value in forged(house)[wrong].items():
        context.add_cookies([{"name": name, "value": value, "url": address}])
    with house.store.read() as session:
        before = len(session.exec(select(SignIn)).all())
    page = context.new_page()
    page.goto(address + QUERY + "&as=bob@x.example")
    page.get_by_role("heading", name=re.compile("Sign in to Leaverwatch|No access")).wait_for(timeout=LONGEST)
    nothing_is_shown(page)
    with house.store.read() as session:
        assert len(session.exec(select(SignIn)).all()) == before


def test_no_address_decides_anything_by_being_asked_for(address, house):
    """A scanner that follows every link of a notice: HEAD and GET, a hundred times, with whatever stands in them."""
    with house.store.read() as session:
        before = [(r.id, r.status) for r in session.exec(select(Remediation))]
        audited = len(session.exec(select(AuditEntry)).all())
    paths = ("/approvals", "/findings", "/jobs", "/start", "/?approve=1", "/approvals?approve=all&reason=x", "/healthz")
    for n in range(100):
        for verb in (requests.get, requests.head):
            answer = verb(address + paths[n % len(paths)], timeout=10, allow_redirects=False)
            assert answer.status_code in (200, 403, 405), answer.url
    with house.store.read() as session:
        assert [(r.id, r.status) for r in session.exec(select(Remediation))] == before
        assert len(session.exec(select(AuditEntry)).all()) == audited


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (1440, "dark"), (390, "light"), (390, "dark")])
def test_the_way_in_fits_every_screen(browsing, address, width, scheme):
    page = browsing().new_page()
    on_screen(page, width, scheme, 844)
    page.goto(address + QUERY)
    asked_to_sign_in(page)
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") <= 1
    box = page.get_by_role("button", name="Sign in with Canaille").bounding_box()
    assert box["y"] + box["height"] <= 844
    shot(page, f"sign-in-{width}-{scheme}")
    sign_in(page, address, "eve")
    page.get_by_role("heading", name="No access").wait_for(timeout=LONGEST)
    shot(page, f"no-access-{width}-{scheme}")


def shot(page, name):
    if shots := os.environ.get("LEAVERWATCH_SHOTS"):
        at_rest(page)
        page.wait_for_timeout(1500)
        page.screenshot(path=f"{shots}/{name}.png")
