"""The kit's promises, the same for every connector that has a tenant in the sandbox (FAULTS.md C, G2, G8)."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import json
import logging
import re
import traceback
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import pairwise

import pytest

import jobs.detect
import jobs.pull
from connectors.kit.contract import CanDeactivate, CanReactivate, TellsEvents, connector_class
from connectors.sandbox.faults import Faults
from connectors.sandbox.serving import Sandbox
from governance.errors import AuthenticationFailed, FeedError, LeaverwatchError, RemediationError
from governance.records import EVENT_KINDS, Account, Entitlement, Grant
from governance.snapshots.keeping import believed
from tests.mutations import mutations
from tests.sandbox_company import NOW, crowd, small_application
from tests.specs import SpecCheck
from tests.tenancy import PAGE, connected, on, pulled
from tests.tenants import Tenant, tenants, why_not
from tests.wild_server import WildServer, says

ALL = tenants()
pytestmark = pytest.mark.parametrize("tenant", ALL, ids=[t.connector for t in ALL])
EVIL = 12


@pytest.fixture(scope="module")
def sandbox():
    """One server for all: every test puts applications of its own into it."""
    with Sandbox([]) as running:
        yield running


def small(tenant: Tenant, sandbox: Sandbox):
    """The twelve, in the vendor's shape, answering under a name of their own."""
    application = small_application(tenant.vendor, f"a{len(sandbox.applications)}")
    tenant.prepare(application)
    sandbox.add(application)
    return application


def many(tenant: Tenant, sandbox: Sandbox, count: int):
    """A crowd, in the vendor's shape, answering under a name of its own."""
    application = crowd(tenant.vendor, count, f"a{len(sandbox.applications)}")
    tenant.prepare(application)
    sandbox.add(application)
    return application


def _needs(tenant: Tenant, capability: type, word: str) -> type:
    """The connector's class; skips where it cannot do this, says so itself, and its tenant says why."""
    kind = connector_class(tenant.connector)
    if not issubclass(kind, capability):
        assert word not in kind.capabilities()
        assert not hasattr(kind, word)
        pytest.skip(why_not(tenant, word))
    return kind


def _specified(tenant: Tenant) -> SpecCheck:
    if tenant.no_spec:
        pytest.skip(tenant.no_spec)
    return SpecCheck(tenant.vendor, tenant.specs, tenant.spec_free)


def listed(tenant: Tenant, application) -> dict[str, bool | None]:
    """Id as the connector tells it -> whether the account can sign in, for all that the vendor's list shows."""
    return {
        tenant.account_of(account.id): tenant.states[account.status]
        for account in application.accounts.values()
        if account.status in tenant.states and tenant.shown(account)
    }


@pytest.fixture(scope="module")
def readings(sandbox):
    """One quiet pull of the twelve per tenant, with what was asked; read by several tests."""
    kept = {}

    def reading(tenant: Tenant):
        if tenant.connector not in kept:
            application = small(tenant, sandbox)
            before = application.state()
            outcome = pulled(tenant, sandbox, application)
            kept[tenant.connector] = application, outcome, sandbox.asked(application.name), before
        return kept[tenant.connector]

    return reading


class TestAQuietPull:
    def test_reads_every_account_once_and_tells_whether_it_can_sign_in(self, tenant, readings):
        application, outcome, _, _ = readings(tenant)
        assert outcome.error is None
        assert outcome.doubles == []
        assert {found: on(record) for found, record in outcome.kept.items()} == listed(tenant, application)

    def test_leaves_evidence_that_adds_up(self, tenant, readings):
        _, outcome, _, _ = readings(tenant)
        reading = outcome.connector.reading
        assert reading.rows_read == reading.kept + len(reading.rejected) + reading.duplicates
        assert reading.kept == len(outcome.kept)
        assert len(reading.sha256) == 64
        assert reading.source.startswith("http://127.0.0.1")

    def test_changes_nothing_and_uses_no_credential_that_could(self, tenant, readings):
        application, _, requests, before = readings(tenant)
        assert application.state() == before
        if tenant.secrets(application).keys() & {"write_token"}:
            assert {seen.credential for seen in requests} <= {"token", "other", None}

    def test_speaks_as_the_vendor_s_specification_says(self, tenant, readings):
        _, _, requests, _ = readings(tenant)
        assert _specified(tenant).problems(requests) == []

    def test_tells_only_whole_grants(self, tenant, readings):
        _, outcome, _, _ = readings(tenant)
        known = {e.entitlement_id for e in outcome.records if isinstance(e, Entitlement)}
        grants = [(g.account_id, g.entitlement_id) for g in outcome.records if isinstance(g, Grant)]
        assert len(grants) == len(set(grants))
        assert {account for account, _ in grants} <= outcome.kept.keys()
        assert {entitlement for _, entitlement in grants} <= known

    def test_reads_every_kind_it_declares(self, tenant, readings):
        application, outcome, _, _ = readings(tenant)
        covers = connector_class(tenant.connector).covers
        assert covers, "a connector says which kinds of accounts it reads and which it does not"
        by_word = {
            "guest": "Hana", "invitation": "Farid", "pending": "Farid", "deactivated": "Esra", "suspended": "Dmitri",
            "bot": "Build", "service": "Backup", "shared": "Front", "locked": "Gwen",
        }  # fmt: skip
        ids = {account.given: tenant.account_of(account.id) for account in application.accounts.values()}
        for line in covers:
            what, _, answer = line.partition(":")
            if answer.strip().casefold().startswith("yes"):
                for word, given in by_word.items():
                    if word in what.casefold():
                        assert ids[given] in outcome.kept, f"{line!r}, but {given} was not read"

    def test_never_says_of_somebody_unseen_that_they_were(self, tenant, readings):
        application, outcome, _, _ = readings(tenant)
        for account in application.accounts.values():
            record = outcome.kept.get(tenant.account_of(account.id))
            if isinstance(record, Account):
                assert account.last_seen_at or record.last_seen_at is None
                assert record.last_seen_at is None or record.last_seen_at <= NOW
                assert record.last_seen_at is None or record.last_seen_known

    def test_a_clock_that_is_ahead_makes_nobody_seen_tomorrow(self, tenant, sandbox):
        application = small(tenant, sandbox)
        for account in application.accounts.values():
            if account.last_seen_at:
                account.last_seen_at = NOW + timedelta(days=1)
            account.created_at = min(account.created_at, NOW - timedelta(days=300))
        outcome = pulled(tenant, sandbox, application)
        assert outcome.error is None
        seen = [r.last_seen_at for r in outcome.kept.values() if isinstance(r, Account) and r.last_seen_at]
        assert all(at <= NOW + timedelta(minutes=1) for at in seen)


class TestPages:
    @pytest.mark.parametrize("count", [0, 1, PAGE - 1, PAGE, PAGE + 1, 2 * PAGE + 1])
    def test_everybody_is_read_or_nobody(self, tenant, sandbox, count):
        application = many(tenant, sandbox, count)
        outcome = pulled(tenant, sandbox, application, page=PAGE)
        expected = listed(tenant, application)
        if expected:
            assert outcome.error is None
            assert {found: on(record) for found, record in outcome.kept.items()} == expected
            assert outcome.doubles == []
        else:
            assert outcome.error is None or isinstance(outcome.error, FeedError)
            assert outcome.kept == {}

    def test_a_page_that_comes_for_ever_ends_the_pull(self, tenant, sandbox):
        application = many(tenant, sandbox, 2 * PAGE + 1)
        quiet = pulled(tenant, sandbox, application, page=PAGE)
        usual = _asked(sandbox, tenant, application)
        before = len(sandbox.asked(application.name))
        sandbox.faults[application.name] = Faults(repeat_page=True, paths=tenant.list_path)
        outcome = pulled(tenant, sandbox, application, page=PAGE)
        assert outcome.seconds < 10
        asked = _asked(sandbox, tenant, application, before)
        if usual and max(usual.values()) > 1:  # there is more than one page
            assert isinstance(outcome.error, FeedError)
            assert max(asked.values()) <= 3, "the first page and two repeats"
        else:
            assert outcome.kept.keys() == quiet.kept.keys()

    def test_a_page_that_is_lost_is_noticed(self, tenant, sandbox):
        if not tenant.counted:
            return  # the list without one page looks whole: only the guard can stop it, see TestInTheHouse
        application = many(tenant, sandbox, 2 * PAGE + 1)
        sandbox.faults[application.name] = Faults(lose_page=True, paths=tenant.list_path)
        outcome = pulled(tenant, sandbox, application, page=PAGE)
        assert isinstance(outcome.error, FeedError)

    def test_a_next_link_never_leads_the_token_elsewhere(self, tenant, sandbox):
        with WildServer(says({})) as listener:
            if not tenant.follows_links:  # then nothing in an answer is a place to go to, whatever stands there
                application = many(tenant, sandbox, 2 * PAGE + 1)
                elsewhere = _pointing(f"http://127.0.0.1:{listener.port}/users")
                sandbox.faults[application.name] = Faults(mutate=elsewhere)
                pulled(tenant, sandbox, application, page=PAGE, deadline_s=3.0)
                assert sandbox.asked(application.name)
                assert listener.connections == 0
                return
            for trick in _elsewhere(listener.port):
                application = many(tenant, sandbox, 2 * PAGE + 1)
                sandbox.faults[application.name] = Faults(evil_next=lambda link, to=trick: to(link))
                outcome = pulled(tenant, sandbox, application, page=PAGE, deadline_s=3.0)
                assert isinstance(outcome.error, FeedError)
            assert listener.heads == []

    def test_a_redirect_never_leads_the_token_elsewhere(self, tenant, sandbox):
        with WildServer(says({})) as listener:
            for status in (301, 302, 307, 308):
                application = small(tenant, sandbox)
                sandbox.faults[application.name] = Faults(
                    redirect_to=f"http://127.0.0.1:{listener.port}", redirect_status=status
                )
                outcome = pulled(tenant, sandbox, application, deadline_s=3.0)
                assert isinstance(outcome.error, FeedError)
            assert listener.heads == []


def _asked(sandbox, tenant, application, after=0) -> Counter:
    """How often each list of accounts was asked for, since so many requests."""
    return Counter(
        f"{seen.method} {seen.path} {seen.query.get('filter', '')} {seen.query.get('q', '')}"
        for seen in sandbox.asked(application.name)[after:]
        if re.search(tenant.list_path, seen.path)
    )


def _pointing(url: str):
    """Makes everything in an answer that could lead on into an address of somebody else."""

    def point(value, name=""):
        if isinstance(value, dict):
            return {key: point(inner, key) for key, inner in value.items()}
        if isinstance(value, list):
            return [point(inner, name) for inner in value]
        return url if re.search(r"(?i)next|cursor|link|href|url|self|base|pagetoken", name) else value

    return lambda path, data: point(data)


def _elsewhere(port: int):
    """Twelve ways of leading a client to another listener."""
    other = f"127.0.0.1:{port}"
    whole = r"^(https?)://([^/]+)"
    made = [
        lambda link: re.sub(whole, rf"\1://{other}", link),
        lambda link: re.sub(whole, rf"\1://\2@{other}", link),
        lambda link: re.sub(whole, rf"\1://\2.{other}", link),
        lambda link: re.sub(whole, rf"\1://localhost:{port}", link),
        lambda link: re.sub(whole, rf"HTTP://{other}", link),
        lambda link: re.sub(whole, rf"https://{other}", link),
        lambda link: re.sub(whole, rf"http://[::ffff:127.0.0.1]:{port}", link),
        lambda link: re.sub(whole, rf"http://2130706433:{port}", link),
        lambda link: re.sub(whole, rf"//{other}", link),
        lambda link: re.sub(whole, rf"\\\\\\\\{other}", link),
        lambda link: re.sub(whole, rf"http:/\\\\{other}", link),
        lambda link: re.sub(whole, rf"http://①②⑦.0.0.1:{port}", link),
    ]
    assert len(made) == EVIL
    # A relative link is made absolute first, or nothing would be changed.
    return [lambda link, to=to: to(link if "://" in link else f"http://127.0.0.1:1{link}") for to in made]


CHAOS: dict[str, Faults] = {
    "500": Faults(fail_status=500),
    "502": Faults(fail_status=502),
    "503": Faults(fail_status=503, after=1),
    "silence": Faults(delay_s=60),
    "slow-body": Faults(slow_body_s=60),
    "half-body": Faults(half_body=True),
    "half-json": Faults(half_json=True),
    "html": Faults(html_with_200=True),
    "401": Faults(unauthorized=True),
    "403": Faults(forbidden=True),
    "storm": Faults(rate_limit=10**6, retry_after_s=1),
    "teapot": Faults(fail_status=418),
}
PATIENT: dict[str, Faults] = {
    "429-seconds": Faults(rate_limit=1, retry_after_s=1, after=1),
    "429-date": Faults(rate_limit=1, retry_after_s=1, retry_style="date", after=1),
    "429-epoch": Faults(rate_limit=1, retry_after_s=1, retry_style="epoch", after=1),
    "500-once": Faults(fail_status=503, times=1, after=1),
    "window": Faults(window=(4, 0.6)),
}
DEADLINE_S = 1.5


@pytest.fixture(scope="module")
def storms(sandbox):
    """Every fault at once, each on an application of its own: most of the time is waiting, so the waits overlap."""
    kept = {}

    def storm(tenant: Tenant):
        if tenant.connector not in kept:
            faults = {name: copy.deepcopy(f) for name, f in {**CHAOS, **PATIENT}.items()}
            applications = {name: small(tenant, sandbox) for name in faults}
            for name, application in applications.items():
                sandbox.faults[application.name] = faults[name]
            with ThreadPoolExecutor(len(faults)) as pool:
                running = {}
                for name, application in applications.items():
                    deadline = DEADLINE_S if name in CHAOS else 30.0
                    running[name] = pool.submit(pulled, tenant, sandbox, application, page=PAGE, deadline_s=deadline)
                outcomes = {name: future.result(60) for name, future in running.items()}
            kept[tenant.connector] = outcomes, faults, applications
        return kept[tenant.connector]

    return storm


class TestWhenThingsGoWrong:
    @pytest.mark.parametrize("fault", CHAOS)
    def test_a_fault_becomes_an_error_of_ours_within_the_deadline(self, tenant, sandbox, storms, fault):
        outcomes, faults, applications = storms(tenant)
        outcome = outcomes[fault]
        if faults[fault].requests <= faults[fault].after:  # the whole pull is one request: then it is that one
            at_once = dataclasses.replace(copy.deepcopy(CHAOS[fault]), after=0)
            sandbox.faults[applications[fault].name] = at_once
            outcome = pulled(tenant, sandbox, applications[fault], page=PAGE, deadline_s=DEADLINE_S)
        assert isinstance(outcome.error, FeedError), f"{fault}: ended with {outcome.error!r}"
        assert outcome.seconds < DEADLINE_S + 5
        if fault in ("401", "403"):
            assert isinstance(outcome.error, AuthenticationFailed)

    @pytest.mark.parametrize("fault", PATIENT)
    def test_who_waits_as_told_gets_everything(self, tenant, storms, fault):
        outcomes, faults, applications = storms(tenant)
        assert outcomes[fault].error is None
        assert outcomes[fault].kept.keys() == listed(tenant, applications[fault]).keys()
        violations = faults[fault].violations
        assert all(later - earlier >= 0.3 for earlier, later in pairwise(violations)), "one in each window at most"

    @pytest.mark.parametrize("refusal", ["unauthorized", "forbidden"])
    def test_a_token_that_ends_at_any_request_ends_the_pull(self, tenant, sandbox, readings, refusal):
        _, outcome, requests, _ = readings(tenant)
        steps = sorted({*range(min(len(requests), 4)), len(requests) // 2, len(requests) - 1})
        applications = [small(tenant, sandbox) for step in steps]
        for step, application in zip(steps, applications, strict=True):
            sandbox.faults[application.name] = Faults(after=step, **{refusal: True})
            result = pulled(tenant, sandbox, application, deadline_s=5.0)
            if step < len(requests) and refusal == "unauthorized":
                assert isinstance(result.error, FeedError), f"after {step} requests"
            elif result.error is None:  # a right that is missing may cost a detail, never an account
                assert result.kept.keys() == outcome.kept.keys(), f"after {step} requests"
                assert all(on(r) in (on(outcome.kept[i]), None) for i, r in result.kept.items())


class TestSchemas:
    def test_two_hundred_mutations_give_no_wrong_state(self, tenant, sandbox):
        tried, wrong = 0, []
        application = many(tenant, sandbox, 24)
        for account in [*application.accounts.values()][::2]:
            application.set_status(account.id, "deactivated")
        honest = {i: on(r) for i, r in pulled(tenant, sandbox, application).kept.items()}
        for mutation in mutations(seed=tenant.connector, paths=tenant.list_path):
            sandbox.faults[application.name] = Faults(mutate=mutation.apply)
            outcome = pulled(tenant, sandbox, application, deadline_s=10.0)
            tried += mutation.tried
            for found, record in outcome.kept.items():
                if found in honest and on(record) not in (honest[found], None) and not mutation.excuses(found):
                    wrong.append((found, on(record), honest[found], mutation.done))
            if tried >= 200:
                break
        assert tried >= 200
        assert wrong == []


class TestSecrets:
    def test_no_canary_is_seen_anywhere(self, tenant, sandbox, caplog):
        caplog.set_level(logging.DEBUG)
        application = small(tenant, sandbox)
        said = []
        secrets = tenant.secrets(application)
        for faults in (
            Faults(), Faults(unauthorized=True), Faults(forbidden=True), Faults(html_with_200=True),
            Faults(fail_status=418), Faults(half_json=True), Faults(redirect_to="http://127.0.0.1:9"),
            Faults(mutate=lambda path, data: {"error": json.dumps(list(secrets.values()))}),
        ):  # fmt: skip
            sandbox.faults[application.name] = faults
            with connected(tenant, sandbox, application, deadline_s=2.0) as connector:
                try:
                    said += [repr(record) for record in connector.records()]
                except LeaverwatchError as error:
                    said.append("".join(traceback.format_exception(error)))
                said += [repr(connector.reading), repr(connector.options), repr(connector.given), str(connector)]
        assert len(sandbox.asked(application.name)) > 5
        everything = "\n".join([*said, caplog.text, *(str(r.__dict__) for r in caplog.records)])
        for name, value in secrets.items():
            assert len(value) >= 8, "a canary is no word"
            assert value not in everything, f"{name} leaked"


class TestInTheHouse:
    def test_a_failed_pull_leaves_the_snapshot_before_and_no_secret(
        self, tenant, sandbox, make_house, monkeypatch, caplog, tmp_path
    ):
        caplog.set_level(logging.DEBUG)
        application = many(tenant, sandbox, 30)
        secrets = tenant.secrets(application)
        for name, value in secrets.items():
            monkeypatch.setenv(f"A_{name.upper()}", value)
        feed = {"name": "one", "connector": tenant.connector, "deadline": "4s", "limit_share": 1.0}
        feed |= {name: {"env": f"A_{name.upper()}"} for name in secrets}
        house = make_house({tenant.kind: [feed | tenant.options(sandbox.url(application.name))]})
        [good] = jobs.pull.pull(house, ["one"], NOW)
        assert (good.status, good.error) == ("published", None)
        for number, faults in enumerate(
            (Faults(html_with_200=True), Faults(half_body=True), Faults(unauthorized=True))
        ):
            sandbox.faults[application.name] = faults
            [bad] = jobs.pull.pull(house, ["one"], NOW + timedelta(hours=1 + number))
            assert (bad.status, bad.snapshot) == ("failed", None)
            with house.store.read() as session:
                assert believed(session, "one").id == good.snapshot
        kept = caplog.text.encode() + b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
        for name, value in secrets.items():
            assert value.encode() not in kept, f"{name} leaked"

    def test_a_lost_page_is_noticed_or_held_by_the_guard(self, tenant, sandbox, make_house, monkeypatch):
        application = many(tenant, sandbox, 30)
        house = self._house(tenant, sandbox, application, make_house, monkeypatch, tenant.secrets(application), 10)
        [good] = jobs.pull.pull(house, ["one"], NOW)
        assert (good.status, good.error) == ("published", None)
        sandbox.faults[application.name] = Faults(lose_page=True, paths=tenant.list_path)
        [second] = jobs.pull.pull(house, ["one"], NOW + timedelta(hours=1))
        # Where there is one page only, or a lost one is asked for again, everybody is there.
        assert second.status in ("failed", "held") or second.kept == good.kept
        if second.status != "published":
            with house.store.read() as session:
                assert believed(session, "one").id == good.snapshot

    def test_reads_and_judges_with_credentials_that_may_only_read(self, tenant, sandbox, make_house, monkeypatch):
        application = small(tenant, sandbox)
        before = application.state()
        secrets = {name: value for name, value in tenant.secrets(application).items() if name != "write_token"}
        house = self._house(tenant, sandbox, application, make_house, monkeypatch, secrets)
        [outcome] = jobs.pull.pull(house, ["one"], NOW)
        assert (outcome.status, outcome.error) == ("published", None)
        assert jobs.detect.detect(house, NOW).stored
        assert application.state() == before
        assert {seen.credential for seen in sandbox.asked(application.name)} <= {"token", "other", None}

    def _house(self, tenant, sandbox, application, make_house, monkeypatch, secrets, page=None):
        for name, value in secrets.items():
            monkeypatch.setenv(f"A_{name.upper()}", value)
        feed = {"name": "one", "connector": tenant.connector, "limit_share": 1.0}
        feed |= {name: {"env": f"A_{name.upper()}"} for name in secrets}
        feed |= tenant.options(sandbox.url(application.name))
        if page is not None and tenant.page_option:
            feed[tenant.page_option] = page
        return make_house({tenant.kind: [feed]})


class TestActing:
    def test_without_leave_to_write_nothing_is_asked(self, tenant, sandbox):
        _needs(tenant, CanDeactivate, "deactivate")
        application = small(tenant, sandbox)
        target = tenant.account_of(next(iter(application.accounts)))
        before = application.state()
        with connected(tenant, sandbox, application, write=False) as connector, pytest.raises(RemediationError):
            connector.deactivate(target)
        assert application.state() == before
        assert [seen for seen in sandbox.asked(application.name) if seen.credential == "write_token"] == []

    def test_off_twice_and_on_again_is_read_back_each_time(self, tenant, sandbox):
        kind = _needs(tenant, CanDeactivate, "deactivate")
        application = small(tenant, sandbox)
        target = tenant.account_of([*application.accounts][tenant.subject])
        with connected(tenant, sandbox, application, write=True) as connector:
            assert on(connector.account(target)) is True
            connector.deactivate(target)
            assert on(connector.account(target)) is False
            receipt = connector.deactivate(target)
            assert receipt.call
            assert on(connector.account(target)) is False
            if issubclass(kind, CanReactivate):
                connector.reactivate(target)
                assert on(connector.account(target)) is True
        assert _specified(tenant).problems(sandbox.asked(application.name)) == []

    def test_a_lie_is_found_out_by_reading_again(self, tenant, sandbox):
        _needs(tenant, CanDeactivate, "deactivate")
        application = small(tenant, sandbox)
        target = tenant.account_of([*application.accounts][tenant.subject])
        sandbox.faults[application.name] = Faults(lie=True)
        with connected(tenant, sandbox, application, write=True) as connector:
            with contextlib.suppress(LeaverwatchError):  # some vendors' answers show the lie at once
                connector.deactivate(target)
            assert on(connector.account(target)) is True

    def test_gone_off_and_on_are_three_things(self, tenant, sandbox):
        application = small(tenant, sandbox)
        pulled(tenant, sandbox, application)
        ada, bruno, *_ = application.accounts.values()
        application.set_status(ada.id, "deactivated")
        application.set_status(bruno.id, "deleted")
        outcome = pulled(tenant, sandbox, application)
        assert outcome.error is None
        after = {found: on(record) for found, record in outcome.kept.items()}
        assert after == listed(tenant, application)
        assert after.get(tenant.account_of(bruno.id)) in (None, False)


class TestEvents:
    def test_none_is_lost_between_two_readings(self, tenant, sandbox):
        _needs(tenant, TellsEvents, "events")
        application = small(tenant, sandbox)
        since = NOW - timedelta(days=30)
        with connected(tenant, sandbox, application) as connector:
            first = list(connector.events(since, None))
            mark = connector.mark
        assert first, "the twelve have done something"
        assert {event.kind for event in first} <= set(EVENT_KINDS)
        ada, bruno, *_ = application.accounts.values()
        for about in (ada, bruno):
            application.record("sign_in", about.id, about.id, at=NOW + timedelta(minutes=5))
            application.record("deactivated", about.id, ada.id, at=NOW + timedelta(minutes=6))
        later = NOW + timedelta(minutes=10)
        with connected(tenant, sandbox, application, now=later) as connector:
            second = list(connector.events(since, mark))
        with connected(tenant, sandbox, application, now=later) as connector:
            whole = {event.event_id for event in connector.events(since, None)}
        assert {e.event_id for e in (*first, *second)} >= whole
        assert whole - {e.event_id for e in first}, "what happened in between is told"
