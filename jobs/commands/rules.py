"""Rules: what each looks for, where it can be judged, and what other thresholds would change."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from governance.errors import ConfigurationError
from jobs import home
from jobs.commands.options import (
    AsOf,
    KnownWhen,
    Output,
    moment,
    noun,
    one_of,
    say_when_read_first,
    the_house,
    the_rules,
)
from jobs.commands.printing import Format, document, say, show

if TYPE_CHECKING:
    from governance.declaration import Rule
    from governance.house import House
    from governance.views.coverage import Place

app = noun("Rules.")
rules = noun("Rules: what is looked for, and what a reviewer needs to know about it.")
app.add_typer(rules, name="rules")


@rules.command("list")
def list_rules(format: Output = Format.TABLE) -> None:
    """Show every rule, shipped or your own, the most severe first."""
    show(declared(the_rules()), format, ("severity", "rule", "title", "signals"))


def declared(rules: Mapping[str, Rule]) -> list[dict[str, Any]]:
    """Every rule as it declares itself, the most severe first."""
    from governance.declaration import SEVERITIES

    order = {name: (SEVERITIES.index(rule.severity), name) for name, rule in rules.items()}
    return [_declared(rules[name]) for name in sorted(rules, key=lambda name: order[name])]


def _declared(rule: Rule) -> dict[str, Any]:
    return {
        "rule": rule.name,
        "title": rule.title,
        "severity": rule.severity,
        "controls": list(rule.controls),
        "signals": list(rule.needs),
    }


@rules.command()
def explain(
    rule: Annotated[str, typer.Argument(metavar="R")],
    format: Annotated[Format, typer.Option("--format", help="table or json.")] = Format.TABLE,
) -> None:
    """Print what one rule says, needs, proves and proposes, and where it can be judged."""
    from governance.declaration import SIGNALS

    one = one_of(the_rules(), rule)
    house = the_house() if (home.find_home(os.environ) / "leaverwatch.toml").exists() else None
    places = _places(house, rule) if house else []
    thresholds = _thresholds(house, one) if house else {}
    if format is not Format.TABLE:
        document(
            _declared(one)
            | {"explanation": one.explanation, "ends_when": one.ends_when, "remedy": str(one.remedy)}
            | {"evidence": list(one.evidence), "thresholds": thresholds, "coverage": [_row(p) for p in places]}
        )
        return
    typer.echo(f"{one.title} ({one.name}, {one.severity})\n\n{one.explanation}\n")
    typer.echo(f"Ends when: {one.ends_when}.")
    typer.echo(f"Closed by: {one.remedy.replace('_', ' ')}\nControls:  {', '.join(one.controls)}")
    typer.echo(f"Evidence:  {', '.join(one.evidence)}")
    if thresholds:
        typer.echo(f"Judges by: {', '.join(f'{key} = {value}' for key, value in thresholds.items())}")
    for signal in one.needs:
        typer.echo(f"Without {signal}: not evaluable, {SIGNALS[signal]}")
    for place in places:
        typer.echo(f"In {place.application}: {place.said}")


def _places(house: House, rule: str) -> list[Place]:
    from governance.house import install
    from governance.views.coverage import coverage

    install(house)  # views take the rules of the house that is shown
    return coverage(house, home.clock()).of(rule)


def _thresholds(house: House, rule: Rule) -> dict[str, Any]:
    """The thresholds the rule judges by, as its file names them, with the values in force."""
    import inspect

    from governance import policies

    said = inspect.getsource(inspect.getmodule(rule.judge) or rule.judge)
    values = policies.thresholds(house.settings.policy)
    of_all = ("override", "severity", "rules_off", "preset")
    named = [key for key in values if key in said and key not in of_all]
    return {key: value for key, value in values.items() if any(key == n or key.startswith(f"{n}_") for n in named)}


@rules.command()
def coverage(
    rule: Annotated[str | None, typer.Option(metavar="R", help="Only of this rule.")] = None,
    application: Annotated[str | None, typer.Option(metavar="A", help="Only of this application.")] = None,
    format: Output = Format.TABLE,
) -> None:
    """Show for each application and rule whether it can be judged there, or why not."""
    from governance.house import install
    from governance.views import coverage as views

    house = the_house()
    install(house)
    if rule is not None:
        one_of(house.rules, rule, "--rule")
    if application is not None:
        house.settings.feed(application)
    found = views.coverage(house, home.clock())
    wanted = [
        place
        for place in found.places.values()
        if (rule is None or place.rule == rule) and (application is None or place.application == application)
    ]
    if format is Format.TABLE:
        wanted = [place for place in wanted if place.state != "nobody"]
    show([_row(place) for place in wanted], format, ("application", "rule", "state", "about", "unjudged", "why"))
    say(views.sentence(found) if found.as_of else "nothing was judged yet: run `leaverwatch detect`")


def _row(place: Place) -> dict[str, Any]:
    return {
        "application": place.application,
        "rule": place.rule,
        "state": place.state,
        "about": place.about,
        "unjudged": place.unjudged,
        "reasons": place.reasons,
        "outdated": place.warning or None,
        "why": place.said if place.reasons or place.warning else "",
    }


@rules.command("what-if")
def what_if(
    changes: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="A threshold, or severity.RULE. Repeatable.")
    ] = None,
    preset: Annotated[str | None, typer.Option(metavar="P", help="Another preset.")] = None,
    as_of: AsOf = None,
    format: Annotated[Format, typer.Option("--format", help="table or json.")] = Format.TABLE,
) -> None:
    """Tell what other thresholds would open and close, and how that fits past decisions. Changes nothing."""
    from governance import policies
    from governance.findings.what_if import what_if as tell
    from jobs.commands.policy import as_changes

    wanted = as_changes(changes or []) | ({"preset": preset} if preset else {})
    if not wanted:
        raise ConfigurationError("expected --set KEY=VALUE or --preset P: what should be different?")
    house = the_house()
    policy = policies.changed(house, wanted)
    instant = moment(as_of, "--as-of") if as_of else None
    if instant is not None:
        say_when_read_first(house, instant)
    told = tell(house, policy, instant)
    differ = policies.differences(policies.thresholds(house.settings.policy), policies.thresholds(policy))
    if format is not Format.TABLE:
        from dataclasses import asdict

        totals = {"opens": asdict(told.opens), "closes": asdict(told.closes)}
        rows = [asdict(change) for change in told.changes]
        agreement = {"agree": told.agree, "disagree": told.disagree}
        answer = {"as_of": told.as_of, "stored": told.stored, "changes": differ, **totals, "decisions": agreement}
        document({**answer, "rules": rows})
        return
    shown = [
        {
            "rule": change.rule,
            "opens": change.opens.findings,
            "people": change.opens.people,
            "privileged": change.opens.privileged,
            "closes": change.closes.findings,
            "people closed": change.closes.people,
            "privileged closed": change.closes.privileged,
            "severity": f"{' → '.join(change.severity)} ({change.regraded:,})" if change.severity else None,
        }
        for change in told.changes
    ]
    show(shown, format, empty="")
    from governance.views.what_if import sentences

    for line in sentences(told):
        say(line)


@rules.command()
def replay(
    rule: Annotated[str, typer.Argument(metavar="R")],
    since: Annotated[str | None, typer.Option("--from", metavar="TIME", help="Not before this time.")] = None,
    until: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Not after this time.")] = None,
    known: KnownWhen = None,
    format: Output = Format.TABLE,
) -> None:
    """Count what one rule would have found on each day of which snapshots are kept. Stores nothing."""
    from governance.findings.replay import days, replayed

    house = the_house()
    one_of(house.rules, rule)
    between = [moment(text, option) if text else None for text, option in ((since, "--from"), (until, "--to"))]
    if between[0] and between[1] and between[0] > between[1]:
        raise ConfigurationError(f"--from {since} is after --to {until}")
    found = replayed(house, rule, days(house, *between), known.value if known else None, home.clock())
    show([vars(day) for day in found], format, empty="no snapshot of that time is kept")
