"""Addresses that belonged to somebody else before (FAULTS.md B1): judged on accounts as correlation leaves them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import narwhals as nw
import polars as pl
import pytest
from estates import NOW, SETTINGS, account, fired, judge, reason, unknown, unowned
from msgspec.structs import replace

from governance.estate import Facts, build, correlate
from governance.records import Account, Identity
from governance.rulebook import run
from governance.rules.recycled_identifier import recycled_identifier
from governance.snapshots.frames import frames_of

LEFT = datetime(2026, 5, 31, 22, tzinfo=UTC)
JOINED = datetime(2026, 9, 1, tzinfo=UTC)
LEAVER = Identity(
    "hr", "1", state="ended", hire_at=NOW - timedelta(days=900), ended_at=LEFT, email="x@example.com", display_name="Leon"
)  # fmt: skip
JOINER = Identity("hr", "2", state="current", hire_at=JOINED, email="X@example.com", display_name="Jo")
OF_BOTH = account(address_holders="hr:1;hr:2", email="x@example.com")


def there(**facts):
    return replace(Account("crm", "a", email="x@example.com", active=True), **facts)


def judged(accounts, people, vanished=()):
    """What the rule says once these people and accounts were matched; `vanished` is whom the source no longer holds."""
    frames = frames_of([*people, *accounts])
    gone = pl.col("employee_id").is_in(list(vanished))
    frames["identities"] = frames["identities"].with_columns(
        present=~gone,
        last_present_at_s=pl.lit(int(NOW.timestamp())),
        state=pl.when(gone & (pl.col("state") != "ended")).then(pl.lit("missing")).otherwise("state"),
    )
    frames["accounts"] = frames["accounts"].with_columns(present=pl.lit(True))
    as_of = {name: frame.with_columns(as_of_s=pl.lit(int(NOW.timestamp()))) for name, frame in frames.items()}
    pins = pl.DataFrame(schema={"application": pl.String, "account_id": pl.String, "pinned_id": pl.String})
    lazy = {name: nw.from_native(frame.lazy()) for name, frame in (as_of | {"pins": pins}).items()}
    facts = Facts(**lazy, snapshots={}, sources=("hr",))
    estate = build(facts, correlate(facts, SETTINGS, NOW), SETTINGS, NOW)
    return run(estate, SETTINGS.policy, NOW, {"recycled_identifier": recycled_identifier})


def test_fires_and_names_everybody_who_held_the_address():
    assert reason(judge(recycled_identifier, OF_BOTH)) == (
        "The active account m.lindqvist in Customer CRM has an address that several people held, hr:1, hr:2, at least"
        " one of them before; it is Marta Lindqvist's."
    )
    lonely = unowned(match="ambiguous", candidates="hr:1;hr:2", address_holders="hr:1;hr:2")
    verdict = judge(recycled_identifier, lonely)
    assert reason(verdict).endswith("at least one of them before; whose it is must be decided.")
    assert "hr:1, hr:2 hold or held its address or alias" in verdict.findings["evidence"].item()


@pytest.mark.parametrize(
    "facts",
    [
        {"created_at": None},
        {"created_at": LEFT + timedelta(days=20)},
        {"created_at": LEFT - timedelta(days=20)},
        {"created_at": JOINED + timedelta(days=20)},
        {"employee_id": "2"},
        {"employee_id": "1"},
        {"external_id": "hr:2"},
        {"email": None, "username": "X@Example.com"},
    ],
)
def test_fires_on_a_leaver_s_address_that_somebody_else_has_now_however_the_account_is_bound(facts):
    assert fired(judged([there(**facts)], [LEAVER, JOINER])) == ["a"]


def test_fires_on_an_address_that_its_holder_gave_up():
    renamed = replace(LEAVER, state="current", ended_at=None, email="y@example.com", former_emails=("x@example.com",))
    assert fired(judged([there()], [renamed, JOINER])) == ["a"]


def test_fires_on_an_address_of_somebody_who_vanished_from_the_source():
    before = replace(LEAVER, state="current", ended_at=None)
    assert fired(judged([there()], [before, JOINER], vanished=["1"])) == ["a"]


def test_fires_on_an_alias_that_was_given_on():
    people = [replace(LEAVER, email=None, aliases=("sales",)), replace(JOINER, email=None, aliases=("Sales",))]
    assert fired(judged([there(email=None, username="sales")], people)) == ["a"]


def test_fires_on_each_of_a_thousand_recycled_addresses():
    people, accounts = [], []
    for n in range(1000):
        old = replace(LEAVER, employee_id=f"L{n}", email=f"p{n}@example.com")
        new = replace(JOINER, employee_id=f"J{n}", email=f"P{n}@example.com")
        if n % 5 == 0:  # given up by somebody who works here
            old = replace(old, state="current", ended_at=None, email=f"q{n}@example.com", former_emails=(old.email,))
        people += [old, new]
        age = (None, 20, 150, 400)[n % 4]
        created = None if age is None else NOW - timedelta(days=age)
        number = (None, None, f"J{n}", None, f"L{n}")[n % 5]
        accounts.append(there(account_id=f"a{n}", email=f"p{n}@example.com", created_at=created, employee_id=number))
    accounts += [there(account_id=f"own{n}", email=f"own{n}@example.com") for n in range(200)]
    people += [replace(JOINER, employee_id=f"O{n}", email=f"own{n}@example.com") for n in range(200)]
    found = judged(accounts, people).findings
    assert found.height == 1000
    assert set(found["account_id"]) == {f"a{n}" for n in range(1000)}


@pytest.mark.parametrize(
    ("account_", "people"),
    [
        (there(), [JOINER]),
        (there(), [LEAVER]),
        (there(), [replace(JOINER, former_emails=("x@example.com", "y@example.com"))]),
        (there(active=False), [LEAVER, JOINER]),
        (there(email="z@example.com"), [LEAVER, JOINER]),
        (there(), [replace(JOINER, employee_id="3"), JOINER]),
    ],
)
def test_quiet_for_addresses_of_one_person_inactive_accounts_and_what_nobody_gave_up(account_, people):
    verdict = judged([account_], people)
    assert fired(verdict) == []
    assert unknown(verdict) is None


@pytest.mark.parametrize(
    ("judged_", "why"),
    [
        (unowned(source_read=False), "no source of truth has been read yet"),
        ({**OF_BOTH, "active": None}, "the application does not tell whether the account is active"),
    ],
)
def test_not_evaluable_when_a_signal_is_missing(judged_, why):
    verdict = judge(recycled_identifier, judged_)
    assert fired(verdict) == []
    assert unknown(verdict) == why
