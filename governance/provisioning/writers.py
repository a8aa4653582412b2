"""Which writers fill an application, since when and over whom, from what happened there and from the settings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, Literal

import narwhals as nw

from governance.declaration import surely_came
from governance.provisioning.pushes import Picture
from governance.settings import ApplicationSettings, Settings

Writer = Literal["jit", "scim", "hand", "import"]
Told = Literal["events", "settings", "both"]
WRITERS: Final[tuple[Writer, ...]] = ("jit", "scim", "hand", "import")
_OF_PROVENANCE: Final[dict[str, Writer]] = {
    "jit": "jit",
    "scim": "scim",
    "imported": "import",
    "invited": "hand",
    "local": "hand",
}
_OF_SETTINGS: Final[dict[str, Writer]] = {"jit": "jit", "scim": "scim", "invited": "hand", "local": "hand"}


@dataclass(frozen=True)
class Acting:
    """One writer of one application. Times are None where only the settings or the accounts themselves tell of it."""

    writer: Writer
    since: datetime | None  # its first act that is remembered
    last: datetime | None
    accounts: int  # over how many accounts it was seen to act
    told_by: Told


def writers(
    acts: nw.DataFrame[Any], picture: Picture, let_in: frozenset[str] = frozenset()
) -> dict[str, tuple[Acting, ...]]:
    """The writers of every application of the settings, those that sign-ins and pushes are first.

    `acts`: governance.provisioning.acts, collected. What the provenance of accounts tells is told by events.
    `let_in`: applications whose own settings let a sign-in open accounts, which makes it a writer there.
    """
    seen = _seen(acts)
    for (application, writer), count in _of_provenance(picture).items():
        since, last, before = seen.get((application, writer), (None, None, 0))
        seen[application, writer] = since, last, max(before, count)
    return {a.name: _of(a, seen, a.name in let_in) for a in picture.settings.application}


def automatic(acting: Iterable[Acting]) -> bool:
    """Whether both a sign-in and a push fill the application: what dual provisioning means."""
    return {"jit", "scim"} <= {one.writer for one in acting}


def _seen(acts: nw.DataFrame[Any]) -> dict[tuple[str, str], tuple[datetime | None, datetime | None, int]]:
    # That a sign-in changed an account shows no writer by itself: people change their own profile.
    proves = (nw.col("writer") != "jit") | (nw.col("act") == "made")
    counted = acts.filter(nw.col("writer").is_in(list(WRITERS)), proves)
    grouped = counted.group_by("application", "writer").agg(
        nw.col("at_s").min().alias("since"),
        nw.col("at_s").max().alias("last"),
        nw.col("account_id").n_unique().alias("accounts"),
    )
    return {
        (str(application), str(writer)): (instant(since), instant(last), int(accounts))
        for application, writer, since, last, accounts in grouped.iter_rows()
    }


def _of_provenance(picture: Picture) -> dict[tuple[str, str], int]:
    known = picture.accounts.filter(surely_came(*_OF_PROVENANCE))
    counted = known.group_by("application", "provenance").agg(nw.len().alias("n")).collect("polars")
    found: dict[tuple[str, str], int] = {}
    for application, provenance, n in counted.iter_rows():
        key = str(application), _OF_PROVENANCE[str(provenance)]
        found[key] = found.get(key, 0) + int(n)
    return found


def _of(application: ApplicationSettings, seen: Mapping[tuple[str, str], Any], lets_in: bool) -> tuple[Acting, ...]:
    said = {_OF_SETTINGS[way] for way in application.provisioning} | ({"jit"} if lets_in else set())
    found = []
    for writer in WRITERS:
        facts = seen.get((application.name, writer))
        if facts is None and writer not in said:
            continue
        since, last, accounts = facts or (None, None, 0)
        told: Told = "settings" if facts is None else "both" if writer in said else "events"
        found.append(Acting(writer, since, last, accounts, told))
    return tuple(found)


def instant(seconds: int | None) -> datetime | None:
    """Seconds since 1970 as an instant."""
    return None if seconds is None else datetime.fromtimestamp(int(seconds), UTC)


def told(settings: Settings, application: str) -> ApplicationSettings | None:
    """What the settings say of an application; None when they do not name it."""
    return next((a for a in settings.application if a.name == application), None)
