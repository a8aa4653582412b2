"""Addresses that somebody gave up: how long they lead back, and to which accounts."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import narwhals as nw
import polars as pl
import pytest
from msgspec import structs

from governance.correlation import lookups, owners
from governance.records import Account, Identity
from governance.snapshots.frames import frames_of
from governance.snapshots.memory import Absence, remember_identities

MAY = datetime(2026, 5, 1, tzinfo=UTC)
MONTH, KEEP = timedelta(days=30), timedelta(days=400)
ANN = Identity(source="hr", employee_id="1", state="current", email="old@x.example", hire_at=MAY - 30 * MONTH)
RENAMED = structs.replace(ANN, email="ann@x.example")
BO = Identity(source="hr", employee_id="2", state="current", email="Old@x.example", hire_at=MAY)


@dataclass
class Memory:
    """What a source of truth remembers after each of its monthly files."""

    people: pl.DataFrame | None = None
    at: datetime = field(default=MAY - MONTH)

    def read(self, *people: Identity, times: int = 1) -> Memory:
        for _ in range(times):
            self.at += MONTH
            frame = frames_of(people)["identities"]
            self.people = remember_identities(frame, self.people, self.at, Absence(), KEEP)
        return self

    def of(self, number: str) -> dict[str, object]:
        assert self.people is not None
        [row] = self.people.filter(pl.col("employee_id") == number).to_dicts()
        return row

    def match(self, created: datetime | None, **key: str) -> tuple[str | None, str, str | None]:
        """Owner, match and candidates of an account with this key."""
        assert self.people is not None
        told = Account(application="crm", account_id="a", active=True, created_at=created)
        accounts = nw.from_native(frames_of([structs.replace(told, **key)])["accounts"].lazy())
        found = nw.to_native(owners(accounts, lookups(nw.from_native(self.people.lazy())))).collect().to_dicts()
        return found[0]["owner_id"], found[0]["match"], found[0]["candidates"]


def test_it_is_remembered_when_an_address_was_given_up_last():
    memory = Memory().read(ANN)
    assert memory.of("1")["readdressed_at"] is None
    memory.read(RENAMED).read(structs.replace(RENAMED, email="Ann@X.example"))
    assert memory.of("1")["readdressed_at"] == MAY + MONTH
    assert memory.read(ANN).of("1")["readdressed_at"] == MAY + 3 * MONTH


@pytest.mark.parametrize("key", ["email", "username"])
def test_an_address_binds_no_account_that_was_made_after_it_was_given_up(key):
    memory = Memory().read(ANN).read(RENAMED, times=2)
    given_up, old = MAY + MONTH, {key: "old@x.example"}
    for created in (None, given_up, MAY - 20 * MONTH):
        assert memory.match(created, **old) == ("hr:1", "matched", None)
    assert memory.match(given_up + timedelta(days=1), **old) == (None, "ambiguous", "hr:1")


def test_an_address_of_which_is_not_known_when_it_was_given_up_leads_back():
    told = structs.replace(RENAMED, former_emails=("old@x.example",))
    assert Memory().read(told).match(MAY, email="old@x.example") == ("hr:1", "matched", None)


def test_an_address_leads_back_to_nobody_once_who_had_it_last_is_forgotten():
    memory = Memory().read(ANN).read(RENAMED).read(RENAMED, BO).read(RENAMED, times=13)
    assert memory.match(None, email="old@x.example") == (None, "ambiguous", "hr:1;hr:2")
    memory.read(RENAMED)
    assert (memory.of("1")["former_emails"], memory.of("1")["former_email_keys"]) == (None, None)
    assert memory.match(None, email="old@x.example") == (None, "unmatched", None)
    assert memory.read(RENAMED).match(None, email="ann@x.example") == ("hr:1", "matched", None)


def test_of_several_addresses_only_those_of_the_forgotten_lead_nowhere():
    between = structs.replace(ANN, email="Between@x.example")
    memory = Memory().read(ANN).read(between).read(RENAMED, BO).read(RENAMED, times=15)
    assert memory.of("1")["former_emails"] == "Between@x.example"
    assert memory.match(None, email="between@x.example") == ("hr:1", "matched", None)
