"""How many findings there are: counted once for every change, and the only place any page takes a count from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlmodel import col

from governance.access import Reach
from governance.house import House
from governance.tables import Finding
from governance.views import runs

LIVE = ("open", "in_remediation", "excluded")


@dataclass(frozen=True)
class Tally:
    """Findings counted by status, application, rule and severity."""

    counts: dict[tuple[str, str, str, str], int]

    def of(
        self, status: str | None = None, application: str | None = None, rule: str | None = None,
        severity: str | None = None,
    ) -> int:  # fmt: skip
        """How many findings are of these; None means any."""
        wanted = (status, application, rule, severity)
        return sum(
            n
            for key, n in self.counts.items()
            if all(want is None or want == have for want, have in zip(wanted, key, strict=True))
        )

    def grid(self, status: str = "open") -> dict[tuple[str, str], int]:
        """Application and rule -> how many findings of that status."""
        cells: dict[tuple[str, str], int] = {}
        for (own, application, rule, _), n in self.counts.items():
            if own == status:
                cells[application, rule] = cells.get((application, rule), 0) + n
        return cells

    def rules(self, status: str = "open") -> set[str]:
        """The rules that hold against anything."""
        return {rule for (own, _, rule, _), n in self.counts.items() if own == status and n}


def within(reach: Reach | None, own: Callable[[Any], Any] = col, table: Any = Finding) -> list[Any]:
    """The condition that keeps a list of findings or remediations to what its reader may see; none for everything."""
    if reach is None:
        return []
    identities, applications = own(table.identity_id), own(table.application)
    return [sa.or_(identities.in_(sorted(reach.identities)), applications.in_(sorted(reach.applications)))]


def tally(house: House, reach: Reach | None = None) -> Tally:
    """The findings as they are now, counted: all of them, or those within somebody's reach."""
    with house.store.read() as session:
        key = ("tally", house.store.url, reach, *runs.version(session))

        def counted() -> Tally:
            # A rule has one severity, so that the index finding_tally alone answers this.
            columns = (col(Finding.status), col(Finding.application), col(Finding.rule))
            severity = sa.func.max(col(Finding.severity))
            counts = sa.select(*columns, severity, sa.func.count()).where(*within(reach)).group_by(*columns)
            rows = session.execute(counts).all()
            return Tally({(s, a or "", r, v): n for s, a, r, v, n in rows})

        return runs.remembered(key, counted)
