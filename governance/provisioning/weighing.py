"""What the traces of an account come to: the class, how sure it is, and which event says so. Narwhals expressions.

How sure was set so that it holds against the worlds of tests/provenance_worlds.py: of what is said at 0.9 or more, 95
in 100 are right, also where clocks are apart and events are lost.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import narwhals as nw

from governance.provisioning.traces import providers
from governance.provisioning.window import UNFITTED, Window
from governance.settings import Settings

CONFLICT: Final = 0.8  # a log says one thing and the times another
# How sure each code makes, where nothing contradicts it; of a window see window.Window.
_SURE: Final = {
    "own_push": 0.98,
    "push": 0.97,
    "agent": 0.95,
    "itself": 0.97,
    "person": 0.92,
    "crowd": 0.85,  # a program may have worked under the name of a person
    "importer": 0.92,
}
_PROGRAM: Final = 0.7
_ENTRY_ALONE: Final = 0.85  # a push of which it is not known whether it was the first: when it was made is not told
_NOT_FIRST: Final = 0.85  # of the confidence that the first sign-on would give
_NOT_NAMED: Final = 0.85  # of the confidence, where the settings name the ways in and this one is not among them
_PUSHED_LATER: Final = 0.95  # of the confidence, where a push came after the sign-on that made it
_LATER: Final = 60  # seconds after a sign-on, from which on a push found the account there
_APART: Final = 180  # seconds that a push may be off from when pushes there are told
_APART_ALONE: Final = 300  # and where too few are seen to tell when that is
_UNALIKE: Final = 0.85  # a push at another distance than others have: it may be a change of what was there
_UNSEEN: Final = 0.85  # said to have made itself at a sign-on of which nothing was heard, where others were
_HABIT: Final = 0.6  # its maker often pushes, or makes at sign-ons, and of this one neither was heard
_OR_ACCEPTED: Final = 0.9  # of the confidence, where people are invited too: some applications make those accounts then
_NAMES_NOBODY: Final = 20  # makings in the log of an application: where none of so many has a maker, none ever has
_SILENT: Final = 0.4  # made by a person where a program pushes unheard, which may use a person's name


def by_application(values: Mapping[str, Any], default: Any) -> nw.Expr:
    """The value for the application in a row; the default for the others."""
    chosen = nw.lit(default)
    for name, value in sorted(values.items()):
        if value != default:
            chosen = nw.when(nw.col("application") == name).then(nw.lit(value)).otherwise(chosen)
    return chosen


class Weighing:
    """The expressions over the traces of an account; a method each for what they make."""

    def __init__(self, windows: Mapping[str, Window], settings: Settings) -> None:
        self._windows = windows
        self._settings = settings
        name = nw.col("maker").str.to_lowercase()
        fitted = nw.col("application").is_in(sorted(n for n, w in windows.items() if w.fitted))
        self._itself = (nw.col("maker") == nw.col("account_id")).fill_null(False)
        self._person = nw.col("maker_is_person").fill_null(False) & ~self._itself
        self._importer = name.str.contains("import|sync").fill_null(False) & ~self._person & ~self._itself
        self._signed = ~nw.col("sign_s").is_null()
        self._first = self._signed & (nw.col("sign_s") == nw.col("sign_first")).fill_null(False)
        self._fitted = self._signed & fitted
        self._sharp = self._fitted & self._first  # nothing but the making explains a first sign-on so near
        self._unseen = fitted & ~self._signed
        self._found_it = self._sharp & (nw.col("idp_s") > nw.col("sign_s") + _LATER).fill_null(False)
        self._pushed = (~nw.col("idp_s").is_null() & ~self._found_it) | ~nw.col("push_s").is_null()
        self._program = name.str.contains("scim|provision").fill_null(False)
        by_habit = nw.col("pushes_here").fill_null(False) & ~(self._sharp & ~self._pushed)
        self._agent = (self._program | by_habit) & ~self._itself
        self._only_by_habit = by_habit & ~self._program & ~self._pushed
        self._by_hand = self._person & ~self._handler & (~self._sharp | nw.col("by_hand_here").fill_null(False))

    def because(self) -> nw.Expr:
        """The code of the strongest trace."""
        found = nw.lit("nothing")
        in_provider = nw.col("application").is_in(providers(self._settings))
        ladder = (  # from weak to strong
            (in_provider & ~nw.col("made_s").is_null(), "program"),
            (self._signed, "near_sign_on"),
            (self._fitted, "later_sign_on"),
            (self._sharp, "sign_on"),
            (self._importer & ~self._handler, "importer"),
            (self._by_hand, "person"),
            (self._by_hand & nw.col("in_crowd").fill_null(False) & ~self._invites, "crowd"),
            (self._agent, "agent"),
            (~nw.col("idp_s").is_null() & ~self._found_it, "push"),
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
            "imported": ["importer", "crowd", "program"],
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

    def of_application(self) -> dict[str, nw.Expr]:
        """What the traces of all accounts of an application tell of it, which `confidence` needs.

        pushes_heard: whether anything tells of a push to it. unnamed: whether its log does not tell who made the
        account in a row, because it has no entry of that or never names anybody.
        """
        pushed = ~nw.col("idp_s").is_null() | ~nw.col("push_s").is_null() | self._program
        entries, names = (
            (~nw.col(name).is_null()).cast(nw.Int64).sum().over("application") for name in ("made_s", "maker")
        )
        return {
            "pushes_heard": pushed.cast(nw.Int64).max().over("application") > 0,
            "unnamed": nw.col("made_s").is_null() | ((names == 0) & (entries >= _NAMES_NOBODY)),
        }

    def _with(self, way: str) -> list[str]:
        """The applications whose settings name that way in."""
        return sorted(a.name for a in self._settings.application if way in a.provisioning)

    def confidence(self) -> nw.Expr:
        """How sure the class is."""
        code, found = nw.col("provenance_because"), nw.lit(None, nw.Float64)
        of_window = by_application({n: w.confidence for n, w in self._windows.items()}, UNFITTED)
        told = {a.name: a.provisioning for a in self._settings.application if a.provisioning}
        unnamed = nw.col("application").is_in(sorted(n for n, ways in told.items() if "jit" not in ways))
        of_window = nw.when(unnamed).then(of_window * _NOT_NAMED).otherwise(of_window)
        sign_ons = ["sign_on", "later_sign_on", "near_sign_on"]
        found = nw.when(code.is_in(sign_ons)).then(of_window).otherwise(found)
        later = (code == "later_sign_on") | ((code == "near_sign_on") & ~self._first)
        found = nw.when(later).then(of_window * _NOT_FIRST).otherwise(found)
        accepted = nw.col("unnamed") & nw.col("application").is_in(self._with("invited"))
        found = nw.when((code == "sign_on") & accepted).then(of_window * _OR_ACCEPTED).otherwise(found)
        found = nw.when((code == "sign_on") & self._found_it).then(of_window * _PUSHED_LATER).otherwise(found)
        found = nw.when(code == "program").then(nw.lit(_PROGRAM)).otherwise(found)
        for name, sure in _SURE.items():
            found = nw.when(code == name).then(nw.lit(sure)).otherwise(found)
        against = (
            (code.is_in(["own_push", "push", "agent", "importer"]) & (self._sharp | self._itself))
            | ((code == "itself") & self._pushed)
            | (code.is_in(["person", "crowd"]) & self._sharp)
            | ((code == "sign_on") & (self._person | self._importer))
        )
        found = nw.when(against).then(nw.lit(CONFLICT)).otherwise(found)
        # A single use of what was found so far: each more would double the expression.
        caps = [nw.when(d.fill_null(False)).then(nw.lit(sure)).otherwise(nw.lit(1.0)) for d, sure in self._doubts(code)]
        found = nw.when(code != "nothing").then(nw.min_horizontal(found, *caps))
        undated = nw.col("created_at_s").is_null() & code.is_in(["own_push", "push"]) & nw.col("made_s").is_null()
        return nw.when(undated).then(nw.lit(_ENTRY_ALONE)).otherwise(found)

    def _doubts(self, code: nw.Expr) -> tuple[tuple[nw.Expr, float], ...]:
        """What makes a class less sure, and how sure it is then at most."""
        usual = by_application({n: w.pushed for n, w in self._windows.items() if w.pushed is not None}, 0)
        far = by_application({n: _APART for n, w in self._windows.items() if w.pushed is not None}, _APART_ALONE)
        unalike = ((nw.col("born_s") - nw.col("idp_s") - usual).abs() > far).fill_null(False)
        silent = nw.col("application").is_in(self._with("scim")) & ~nw.col("pushes_heard")
        habit = ~nw.col("by_hand_here").fill_null(True)
        return (
            ((code == "push") & unalike, _UNALIKE),
            ((code == "itself") & self._unseen, _UNSEEN),
            ((code == "agent") & self._only_by_habit, _HABIT),
            (code.is_in(["person", "crowd"]) & habit, _HABIT),
            (code.is_in(["person", "crowd"]) & silent, _SILENT),
        )

    def evidence(self) -> dict[str, nw.Expr]:
        """When, where and by whom it is said: what still finds the event after the logs that held it have expired."""
        code = nw.col("provenance_because")
        sources = {
            ("itself", "person", "crowd", "agent", "importer", "program"): (
                "made_s",
                "application",
                "made_event",
                "maker",
            ),
            ("own_push",): ("push_s", "application", "push_event", None),
            ("push",): ("idp_s", "idp_by", "idp_event", "idp_subject"),
            ("sign_on", "later_sign_on", "near_sign_on"): ("sign_s", "sign_by", "sign_event", "sign_subject"),
        }
        names = ("provenance_at_s", "provenance_by", "provenance_event", "provenance_subject")
        found: dict[str, nw.Expr] = {
            name: nw.lit(None, nw.Int64 if name.endswith("_s") else nw.String) for name in names
        }
        for codes, columns in sources.items():
            for name, column in zip(names, columns, strict=True):
                if column is not None:
                    found[name] = nw.when(code.is_in(list(codes))).then(nw.col(column)).otherwise(found[name])
        return found
