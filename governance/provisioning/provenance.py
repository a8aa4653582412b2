"""How accounts came to be: jit, scim, invited, imported, local or unknown, how sure that is, and what says so.

What a log says outright (who made the account, that it was pushed) outranks what times suggest (a sign-on of its owner
within the window that is fitted for the application, a burst of accounts made together). Where the two contradict each
other the confidence falls. What was known once is kept: logs expire, knowledge does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

import narwhals as nw

from governance.provisioning.makers import people, with_habits
from governance.provisioning.traces import (
    ACCOUNT,
    heard,
    makings,
    near_makings,
    reach,
    since,
    told_by_itself,
    with_first,
    young,
)
from governance.provisioning.weighing import Weighing, by_application
from governance.provisioning.window import WIDE, Window, fit, typical
from governance.settings import Settings

Frame = nw.LazyFrame[Any]
Keep = Callable[[str, Frame], Frame]
COLUMNS: Final = {
    "provenance": nw.String(),
    "provenance_confidence": nw.Float64(),
    "provenance_because": nw.String(),  # a code, see telling.BECAUSE
    "provenance_at_s": nw.Int64(),  # of the event that says so
    "provenance_by": nw.String(),  # in whose log it stands
    "provenance_event": nw.String(),  # its id there
    "provenance_subject": nw.String(),  # the owner's account at the identity provider, or who made the account
}


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is needed to tell: frames and settings. `own`: accounts at identity providers, with owner_id."""

    accounts: Frame
    own: Frame | None
    events: Frame
    settings: Settings


def known_now(
    around: Surroundings, owned: Callable[[Frame], Frame], keep: Keep = lambda _, frame: frame
) -> tuple[Frame, Mapping[str, Window]]:
    """What the logs tell now of every account they can speak of, and the window of each application.

    `owned` adds owner_id to a few accounts. The frame: application, account_id, created_at_s and COLUMNS; an account of
    which nothing is said is `unknown` because of `nothing`.
    """
    settings = around.settings
    oldest = reach(around.events)
    if not oldest:  # nothing to plan and to compute for, which is what costs most on Spark
        return _nobody(around.accounts), {}
    made = keep("makings", makings(around.events, settings))
    some = keep("young", told_by_itself(owned(young(around.accounts, made, since(oldest, settings))), made))
    if some.head(1).collect("polars").is_empty():
        return _nobody(around.accounts), {}
    some = some.join(people(some, around.accounts), on=["application", "maker"], how="left")
    if around.own is None:
        return _judged(_without_providers(some), {}, settings), {}
    said = heard(around.events, settings)
    near = keep("near", near_makings(some, around.own, said))
    near = keep("first", with_first(near, said))
    windows = fitted(near)
    some = some.join(_pushes(near), on=ACCOUNT, how="left").join(_sign_ons(near, windows), on=ACCOUNT, how="left")
    return _judged(keep("traces", some), windows, settings), windows


def _nobody(accounts: Frame) -> Frame:
    """The frame of `known_now` without a row."""
    untold = {name: nw.lit(None).cast(kind) for name, kind in COLUMNS.items()}
    return accounts.filter(nw.col("account_id").is_null()).select(*ACCOUNT, "created_at_s", **untold)


def fitted(near: Frame) -> dict[str, Window]:
    """The window of each application, of all sign-ons and pushes that are near to a making."""
    seen = near.group_by("application", "kind", "delta").agg(nw.len().alias("pairs"))
    counts: dict[str, dict[str, dict[int, int]]] = {}
    for application, kind, delta, pairs in seen.collect("polars").iter_rows():
        counts.setdefault(str(application), {}).setdefault(str(kind), {})[int(delta)] = int(pairs)
    return {
        application: replace(fit(kinds.get("sso", {})), pushed=typical(kinds.get("provisioned", {})))
        for application, kinds in counts.items()
    }


def _earliest(rows: Frame, name: str) -> Frame:
    """One row an account, of its earliest event: <name>_s, _event, _by, _subject, and what stands beside it."""
    told = rows.with_columns(earliest=nw.col("at_s").min().over(*ACCOUNT)).filter(nw.col("at_s") == nw.col("earliest"))
    columns = {"at_s": "s", "event_id": "event", "provider": "by", "subject": "subject", "first_s": "first"}
    return told.group_by(*ACCOUNT).agg(nw.col(column).min().alias(f"{name}_{new}") for column, new in columns.items())


def _pushes(near: Frame) -> Frame:
    return _earliest(near.filter(nw.col("kind") == "provisioned"), "idp").drop("idp_first")


def _sign_ons(near: Frame, windows: Mapping[str, Window]) -> Frame:
    """The earliest sign-on in the window of the application."""
    low = by_application({name: w.low for name, w in windows.items()}, -WIDE)
    high = by_application({name: w.high for name, w in windows.items()}, WIDE)
    flat = sorted(name for name, w in windows.items() if w.flat)  # sign-ons make no account there
    inside = near.filter(nw.col("kind") == "sso", nw.col("delta") >= low, nw.col("delta") <= high)
    inside = inside.filter(~nw.col("application").is_in(flat)) if flat else inside
    return _earliest(inside, "sign")


def _without_providers(some: Frame) -> Frame:
    nothing = {name: nw.lit(None, nw.Int64) for name in ("idp_s", "sign_s", "sign_first")}
    words = [f"{name}_{part}" for name in ("idp", "sign") for part in ("event", "by", "subject")]
    return some.with_columns(**nothing, **{name: nw.lit(None, nw.String) for name in words})


def _judged(some: Frame, windows: Mapping[str, Window], settings: Settings) -> Frame:
    """The class of each account, how sure it is, and what says so."""
    weighing = Weighing(windows, settings)
    judged = with_habits(some).with_columns(**weighing.of_application())
    judged = judged.with_columns(provenance_because=weighing.because())
    judged = judged.with_columns(
        provenance=weighing.named(),
        provenance_confidence=weighing.confidence().cast(nw.Float64),
        **weighing.evidence(),
    )
    return judged.select(*ACCOUNT, "created_at_s", *COLUMNS)
