"""How many findings there are: counted once for every change, and the only place any page takes a count from."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa
from sqlmodel import col

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


def tally(house: House) -> Tally:
    """The findings as they are now, counted."""
    with house.store.read() as session:
        key = ("tally", house.store.url, *runs.version(session))

        def counted() -> Tally:
            # A rule has one severity, so that the index finding_tally alone answers this.
            columns = (col(Finding.status), col(Finding.application), col(Finding.rule))
            severity = sa.func.max(col(Finding.severity))
            rows = session.execute(sa.select(*columns, severity, sa.func.count()).group_by(*columns)).all()
            return Tally({(s, a or "", r, v): n for s, a, r, v, n in rows})

        return runs.remembered(key, counted)
