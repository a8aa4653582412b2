"""Coverage: for each application and rule, whether it can be judged there, or why not, and how old that answer is."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

from governance.house import House
from governance.views import runs
from governance.views.freshness import Feed, freshness
from governance.views.words import count, rule, rule_names

State = Literal["evaluable", "partly", "not evaluable", "nobody", "off", "never read"]
SIGNS: Final[dict[State, str]] = {
    "evaluable": "✓",
    "partly": "◐",
    "not evaluable": "▨",
    "nobody": "–",
    "off": "○",
    "never read": "?",
}
WORDS: Final[dict[State, str]] = {
    "evaluable": "evaluable",
    "partly": "partly evaluable",
    "not evaluable": "not evaluable",
    "nobody": "about nobody there",
    "off": "switched off by the policy",
    "never read": "never read",
}
# Which feeds, besides the application's own, an answer rests on: by the first part of a signal.
_RESTS_ON: Final = {"owner": "source", "source": "source", "sign_on": "provider"}


@dataclass(frozen=True)
class Place:
    """One rule in one application (or source of truth)."""

    application: str
    rule: str
    state: State
    about: int  # accounts (or identities) the rule is about
    unjudged: int
    reasons: dict[str, int]  # why some or all could not be judged, the most frequent first
    warning: str  # a feed behind the answer that must not be relied on; empty when all are sound

    @property
    def judged(self) -> int:
        """How many could be judged."""
        return self.about - self.unjudged

    @property
    def sound(self) -> bool:
        """Wholly judged, on facts that are recent: the only state that is green."""
        return self.state == "evaluable" and not self.warning

    @property
    def why(self) -> str:
        """Why some or all could not be judged, and how many of each; empty when all were."""
        return "; ".join(f"{number:,} of {self.about:,}: {why}" for why, number in self.reasons.items())

    @property
    def said(self) -> str:
        """The state and why, in words."""
        words = WORDS[self.state]
        if self.reasons:
            words += f": {self.why}"
        elif self.state == "evaluable":
            words += f", {self.about:,} judged"
        return f"{words}. Rests on outdated facts: {self.warning}" if self.warning else words


@dataclass(frozen=True)
class Coverage:
    """Every place of the last run. Empty before the first one."""

    applications: dict[str, str]  # name -> label, sources of truth too where rules are about them
    rules: list[str]  # the most severe first
    places: dict[tuple[str, str], Place]
    as_of: datetime | None

    def number(self, *states: State) -> int:
        """How many places are in one of these states."""
        return sum(place.state in states for place in self.places.values())

    @property
    def asked(self) -> int:
        """Places where a rule is about anybody."""
        return self.number("evaluable", "partly", "not evaluable")

    @property
    def amber(self) -> int:
        """Places that were judged on facts which are too old or incomplete."""
        return sum(bool(p.warning) and p.state in ("evaluable", "partly") for p in self.places.values())

    @property
    def green(self) -> int:
        """Places that are wholly judged on recent facts."""
        return sum(place.sound for place in self.places.values())

    def of(self, name: str) -> list[Place]:
        """Every place of one rule."""
        return [self.places[key] for application in self.applications if (key := (application, name)) in self.places]

    def gaps_of(self, application: str) -> list[Place]:
        """The places of one application that could not be judged, or only partly; the most severe rule first."""
        own = [self.places[application, name] for name in self.rules if (application, name) in self.places]
        return [place for place in own if place.state in ("partly", "not evaluable")]

    def with_gaps(self) -> list[str]:
        """The rules that could not be judged wholly somewhere, or not on recent facts."""
        poor = {p.rule for p in self.places.values() if p.state in ("partly", "not evaluable") or p.warning}
        return [name for name in self.rules if name in poor]


def coverage(house: House, now: datetime) -> Coverage:
    """What the last detect run could judge, with what is wrong now with the feeds behind it."""
    run = runs.last_run(house)
    labels = {feed.name: feed.label for feed in (*house.settings.application, *house.settings.source)}
    if run is None:
        return Coverage({}, [], {}, None)
    told: dict[str, Any] = run.summary.get("coverage") or {}
    feeds = {feed.name: feed for feed in freshness(house, now)}
    read = set(run.summary.get("by_application") or told)
    places: dict[tuple[str, str], Place] = {}
    for name in rule_names():
        about_people = _about_people(name)
        for application in labels:
            is_source = any(source.name == application for source in house.settings.source)
            if is_source is about_people:
                place = _place(house, application, name, told.get(application, {}).get(name), application in read)
                places[application, name] = _warned(house, place, feeds)
    shown = {name: label for name, label in labels.items() if any(key[0] == name for key in places)}
    return Coverage(shown, rule_names(), places, run.as_of)


def _about_people(name: str) -> bool:
    declared = rule(name)
    return declared is not None and declared.counted == "identities"


def _place(house: House, application: str, name: str, told: dict[str, Any] | None, read: bool) -> Place:
    empty = Place(application, name, "nobody", 0, 0, {}, "")
    if name in house.settings.policy.rules_off:
        return Place(application, name, "off", 0, 0, {}, "")
    if told is None:
        source = any(one.name == application for one in house.settings.source)
        return empty if read or source else Place(application, name, "never read", 0, 0, {}, "")
    reasons = dict(sorted((told.get("unjudged") or {}).items(), key=lambda item: (-item[1], item[0])))
    about, unjudged = int(told.get("about") or 0), sum(reasons.values())
    state: State = "evaluable" if not unjudged else "not evaluable" if unjudged >= about else "partly"
    return Place(application, name, state if about else "nobody", about, unjudged, reasons, "")


def _warned(house: House, place: Place, feeds: dict[str, Feed]) -> Place:
    """The same place, with the feeds behind its answer that must not be relied on now."""
    if place.state not in ("evaluable", "partly"):
        return place
    declared = rule(place.rule)
    rests = {_RESTS_ON.get(need.partition(".")[0]) for need in (declared.needs if declared else ())}
    behind = [place.application]
    behind += [s.name for s in house.settings.source] if "source" in rests else []
    behind += [a.name for a in house.settings.application if a.identity_provider] if "provider" in rests else []
    poor = [feeds[name].said for name in dict.fromkeys(behind) if name in feeds and not feeds[name].sound]
    if not poor:
        return place
    return Place(
        place.application, place.rule, place.state, place.about, place.unjudged, place.reasons, ", ".join(poor)
    )


def sentence(found: Coverage) -> str:
    """How much of what was asked could be answered, in one plain sentence."""
    if not found.asked:
        return "No rule has been asked anywhere yet."
    partly, blind = found.number("partly"), found.number("not evaluable")
    parts = [f"{found.green:,} of {found.asked:,} places are wholly judged on recent facts"]
    if found.amber:
        parts.append(f"{count(found.amber, 'rests', 'rest')} on outdated ones")
    if partly:
        parts.append(f"{partly:,} partly judged")
    if blind:
        parts.append(f"{blind:,} not evaluable")
    return ", ".join(parts) + "."
