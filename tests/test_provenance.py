"""How an account came to be: what logs say outranks what times suggest, and what was known once is kept."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import narwhals as nw
import polars as pl
import pytest
from estates import settings as of_settings
from hypothesis import given
from hypothesis import settings as budget
from hypothesis import strategies as st
from msgspec.structs import replace
from provenance_scene import APPLICATIONS, BORN, DAY, NOW, SETTINGS, START, account, made, mixed, pushes, signs_on

from governance.estate import Facts, correlate, known
from governance.provisioning.telling import came_to_be, window_said
from governance.provisioning.window import SURE, UNFITTED, WIDE, fit
from governance.records import Account, Identity
from governance.snapshots.frames import frames_of

KEY = ["application", "account_id"]
NO_PINS = pl.DataFrame(schema={"application": pl.String, "account_id": pl.String, "pinned_id": pl.String})


def read(accounts, events, kept=None, settings=SETTINGS):
    """account_id -> the row of the estate, with a person and an account at the identity provider for each account."""
    numbers = sorted({a.employee_id for a in accounts if a.employee_id})
    people = [Identity("hr", number, state="current") for number in numbers]
    theirs = [Account("sso", f"s{number}", employee_id=number, created_at=NOW - 900 * DAY) for number in numbers]
    frames = frames_of([*people, *accounts, *theirs, START, *events])
    lazy = {name: frame.lazy() for name, frame in frames.items()}
    lazy["accounts"] = lazy["accounts"].with_columns(present=pl.lit(True))
    lazy["identities"] = lazy["identities"].with_columns(present=pl.lit(True))
    lazy = {name: frame.with_columns(as_of_s=pl.lit(0)) for name, frame in lazy.items()} | {"pins": NO_PINS.lazy()}
    said = Facts(**{name: nw.from_native(table) for name, table in lazy.items()}, snapshots={}, sources=("hr",))
    around = known(said, settings, NOW, lambda _, frame: nw.from_native(nw.to_native(frame).collect().lazy()), kept)
    found = correlate(said, settings, NOW, around).filter(nw.col("application") == "crm").collect("polars").to_native()
    return {row["account_id"]: row for row in found.iter_rows(named=True)}


def one(*events, **more):
    row = read([account(1)], events, **more)["a1"]
    return row["provenance"], row["provenance_because"], row["provenance_confidence"]


def at_sign_on(count, *, seconds=2, first=10):
    """So many accounts that a first sign-on made, so many seconds before."""
    accounts = [account(n, BORN + timedelta(hours=n)) for n in range(first, first + count)]
    events = [signs_on(a.employee_id, a.created_at - timedelta(seconds=seconds)) for a in accounts]
    return accounts, events


class TestLogs:
    @pytest.mark.parametrize(
        ("events", "way", "because"),
        [
            ([made(1, "a1")], "jit", "itself"),
            ([made(1, "SCIM connector")], "scim", "agent"),
            ([made(1, "Azure AD Provisioning Service")], "scim", "agent"),
            ([made(1, "CSV import")], "imported", "importer"),
            ([made(1, None, kind="provisioned")], "scim", "own_push"),
            ([pushes(1, BORN - timedelta(seconds=40))], "scim", "push"),
            ([pushes(1, BORN - timedelta(hours=1))], "unknown", "nothing"),
            ([pushes(1, BORN, success=False)], "unknown", "nothing"),
            ([made(1, None)], "unknown", "nothing"),
        ],
    )
    def test_what_they_say_outright(self, events, way, because):
        found, why, sure = one(*events)
        assert (found, why) == (way, because)
        assert (sure is None) == (way == "unknown")
        assert sure is None or sure >= 0.9

    @pytest.mark.parametrize("actor", ["a2", "Boss@example.com"])
    def test_a_person_who_made_it(self, actor):
        boss = account(2, NOW - 900 * DAY, email="boss@example.com")
        row = read([account(1), boss], [made(1, actor)])["a1"]
        assert (row["provenance"], row["provenance_because"], row["provenance_subject"]) == ("local", "person", actor)
        guest = read([account(1, kind="guest"), boss], [made(1, actor)])["a1"]
        assert guest["provenance"] == "invited"
        by_robot = read([account(1), replace(boss, kind="service")], [made(1, actor)])["a1"]
        assert by_robot["provenance"] == "unknown"

    def test_a_person_invites_where_the_settings_know_no_other_way(self):
        told = of_settings(application=[{**APPLICATIONS[0], "provisioning": ["jit", "invited"]}, APPLICATIONS[1]])
        boss = account(2, NOW - 900 * DAY)
        assert read([account(1), boss], [made(1, "a2")], settings=told)["a1"]["provenance"] == "invited"

    def test_whoever_mostly_pushes_is_an_agent_under_whatever_name(self):
        boss = account(2, NOW - 900 * DAY)
        others = [account(n, BORN + timedelta(hours=n)) for n in range(10, 14)]
        events = [made(a.employee_id, "a2", a.created_at) for a in others]
        events += [pushes(a.employee_id, a.created_at) for a in others]
        row = read([account(1), boss, *others], [made(1, "a2"), *events])["a1"]
        assert (row["provenance"], row["provenance_because"]) == ("scim", "agent")

    def test_an_account_whose_making_is_not_dated_is_read_by_its_event(self):
        accounts, events = at_sign_on(9)
        bare = [replace(a, created_at=None) for a in accounts]
        makings = [made(a.employee_id, None, a.created_at) for a in accounts]
        found = read([*bare, account(1, None)], [*events, *makings])
        assert {row["provenance"] for key, row in found.items() if key != "a1"} == {"jit"}
        assert (found["a1"]["provenance"], found["a1"]["provenance_because"]) == ("unknown", "untold")


class TestTimes:
    def test_a_window_is_fitted_where_enough_are_seen(self):
        accounts, events = at_sign_on(20)
        row = read(accounts, events)["a12"]
        assert (row["provenance"], row["provenance_because"], row["provenance_by"]) == ("jit", "sign_on", "sso")
        assert 0.9 <= row["provenance_confidence"] <= SURE
        assert row["provenance_subject"] == "s12"
        assert came_to_be(row, {"sso": "Okta"}).startswith("JIT, 95 % sure: made 2 s after its owner's first sign-on")

    def test_few_make_no_sure_class(self):
        accounts, events = at_sign_on(2)
        row = read(accounts, events)["a10"]
        assert (row["provenance_because"], row["provenance_confidence"]) == ("near_sign_on", UNFITTED)

    @pytest.mark.parametrize("skew", [-300, -60, 60, 300])
    def test_clocks_that_are_apart_move_the_window(self, skew):
        accounts, events = at_sign_on(20, seconds=2 + skew)
        rows = read(accounts, events)
        assert {row["provenance_because"] for row in rows.values()} == {"sign_on"}

    def test_beside_a_sharp_window_a_sign_on_minutes_away_explains_nothing(self):
        accounts, events = at_sign_on(20)
        late = signs_on(1, BORN + timedelta(seconds=240))
        assert read([account(1), *accounts], [*events, late])["a1"]["provenance"] == "unknown"

    def test_a_sign_on_that_was_not_the_first_is_less_sure(self):
        accounts, events = at_sign_on(20)
        earlier = signs_on(12, BORN - 9 * DAY)
        row = read(accounts, [*events, earlier])["a12"]
        assert row["provenance_because"] == "later_sign_on"
        assert row["provenance_confidence"] < 0.9

    @pytest.mark.parametrize("harm", ["pushed", "by hand", "not named"])
    def test_what_contradicts_it_makes_it_unsure(self, harm):
        accounts, events = at_sign_on(20)
        told = of_settings(application=[{**APPLICATIONS[0], "provisioning": ["scim"]}, APPLICATIONS[1]])
        boss = account(2, NOW - 900 * DAY)
        moment = accounts[2].created_at
        more = {"pushed": [pushes(12, moment)], "by hand": [made(12, "a2", moment)], "not named": []}[harm]
        row = read([*accounts, boss], [*events, *more], settings=told if harm == "not named" else SETTINGS)["a12"]
        assert row["provenance"] == ("scim" if harm == "pushed" else "jit")
        assert row["provenance_confidence"] < 0.9

    def test_a_bare_date_is_near_to_nothing(self):
        accounts, events = at_sign_on(20)
        midnight = datetime(2026, 11, 20, tzinfo=UTC)
        found = read([account(1, midnight), *accounts], [*events, signs_on(1, midnight)])
        assert found["a1"]["provenance"] == "unknown"

    def test_before_the_logs_nothing_is_known_but_that(self):
        old = account(1, NOW - 200 * DAY)
        row = read([old], [signs_on(1, BORN)])["a1"]
        assert (row["provenance"], row["provenance_because"]) == ("unknown", "before_logs")
        assert row["provenance_confidence"] is None
        assert came_to_be(row, {}) == "Unknown: no log that was read reaches back to when it was made"

    def test_many_at_once_were_imported_unless_signed_in(self):
        moment = NOW - 400 * DAY + timedelta(seconds=1)
        crowd = [account(n, moment + timedelta(seconds=n % 60), employee_id=None) for n in range(30)]
        rows = read(crowd, [])
        assert {(r["provenance"], r["provenance_together"]) for r in rows.values()} == {("imported", 30)}
        assert all(r["provenance_confidence"] < 0.9 for r in rows.values())
        assert {r["provenance"] for r in read(crowd[:19], []).values()} == {"unknown"}
        bare = [replace(a, created_at=datetime(2025, 10, 1, tzinfo=UTC)) for a in crowd]
        assert {r["provenance"] for r in read(bare, []).values()} == {"unknown"}


class TestMemory:
    def test_knowledge_outlives_the_logs_and_is_lost_with_the_account(self):
        accounts, events = at_sign_on(20)
        first = read(accounts, events)
        kept = nw.from_native(pl.DataFrame(list(first.values()), infer_schema_length=None).lazy())
        later = read(accounts, [], kept)
        assert [later[k]["provenance_event"] for k in later] == [first[k]["provenance_event"] for k in later]
        assert {row["provenance"] for row in later.values()} == {"jit"}
        anew = [replace(a, created_at=a.created_at + DAY) for a in accounts]
        assert {row["provenance"] for row in read(anew, [], kept).values()} == {"unknown"}

    def test_a_weaker_word_never_takes_the_place_of_a_stronger_one(self):
        strong = read([account(1)], [made(1, None, kind="provisioned")])
        kept = nw.from_native(pl.DataFrame(list(strong.values()), infer_schema_length=None).lazy())
        row = read([account(1)], [signs_on(1, BORN)], kept)["a1"]
        assert (row["provenance"], row["provenance_confidence"]) == ("scim", 0.98)
        weak = read([account(1)], [signs_on(1, BORN)])
        kept = nw.from_native(pl.DataFrame(list(weak.values()), infer_schema_length=None).lazy())
        assert read([account(1)], [made(1, "a1")], kept)["a1"]["provenance_because"] == "itself"


class TestFit:
    def test_nothing_seen_is_the_wide_window(self):
        assert (fit({}).low, fit({}).high, fit({}).confidence) == (-WIDE, WIDE, UNFITTED)

    def test_people_who_sign_in_soon_after_a_mail_make_no_peak(self):
        seen = {-delta: 4 for delta in range(20, 200, 3)}
        assert not fit(seen).fitted

    @given(st.dictionaries(st.integers(-900, 900), st.integers(1, 50), max_size=60))
    @budget(deadline=None, max_examples=50)
    def test_is_never_surer_than_it_may_be_and_holds_what_it_counts(self, seen):
        window = fit(seen)
        assert UNFITTED <= window.confidence <= SURE
        assert window.low <= window.high
        if window.fitted:
            assert window.accounts == sum(n for delta, n in seen.items() if window.low <= delta <= window.high)

    def test_says_itself(self):
        assert window_said({"low": 0, "high": 3, "accounts": 812}).endswith("0 to 3 s after the sign-on, seen on 812.")
        assert "the clocks are apart" in window_said({"low": -9, "high": -7, "accounts": 5})
        assert window_said({}).startswith("No account")
        untold = {"low": None, "high": None, "accounts": 15}
        assert window_said(untold).startswith("15 accounts were judged by the time of a sign-on; how long after it is")


@given(st.randoms(use_true_random=False))
@budget(deadline=None, max_examples=5)
def test_the_order_of_events_and_what_is_unrelated_change_nothing(luck):
    accounts, events = at_sign_on(12)
    events += [pushes(10, accounts[0].created_at), made(11, "a11", accounts[1].created_at)]
    before = read(accounts, events)
    others = [signs_on(n, BORN + timedelta(hours=n), target="Wiki") for n in range(10, 22)]
    others += [signs_on(n, BORN + 3 * DAY, account_id="nobody") for n in range(10, 15)]
    mixed = [*events, *others]
    luck.shuffle(mixed)
    after = read(accounts, mixed)
    assert len(after) == len(accounts), "one class an account"
    assert after == before


def test_a_mixed_company_is_told_apart_and_what_is_sure_is_right():
    ways, accounts, events = mixed()
    found = read(accounts, events)
    sure = {k: r["provenance"] for k, r in found.items() if (r["provenance_confidence"] or 0) >= 0.9}
    wrong = [k for k, way in sure.items() if ways[k] != way]
    assert len(sure) > 280
    assert len(wrong) <= 0.05 * len(sure)
