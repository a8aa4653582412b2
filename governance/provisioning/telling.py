"""How an account came to be, in one sentence, with what says so."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

from governance.lines import minute
from governance.provisioning.bursts import MINUTES

WAYS: Final = {
    "jit": "JIT",
    "scim": "SCIM",
    "invited": "Invited",
    "imported": "Imported",
    "local": "Made by hand",
    "unknown": "Unknown",
}
# What the codes of `provenance_because` say; {by}: whose log, {at}: when, {maker}, {apart}, {together}.
BECAUSE: Final = {
    "own_push": "{by} logged that it was pushed, {at}",
    "push": "{by} pushed its owner into the application, {at}",
    "agent": "{by} logged that {maker} made it, who pushes accounts there, {at}",
    "itself": "{by} logged that it made itself at a sign-in, {at}",
    "person": "{by} logged that {maker} made it, {at}",
    "crowd": "{by} logged that {maker} made it, and many others within minutes, {at}",
    "importer": "{by} logged that {maker} made it, {at}",
    "program": "{by} logged that a program made it, {at}",
    "sign_on": "made {apart} its owner's first sign-on through {by}, {at}",
    "later_sign_on": "made {apart} a sign-on of its owner through {by} that was not the first, {at}",
    "near_sign_on": "made {apart} a sign-on of its owner through {by}, {at}; too few are seen there to fit a window",
    "burst": "made in a burst of {together} accounts within {minutes} minutes",
    "nothing": "the logs reach back to when it was made and say nothing of it",
    "before_logs": "no log that was read reaches back to when it was made",
    "untold": "its application does not tell when it was made",
}


def came_to_be(row: Mapping[str, Any], titles: Mapping[str, str]) -> str:
    """`JIT, 95 % sure: made 2 s after its owner's first sign-on through Okta, 4 Nov 2026, 09:12 UTC`.

    `row`: the columns of provenance.COLUMNS, provenance_together and created_at_s; one of an estate that an earlier
    version wrote lacks them. `titles`: what people call the applications.
    """
    way = WAYS.get(row.get("provenance") or "unknown", "Unknown")
    sure = row.get("provenance_confidence")
    begins = way if sure is None or way == "Unknown" else f"{way}, {round(sure * 100)} % sure"
    words = BECAUSE.get(row.get("provenance_because") or "")
    if words is None:
        return begins
    by, at = row.get("provenance_by"), row.get("provenance_at_s")
    said = words.format(
        by=titles.get(by, by) if by else "its application",
        at=minute(datetime.fromtimestamp(at, UTC)) if at is not None else "at a time that is not told",
        maker=row.get("provenance_subject") or "a program",
        apart=_apart(row.get("created_at_s"), at),
        together=f"{row.get('provenance_together') or 0:,}",
        minutes=MINUTES,
    )
    return f"{begins}: {said}"


def _apart(made: int | None, signed: int | None) -> str:
    """How the making lies to the sign-on; by clocks that need not agree it may come before."""
    if made is None or signed is None:
        return "at"
    if made == signed:
        return "in the second of"
    return f"{made - signed:,} s after" if made > signed else f"{signed - made:,} s before"


def window_said(making: Mapping[str, Any]) -> str:
    """`A JIT account appears 0 to 3 s after the sign-on, seen on 812.`; what a wide window or none says.

    `making`: low, high, accounts, as findings.evaluation counts them from the accounts of one application.
    """
    accounts = making.get("accounts") or 0
    if not accounts:
        return "No account was judged by the time of its owner's sign-on."
    low, high = making["low"], making["high"]
    if low is None:  # what its log says was made is judged, though its accounts do not tell when
        were = "1 account was" if accounts == 1 else f"{accounts:,} accounts were"
        return f"{were} judged by the time of a sign-on; how long after it is not told by the accounts themselves."
    when = f"{low} s" if low == high else f"{low} to {high} s"
    clocks = "; the clocks are apart" if low < -1 else ""
    return f"A JIT account appears {when} after the sign-on{clocks}, seen on {accounts:,}."
