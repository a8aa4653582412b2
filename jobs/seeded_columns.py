"""A seeded estate as columns, for the figures at any size: snapshots written without a record in between.

People, a tenth as many as accounts; ten applications; five grants and ten sign-ins an account. The numbers come from
arithmetic, so that the same size is the same estate on every machine. `turn` 1 is a day later: of a hundred accounts
one has been used, closed or given something since.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import polars as pl

from governance.house import House
from governance.settings import Settings, parse
from governance.snapshots.frames import INSTANT, schema
from governance.snapshots.writing import write
from governance.tables import Snapshot

APPLICATIONS: Final = 10
DEPARTMENTS: Final = ("Finance", "Sales", "Engineering", "Support", "Legal", "People")
TITLES: Final = ("Analyst", "Lead", "Associate", "Director")
ROLES: Final = 20
PRIVILEGED: Final = 2  # the last roles of each application
GRANTS: Final = 5
SIGN_INS: Final = 10
_SPREAD: Final = 2_654_435_761  # Knuth's multiplicative hash
Frames = dict[str, pl.DataFrame | pl.LazyFrame]


@dataclass(frozen=True)
class Columns:
    """An estate of so many accounts as of one instant."""

    accounts: int
    now: datetime
    turn: int = 0  # days later

    @property
    def at(self) -> datetime:
        """What time its snapshots are of."""
        return self.now + timedelta(days=self.turn)

    @property
    def people(self) -> int:
        """One person has an account in every application."""
        return max(1, self.accounts // APPLICATIONS)

    def settings(self) -> Settings:
        """The feeds, a role mapping for each department, and two duties that nobody should hold together."""
        names = [f"app{n:02d}" for n in range(APPLICATIONS)]
        gives = {d: [f"Role {(place * 3 + n) % 18:02d}" for n in range(9)] for place, d in enumerate(DEPARTMENTS)}
        mapping: list[dict[str, Any]] = [
            {"application": name, "when": {"department": department}, "gives": roles}
            for name in names
            for department, roles in gives.items()
        ]
        duties = {
            "name": "create and approve payments",
            "one": [{"application": "app00", "entitlement": "Role 18"}],
            "other": [{"application": "app01", "entitlement": "Role 19"}],
        }
        ways = (["jit"], ["scim"], ["jit", "scim"], ["local"])
        return parse(
            {
                "source": [{"name": "hr", "connector": "hr_csv"}],
                "application": [
                    {
                        "name": name,
                        "connector": "app_csv",
                        "provisioning": ways[n % 4],
                        "identity_provider": n == 0,
                        "criticality": ("high", "medium", "low")[n % 3],
                    }
                    for n, name in enumerate(names)
                ],
                "role_mapping": mapping,
                "segregation": [duties],
            }
        )

    def store(self, house: House) -> None:
        """Write every feed and make it visible."""
        feeds: list[tuple[str, str, Frames]] = [("hr", "source", {"identities": self.identities()})]
        feeds += [(f"app{n:02d}", "application", self.application(n)) for n in range(APPLICATIONS)]
        for name, kind, frames in feeds:
            row = Snapshot(
                id=f"{name}-{self.turn}",
                feed=name,
                kind=kind,
                at=self.at,
                pulled_at=self.at,
                published_at=self.at,
                status="published",
                path=f"{name}/{name}-{self.turn}",
                rows={"accounts": self.accounts // APPLICATIONS, "identities": self.people},
                released_by=[],
            )
            write(house.snapshots / row.path, frames)
            with house.store.write() as session:
                session.add(row)

    def identities(self) -> pl.LazyFrame:
        """Three of a hundred have left; a tenth are contractors; one of fifty moved in the last months."""
        n, dice = pl.col("n"), pl.col("dice")
        left, contractor, moved = dice % 100 < 3, dice % 10 == 0, dice % 50 == 7
        department = _one_of(DEPARTMENTS, dice)
        return self._whole(
            "identities",
            _numbered(0, self.people, 1, lambda n: n),
            identity_id=pl.format("hr:{}", n),
            source=pl.lit("hr"),
            employee_id=n.cast(pl.String),
            kind=pl.when(contractor).then(pl.lit("contractor")).otherwise(pl.lit("employee")),
            state=pl.when(left).then(pl.lit("ended")).otherwise(pl.lit("current")),
            ended_at=pl.when(left).then(self._before(days=1 + dice % 400)),
            ended_why=pl.when(left).then(pl.lit("source")),
            contract_end=pl.when(contractor & (dice % 4 != 0)).then(self._before(days=dice % 300 - 290)),
            hire_at=self._before(days=500 + dice % 3_000),
            display_name=pl.format("Person {}", n),
            email=pl.format("p{}@example.com", n),
            department=department,
            title=_one_of(TITLES, dice // 8),
            manager_id=pl.format("hr:{}", n // 12),
            former_department=pl.when(moved).then(_one_of(DEPARTMENTS, dice + 1)),
            moved_at=pl.when(moved).then(self._before(days=dice % 120)),
            present=pl.lit(True),
            last_present_at=pl.lit(self.at, INSTANT),
            absences=pl.lit(0),
            email_key=pl.format("p{}@example.com", n),
            name_key=pl.format("person {}", n),
            email_skeleton=pl.format("p{}@example.com", n),
        )

    def application(self, number: int) -> Frames:
        """One application: accounts, entitlements, grants and sign-ins."""
        name = f"app{number:02d}"
        base = _numbered(number, self.accounts, APPLICATIONS, lambda n: n * 31 + 7)
        entitlements = pl.LazyFrame({"r": range(ROLES)}).select(
            application=pl.lit(name),
            entitlement_id=pl.format("r{}", "r"),
            name=pl.format("Role {}", pl.col("r").cast(pl.String).str.zfill(2)),
            kind=pl.lit("role"),
            privileged=pl.col("r") >= ROLES - PRIVILEGED,
        )
        return {
            "accounts": self._accounts(name, base),
            "entitlements": entitlements.select(list(schema("entitlements"))),
            "grants": self._grants(name, base),
            "credentials": pl.LazyFrame(schema=schema("credentials")),
            "events": self._events(name, base),
        }

    def _accounts(self, name: str, base: pl.LazyFrame) -> pl.LazyFrame:
        dice, n = pl.col("dice"), pl.col("n")
        person = n // APPLICATIONS % self.people
        nobody, number = dice % 200 == 0, person.cast(pl.String)
        changed = (dice % 100 == 42) if self.turn else pl.lit(False)
        address = (
            pl.when(nobody)
            .then(pl.format("stranger{}@elsewhere.example", n))
            .otherwise(pl.format("p{}@example.com", person))
        )
        left = _dice(person) % 100 < 3
        used = self._before(days=pl.when(dice % 20 != 0).then(dice % 25).otherwise(200), minutes=dice % 1_000)
        used = pl.when(changed).then(pl.lit(self.at - timedelta(hours=2), INSTANT)).otherwise(used)
        return self._whole(
            "accounts",
            base,
            application=pl.lit(name),
            account_id=pl.format("a{}", n),
            username=pl.format("p{}", person),
            email=address,
            employee_id=pl.when(~nobody & (dice % 3 != 0)).then(number),
            kind=pl.when(dice % 500 == 3).then(pl.lit("service")).otherwise(pl.lit("human")),
            active=(~left | (dice % 10 == 0)) & ~(changed & (dice % 7 == 0)),
            last_seen_at=pl.when(dice % 300 != 1).then(used),
            last_seen_known=pl.lit(True),
            created_at=self._before(days=pl.lit(500, pl.Int64)),
            mfa=dice % 50 != 0,
            privileged=dice % 100 == 2,
            department=_one_of(DEPARTMENTS, _dice(person)),
            present=pl.lit(True),
            last_present_at=pl.lit(self.at, INSTANT),
            email_key=address,
            login_key=pl.format("p{}", person),
            email_skeleton=address,
        )

    def _grants(self, name: str, base: pl.LazyFrame) -> pl.LazyFrame:
        dice = pl.col("dice")
        start = _dice(pl.col("n") // APPLICATIONS % self.people) % len(DEPARTMENTS) * 3
        parts = []
        for k in range(GRANTS):
            role = (start + (dice + 2 * k) % 9) % 18
            if k == GRANTS - 1:
                role = pl.when(dice % 100 == 2).then(ROLES - 1 - dice % 2).otherwise(role)
                if self.turn:
                    role = pl.when(dice % 100 == 42).then(dice % 18).otherwise(role)
            parts.append(
                self._whole(
                    "grants",
                    base,
                    application=pl.lit(name),
                    account_id=pl.format("a{}", "n"),
                    entitlement_id=pl.format("r{}", role),
                    how=pl.lit("direct"),
                    last_used_known=pl.lit(False),
                )
            )
        return pl.concat(parts)

    def _events(self, name: str, base: pl.LazyFrame) -> pl.LazyFrame:
        parts = [
            self._whole(
                "events",
                base,
                application=pl.lit(name),
                event_id=pl.format("e{}-{}", "n", pl.lit(k)),
                at=self._before(days=(pl.col("dice") + 9 * k) % 90),
                kind=pl.lit("sign_in"),
                account_id=pl.format("a{}", "n"),
                success=pl.lit(True),
            )
            for k in range(SIGN_INS)
        ]
        return pl.concat(parts)

    def _before(self, *, days: pl.Expr, minutes: pl.Expr | None = None) -> pl.Expr:
        spent = pl.duration(days=days.cast(pl.Int64), minutes=0 if minutes is None else minutes.cast(pl.Int64))
        return pl.lit(self.now - timedelta(hours=3), INSTANT) - spent

    def _whole(self, table: str, frame: pl.LazyFrame, **columns: pl.Expr) -> pl.LazyFrame:
        """The columns of a snapshot, with twins; what is not given is not told."""
        made = frame.select(**columns)
        wanted = schema(table)
        twins = {f"{name}_s": pl.col(name).dt.epoch("s") for name in columns if f"{name}_s" in wanted}
        made = made.with_columns(**twins)
        missing = {n: pl.lit(None, kind) for n, kind in wanted.items() if n not in columns and n not in twins}
        return made.with_columns(**missing).select(pl.col(n).cast(kind) for n, kind in wanted.items())


def _numbered(start: int, end: int, step: int, seed: Any) -> pl.LazyFrame:
    numbers = pl.LazyFrame().select(n=pl.int_range(start, end, step, dtype=pl.Int64))
    return numbers.with_columns(dice=_dice(seed(pl.col("n"))))


def _dice(n: pl.Expr) -> pl.Expr:
    return ((n.cast(pl.UInt64) * _SPREAD & 0xFFFFFFFF) // 128).cast(pl.Int64)


def _one_of(words: tuple[str, ...], place: pl.Expr) -> pl.Expr:
    return (place % len(words)).replace_strict(list(range(len(words))), list(words), return_dtype=pl.String)
