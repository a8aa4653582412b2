"""What happens in an application when somebody leaves, as its real leavers show: who closes what, and how soon."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Literal

import narwhals as nw

from governance.declaration import day, epoch, of_a_person
from governance.provisioning.conflict import Rows
from governance.provisioning.entitled import counted
from governance.provisioning.pushes import ACCOUNT, Picture
from governance.provisioning.writers import instant

Closer = Literal["scim", "hand", "here", "untold"]
What = Literal["unseen", "closed", "login_only", "nothing", "unknown"]
Tone = Literal["good", "warn", "bad"]
CLOSERS: Final[tuple[Closer, ...]] = ("scim", "hand", "here", "untold")
FEWEST: Final = 3  # fewer leavers show no custom
FRESH: Final = timedelta(hours=24)  # who left since then may yet be closed, and is not counted
_EARLY: Final = 86_400  # an account closed on the last working day was closed because of it
_HOUR: Final = 3600


@dataclass(frozen=True)
class Leaving:
    """What became of the accounts that leavers held in one application. Times are hours since the engagement ended."""

    leavers: int  # people who left while an account of theirs was remembered
    since: datetime | None  # when the first of them left
    closed: Mapping[str, int] = field(default_factory=dict)  # closer -> people whose accounts are all closed
    before: int = 0  # of those, closed before Leaverwatch first read the application
    still: int = 0  # people with an account that is still active
    sign_in_closed: int = 0  # of those, whose sign-in at the identity provider is closed
    tokens: int = 0  # of those, with tokens or keys that work
    unknown: int = 0  # people of whom it is not told whether their account is active
    median: float | None = None  # of closings whose time an event tells
    slow: float | None = None  # nine of ten closings took no longer
    latest: float | None = None  # the median where only readings tell: closed by then, perhaps long before

    @property
    def what(self) -> What:
        """What happens as a rule; `unseen` where too few left."""
        if self.leavers < FEWEST:
            return "unseen"
        if self.unknown * 2 > self.leavers:
            return "unknown"
        if self.still * 2 < self.leavers - self.unknown:
            return "closed"
        return "login_only" if self.sign_in_closed * 2 > self.still else "nothing"

    @property
    def by(self) -> Closer | None:
        """Who closes most, of what was closed since Leaverwatch reads the application."""
        seen = {closer: self.closed.get(closer, 0) for closer in CLOSERS}
        seen["untold"] -= self.before
        most = max(CLOSERS, key=lambda closer: seen[closer])
        return most if seen[most] > 0 else None

    @property
    def tone(self) -> Tone:
        """How good that is. What is closed from here only is not the application's doing."""
        if self.what in ("login_only", "nothing"):
            return "bad"
        whole = self.what == "closed" and not self.still and not self.unknown
        return "good" if whole and self.by != "here" else "warn"

    def kept(self) -> dict[str, Any]:
        """As a detect run keeps it."""
        return asdict(self) | {"since": self.since.isoformat() if self.since else None}


def restored(kept: Mapping[str, Any]) -> Leaving:
    """What a detect run kept."""
    since = kept.get("since")
    return Leaving(**{**kept, "since": datetime.fromisoformat(since) if since else None})


def leaving(picture: Picture, acts: Rows, now: datetime, ours: Mapping[tuple[str, str], int]) -> dict[str, Leaving]:
    """For each application with leavers' accounts what became of them.

    `acts`: governance.provisioning.acts, collected. `ours`: accounts that were closed and proved from here, and when,
    in seconds since 1970: a closing of our own shows nothing of the application.
    """
    closings = _closings(acts)
    people: dict[tuple[str, str], list[_Account]] = {}
    for row in _held(picture, now).iter_rows(named=True):
        account = _account(row, closings.get((row["application"], row["account_id"]), []), ours)
        people.setdefault((row["application"], row["owner_id"]), []).append(account)
    by_application: dict[str, list[list[_Account]]] = {}
    for (application, _), accounts in sorted(people.items()):
        by_application.setdefault(application, []).append(accounts)
    return {application: _together(own) for application, own in by_application.items()}


@dataclass(frozen=True)
class _Account:
    ended_s: int
    open: bool | None
    sign_in_closed: bool
    tokens: bool
    closer: Closer | None
    hours: float | None
    told: bool  # whether an event tells the time


def _held(picture: Picture, now: datetime) -> Rows:
    """The accounts that leavers held when they left."""
    until = epoch(now - FRESH)
    left = (nw.col("owner_state") == "ended") & (nw.col("owner_ended_at_s") <= until)
    had = nw.col("created_at_s").is_null() | (nw.col("created_at_s") <= nw.col("owner_ended_at_s"))
    columns = ("owner_id", "owner_ended_at_s", "active", "present", "closed_at_s", "sign_on_active", "credentials")
    frames = [
        frame.filter(left, had, of_a_person()).select(*ACCOUNT, *columns)
        for frame in (picture.accounts, picture.vanished_accounts)
    ]
    return nw.concat(frames, how="vertical").collect("polars")


def _closings(acts: Rows) -> dict[tuple[str, str], list[tuple[int, str]]]:
    found: dict[tuple[str, str], list[tuple[int, str]]] = {}
    closed = acts.filter(nw.col("act") == "closed", nw.col("writer") != "jit")
    for application, account, writer, at in closed.select(*ACCOUNT, "writer", "at_s").iter_rows():
        found.setdefault((application, account), []).append((int(at), writer))
    return found


def _account(
    row: Mapping[str, Any], closings: Iterable[tuple[int, str]], ours: Mapping[tuple[str, str], int]
) -> _Account:
    ended = int(row["owner_ended_at_s"])
    opened = row["active"] if row["present"] else False
    closer: Closer | None = None
    at: int | None = None
    after = sorted(one for one in closings if one[0] >= ended - _EARLY)
    proved = ours.get((row["application"], row["account_id"]))
    if opened is False:
        if proved is not None and not any(at <= proved - _HOUR for at, writer in after if writer != "here"):
            closer, at = "here", proved
        elif after:
            at, writer = after[0]
            closer = next((known for known in CLOSERS if known == writer), "untold")
        else:
            closer, at = "untold", row["closed_at_s"]
    return _Account(
        ended_s=ended,
        open=opened,
        sign_in_closed=row["sign_on_active"] is False,
        tokens=bool(row["credentials"]),
        closer=closer,
        hours=None if at is None else max(0.0, (at - ended) / _HOUR),
        told=opened is False and bool(after or proved is not None),
    )


def _together(people: list[list[_Account]]) -> Leaving:
    """Everybody in one application: somebody still has an account there if any of theirs is active."""
    closed: dict[str, int] = {}
    before = still = sign_in_closed = tokens = unknown = 0
    told: list[float] = []
    read: list[float] = []
    for accounts in people:
        active = [one for one in accounts if one.open]
        if active:
            still += 1
            sign_in_closed += all(one.sign_in_closed for one in active)
            tokens += any(one.tokens for one in active)
        elif any(one.open is None for one in accounts):
            unknown += 1
        else:
            last = max(accounts, key=lambda one: -1.0 if one.hours is None else one.hours)
            closed[last.closer or "untold"] = closed.get(last.closer or "untold", 0) + 1
            before += last.hours is None
            if last.hours is not None:
                (told if last.told else read).append(last.hours)
    return Leaving(
        leavers=len(people),
        since=instant(min(one.ended_s for accounts in people for one in accounts)),
        closed=closed,
        before=before,
        still=still,
        sign_in_closed=sign_in_closed,
        tokens=tokens,
        unknown=unknown,
        median=statistics.median(told) if told else None,
        slow=sorted(told)[-(-9 * len(told) // 10) - 1] if told else None,
        latest=statistics.median(read) if read else None,
    )


def staying(seen: Leaving) -> str:
    """How many leavers still have an account, and what of those, in a few words."""
    has = "has" if seen.still == 1 else "have"
    said = f"{seen.still:,} of {counted(seen.leavers, 'leaver')} still {has} an account"
    if seen.tokens:
        said += f", {seen.tokens:,} with live tokens"
    if not seen.sign_in_closed:
        return said
    these = f"{seen.sign_in_closed:,} of these {seen.still:,}"
    if seen.sign_in_closed >= seen.still:
        these = "this one" if seen.still == 1 else f"all {seen.still:,} of these"
    return f"{said}; single sign-on is closed for {these}"


def closing(seen: Leaving) -> str:
    """Who closes the accounts of all others and how soon, in a few words; empty where none was seen to be closed."""
    if seen.by is None:
        return ""
    who = {"scim": "by SCIM", "hand": "by hand", "here": "from here", "untold": "not told by whom"}
    others = sum(seen.closed.values())
    said = f"{counted(others, 'other')} closed, {'' if seen.by == 'untold' or others == 1 else 'mostly '}{who[seen.by]}"
    return f"{said}, half within {lasting(seen.median)}" if seen.median is not None else said


def sentence(seen: Leaving, title: str, provider: str | None = None, of_provider: Leaving | None = None) -> str:
    """What happens there when somebody leaves, in one plain statement. Not for `unseen`: nothing was seen."""
    of = f"of {counted(seen.leavers, 'leaver')} since {day(seen.since)}"
    has = "has" if seen.still == 1 else "have"
    tokens = f", {seen.tokens:,} with live tokens" if seen.tokens else ""
    if seen.what == "unknown":
        return f"{title} does not tell whether the accounts {of} are still active."
    if seen.what == "closed":
        return f"{_closed(seen, title, of)}{f'; {seen.still:,} still {has} it{tokens}' if seen.still else ''}."
    if seen.what == "nothing":
        return f"Nothing happens in {title}: {seen.still:,} {of} still {has} an active account{tokens}."
    soon = f" within {lasting(of_provider.median)}" if of_provider and of_provider.median is not None else ""
    who = provider or "The identity provider"
    return f"{who} closes the sign-in{soon}; the account in {title} stays: {seen.still:,} {of} still {has} it{tokens}."


_WHO: Final[dict[Closer | None, str]] = {
    "scim": "SCIM closes the account in {title}",
    "hand": "The account in {title} is closed by hand",
    "here": "The account in {title} is closed from here",
    "untold": "The account in {title} is closed, by whom is not told",
    None: "The account in {title} is closed",
}


def _closed(seen: Leaving, title: str, of: str) -> str:
    parts = [f"{sum(seen.closed.values()):,} {of}"]
    if seen.median is not None and seen.slow is not None:
        half, nine = lasting(seen.median), lasting(seen.slow)
        parts.append(f"nearly all within {half}" if half == nine else f"half within {half}, nine of ten within {nine}")
    elif seen.latest is not None:
        parts.append(f"half of them read closed within {lasting(seen.latest)}")
    if seen.by != "here" and seen.closed.get("here"):
        parts.append(f"{seen.closed['here']:,} of them only from here")
    return f"{_WHO[seen.by].format(title=title)}: {', '.join(parts)}"


def lasting(hours: float) -> str:
    """A span as a reader says it: `2 h`, `3 d`."""
    if hours < 1:
        return "an hour"
    return f"{round(hours)} h" if hours < 48 else f"{round(hours / 24)} d"
