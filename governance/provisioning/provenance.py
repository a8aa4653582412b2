"""How accounts came to be: jit, scim, invited, imported, local or unknown, how sure that is, and what says so.

What a log says outright (who made the account, that it was pushed) outranks what times suggest (a sign-on of its owner
within the window that is fitted for the application, a burst of accounts made together). Where the two contradict each
other the confidence falls. What was known once is kept: logs expire, knowledge does not.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import narwhals as nw

from governance.provisioning.traces import (
    ACCOUNT,
    by_people,
    heard,
    makings,
    near_makings,
    providers,
    reach,
    since,
    told_by_itself,
    with_first,
    young,
)
from governance.provisioning.window import UNFITTED, WIDE, Window, fit
from governance.settings import Settings

Frame = nw.LazyFrame[Any]
Keep = Callable[[str, Frame], Frame]
CONFLICT: Final = 0.8  # a log says one thing and the times another
COLUMNS: Final = {
    "provenance": nw.String(),
    "provenance_confidence": nw.Float64(),
    "provenance_because": nw.String(),  # a code, see telling.BECAUSE
    "provenance_at_s": nw.Int64(),  # of the event that says so
    "provenance_by": nw.String(),  # in whose log it stands
    "provenance_event": nw.String(),  # its id there
    "provenance_subject": nw.String(),  # the owner's account at the identity provider, or who made the account
}
# How sure each code makes, where nothing contradicts it; of a window see window.Window.
_SURE: Final = {"own_push": 0.98, "push": 0.97, "agent": 0.95, "itself": 0.97, "person": 0.92, "importer": 0.92}
_PROGRAM: Final = 0.7
_ENTRY_ALONE: Final = 0.85  # a push of which it is not known whether it was the first: when it was made is not told
_NOT_FIRST: Final = 0.85  # of the confidence that the first sign-on would give
_NOT_NAMED: Final = 0.85  # of the confidence, where the settings name the ways in and this one is not among them
_AGENT_MADE: Final = 3  # accounts, before what became of most of them tells what a program is for


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
    some = some.join(_makers(some, around.accounts), on=["application", "maker"], how="left")
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
    """The window of each application, of all sign-ons that are near to a making."""
    seen = near.filter(nw.col("kind") == "sso").group_by("application", "delta").agg(nw.len().alias("pairs"))
    counts: dict[str, dict[int, int]] = {}
    for application, delta, pairs in seen.collect("polars").iter_rows():
        counts.setdefault(str(application), {})[int(delta)] = int(pairs)
    return {application: fit(deltas) for application, deltas in counts.items()}


def _earliest(rows: Frame, name: str) -> Frame:
    """One row an account, of its earliest event: <name>_s, _event, _by, _subject, and what stands beside it."""
    told = rows.with_columns(earliest=nw.col("at_s").min().over(*ACCOUNT)).filter(nw.col("at_s") == nw.col("earliest"))
    columns = {"at_s": "s", "event_id": "event", "provider": "by", "subject": "subject", "first_s": "first"}
    return told.group_by(*ACCOUNT).agg(nw.col(column).min().alias(f"{name}_{new}") for column, new in columns.items())


def _pushes(near: Frame) -> Frame:
    return _earliest(near.filter(nw.col("kind") == "provisioned"), "idp").drop("idp_first")


def _sign_ons(near: Frame, windows: Mapping[str, Window]) -> Frame:
    """The earliest sign-on in the window of the application."""
    low = _by_application({name: w.low for name, w in windows.items()}, -WIDE)
    high = _by_application({name: w.high for name, w in windows.items()}, WIDE)
    inside = near.filter(nw.col("kind") == "sso", nw.col("delta") >= low, nw.col("delta") <= high)
    return _earliest(inside, "sign")


def _by_application(values: Mapping[str, Any], default: Any) -> nw.Expr:
    chosen = nw.lit(default)
    for name, value in sorted(values.items()):
        if value != default:
            chosen = nw.when(nw.col("application") == name).then(nw.lit(value)).otherwise(chosen)
    return chosen


def _makers(some: Frame, accounts: Frame) -> Frame:
    """Who made accounts, other than these themselves: application, maker, maker_is_person."""
    makers = some.filter(~nw.col("maker").is_null(), nw.col("maker") != nw.col("account_id"))
    found = by_people(accounts, makers.select("application", "maker"))
    return found.with_columns(maker_is_person=nw.lit(True))


def _without_providers(some: Frame) -> Frame:
    nothing = {name: nw.lit(None, nw.Int64) for name in ("idp_s", "sign_s", "sign_first")}
    words = [f"{name}_{part}" for name in ("idp", "sign") for part in ("event", "by", "subject")]
    return some.with_columns(**nothing, **{name: nw.lit(None, nw.String) for name in words})


def _with_agents(some: Frame) -> Frame:
    """Adds pushes_here and signs_here: whether most of what the maker made was pushed, or made at a sign-on.

    A program that pushes often bears the name of a person whose token it uses; what became of the accounts tells.
    """
    others = some.filter(~nw.col("maker").is_null(), nw.col("maker") != nw.col("account_id"))
    pushed = ~nw.col("idp_s").is_null() | ~nw.col("push_s").is_null()
    counted = (
        others.with_columns(pushed=pushed.cast(nw.Int64), signed=(~nw.col("sign_s").is_null()).cast(nw.Int64))
        .group_by("application", "maker")
        .agg(nw.len().cast(nw.Int64).alias("made"), nw.col("pushed").sum(), nw.col("signed").sum())
        .filter(nw.col("made") >= _AGENT_MADE)
    )
    agents = counted.select(
        "application",
        "maker",
        pushes_here=nw.col("pushed") * 2 >= nw.col("made"),
        signs_here=(nw.col("signed") * 2 >= nw.col("made")) & (nw.col("pushed") * 2 < nw.col("made")),
    )
    return some.join(agents, on=["application", "maker"], how="left")


def _judged(some: Frame, windows: Mapping[str, Window], settings: Settings) -> Frame:
    """The class of each account, how sure it is, and what says so."""
    traces = _Traces(windows, settings)
    judged = _with_agents(some).with_columns(provenance_because=traces.because())
    judged = judged.with_columns(
        provenance=traces.named(), provenance_confidence=traces.confidence().cast(nw.Float64), **traces.evidence()
    )
    return judged.select(*ACCOUNT, "created_at_s", *COLUMNS)


class _Traces:
    """The expressions over the traces of an account; a method each for what they make."""

    def __init__(self, windows: Mapping[str, Window], settings: Settings) -> None:
        self._windows = windows
        self._settings = settings
        name = nw.col("maker").str.to_lowercase()
        self._itself = (nw.col("maker") == nw.col("account_id")).fill_null(False)
        self._person = nw.col("maker_is_person").fill_null(False) & ~self._itself
        pushes = nw.col("pushes_here").fill_null(False) | name.str.contains("scim|provision").fill_null(False)
        self._agent = pushes & ~self._itself
        self._importer = name.str.contains("import|sync").fill_null(False) & ~self._person & ~self._itself
        fitted = nw.col("application").is_in(sorted(n for n, w in windows.items() if w.fitted))
        self._signed = ~nw.col("sign_s").is_null()
        self._first = self._signed & (nw.col("sign_s") == nw.col("sign_first")).fill_null(False)
        self._fitted = self._signed & fitted
        self._sharp = self._fitted & self._first  # nothing but the making explains a first sign-on so near

    def because(self) -> nw.Expr:
        """The code of the strongest trace."""
        by_hand = self._person & ~self._handler & ~self._sharp
        found = nw.lit("nothing")
        in_provider = nw.col("application").is_in(providers(self._settings))
        ladder = (  # from weak to strong
            (in_provider & ~nw.col("made_s").is_null(), "program"),
            (self._signed, "near_sign_on"),
            (self._fitted, "later_sign_on"),
            (self._sharp, "sign_on"),
            (self._importer & ~self._handler, "importer"),
            (by_hand, "person"),
            (self._agent, "agent"),
            (~nw.col("idp_s").is_null(), "push"),
            (self._itself, "itself"),
            (~nw.col("push_s").is_null(), "own_push"),
        )
        for there, code in ladder:
            found = nw.when(there).then(nw.lit(code)).otherwise(found)
        return found

    @property
    def _handler(self) -> nw.Expr:
        """Made by who makes accounts at sign-ons: a program of the application that runs under that name."""
        return nw.col("signs_here").fill_null(False) & self._signed

    def named(self) -> nw.Expr:
        """The class that follows from the code."""
        code, found = nw.col("provenance_because"), nw.lit("unknown")
        classes = {
            "scim": ["own_push", "push", "agent"],
            "jit": ["itself", "sign_on", "later_sign_on", "near_sign_on"],
            "imported": ["importer", "program"],
            "local": ["person"],
        }
        for name, codes in classes.items():
            found = nw.when(code.is_in(codes)).then(nw.lit(name)).otherwise(found)
        return nw.when((code == "person") & self._invites).then(nw.lit("invited")).otherwise(found)

    @property
    def _invites(self) -> nw.Expr:
        """Whether a person who makes an account here invites: as the settings say, else for guests."""
        ways = {a.name: set(a.provisioning) & {"invited", "local"} for a in self._settings.application}
        only = nw.col("application").is_in(sorted(n for n, w in ways.items() if w == {"invited"}))
        never = nw.col("application").is_in(sorted(n for n, w in ways.items() if w == {"local"}))
        return only | (~never & (nw.col("kind") == "guest").fill_null(False))

    def confidence(self) -> nw.Expr:
        """How sure the class is."""
        code, found = nw.col("provenance_because"), nw.lit(None, nw.Float64)
        of_window = _by_application({n: w.confidence for n, w in self._windows.items()}, UNFITTED)
        told = {a.name: a.provisioning for a in self._settings.application if a.provisioning}
        unnamed = nw.col("application").is_in(sorted(n for n, ways in told.items() if "jit" not in ways))
        of_window = nw.when(unnamed).then(of_window * _NOT_NAMED).otherwise(of_window)
        sign_ons = ["sign_on", "later_sign_on", "near_sign_on"]
        found = nw.when(code.is_in(sign_ons)).then(of_window).otherwise(found)
        later = (code == "later_sign_on") | ((code == "near_sign_on") & ~self._first)
        found = nw.when(later).then(of_window * _NOT_FIRST).otherwise(found)
        found = nw.when(code == "program").then(nw.lit(_PROGRAM)).otherwise(found)
        for name, sure in _SURE.items():
            found = nw.when(code == name).then(nw.lit(sure)).otherwise(found)
        pushed = ~nw.col("idp_s").is_null() | ~nw.col("push_s").is_null()
        against = (
            (code.is_in(["own_push", "push", "agent", "importer"]) & (self._sharp | self._itself))
            | ((code == "itself") & pushed)
            | ((code == "sign_on") & (self._person | self._importer))
        )
        found = nw.when(against).then(nw.lit(CONFLICT)).otherwise(found)
        undated = nw.col("created_at_s").is_null() & code.is_in(["own_push", "push"]) & nw.col("made_s").is_null()
        return nw.when(undated).then(nw.lit(_ENTRY_ALONE)).otherwise(found)

    def evidence(self) -> dict[str, nw.Expr]:
        """When, where and by whom it is said: what still finds the event after the logs that held it have expired."""
        code = nw.col("provenance_because")
        sources = {
            ("itself", "person", "agent", "importer", "program"): ("made_s", "application", "made_event", "maker"),
            ("own_push",): ("push_s", "application", "push_event", None),
            ("push",): ("idp_s", "idp_by", "idp_event", "idp_subject"),
            ("sign_on", "later_sign_on", "near_sign_on"): ("sign_s", "sign_by", "sign_event", "sign_subject"),
        }
        names = ("provenance_at_s", "provenance_by", "provenance_event", "provenance_subject")
        found: dict[str, nw.Expr] = {name: nw.lit(None, COLUMNS[name]) for name in names}
        for codes, columns in sources.items():
            for name, column in zip(names, columns, strict=True):
                if column is not None:
                    found[name] = nw.when(code.is_in(list(codes))).then(nw.col(column)).otherwise(found[name])
        return found
