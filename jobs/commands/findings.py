"""Findings: detect them, list them, except one from a rule for a while, say whose an account is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer
from sqlmodel import col, select

from governance.errors import ConfigurationError
from jobs import home, work
from jobs.commands.options import (
    ActorEmail,
    AsOf,
    KnownWhen,
    Output,
    Reason,
    looking_back,
    moment,
    noun,
    one_of,
    say_when_read_first,
    state_population,
    the_actor,
    the_house,
)
from jobs.commands.printing import Format, document, say, show

if TYPE_CHECKING:
    from governance.declaration import Rule
    from governance.house import House
    from jobs.detect import Detection

app = noun("Findings.")


@app.command()
def detect(
    as_of: AsOf = None,
    known: KnownWhen = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Judge, and store nothing.")] = False,
    format: Output = Format.TABLE,
) -> None:
    """Correlate, run the rulebook, update findings. With --known nothing is stored."""
    house = the_house()
    if known is not None and as_of is None:
        raise ConfigurationError("--known: of which day? give --as-of TIME")
    instant, known_at = looking_back(as_of, known) if as_of else (None, None)
    if instant is not None:
        say_when_read_first(house, instant)
    report(house, work.detect(house, "command line", instant, dry_run, known_at), format)


def answer(found: Detection) -> dict[str, Any]:
    """What a run concluded, as one row."""
    return {
        "as_of": found.as_of,
        "sentence": found.sentence,
        "counts": found.counts,
        "not_evaluable": found.not_evaluable,
    }


def report(house: House, found: Detection, format: Format) -> None:
    """Print what a run concluded: the first sentence, findings by rule, what could not be judged."""
    if found.note:
        say(found.note)
    if format is Format.JSON:
        document(answer(found))
        return
    if format is Format.JSONL:
        show([answer(found)], format)
        return
    order = _most_severe_first(house.rules)
    rows = [
        {"rule": rule, "severity": order[rule][1], "findings": count}
        for rule, count in sorted(found.counts.items(), key=lambda item: order[item[0]][0])
        if count
    ]
    say(found.sentence)
    if found.stored:
        state_population(house)
    show(rows, format, ("severity", "rule", "findings"), empty="no rule holds anything")
    for application, rules in found.not_evaluable.items():
        for rule, why in rules.items():
            say(f"not evaluable: {application}, {rule}: {why}")


def _most_severe_first(rules: Mapping[str, Rule]) -> dict[str, tuple[tuple[int, str], str]]:
    from governance.declaration import SEVERITIES

    return {name: ((SEVERITIES.index(rule.severity), name), rule.severity) for name, rule in rules.items()}


@app.command()
def findings(
    rule: Annotated[str | None, typer.Option(metavar="R", help="Only of this rule.")] = None,
    application: Annotated[str | None, typer.Option(metavar="A", help="Only of this application.")] = None,
    status: Annotated[
        str | None, typer.Option(metavar="S", help="open, excluded, in_remediation, resolved; else all but resolved.")
    ] = None,
    format: Output = Format.TABLE,
) -> None:
    """List findings, the most severe first, under a statement of the population they come from."""
    from governance.tables import Finding
    from governance.views.paging import PART

    house = the_house()
    rules = house.rules
    if rule is not None:
        one_of(rules, rule, "--rule")
    if application is not None:
        house.settings.application_named(application)
    states = ("open", "excluded", "in_remediation", "resolved")
    if status is not None and status not in states:
        raise ConfigurationError(f"--status: expected one of {', '.join(states)}, not {status!r}")
    wanted = select(Finding).order_by(col(Finding.score).desc(), col(Finding.fingerprint))
    wanted = wanted.where(Finding.status == status) if status else wanted.where(Finding.status != "resolved")
    if rule:
        wanted = wanted.where(Finding.rule == rule)
    if application:
        wanted = wanted.where(Finding.application == application)
    run = state_population(house)
    columns = ("severity", "rule", "application", "username", "identity_name", "status", "reason", "fingerprint")
    with house.store.read() as session, session.exec(wanted, execution_options={"yield_per": PART}) as found:
        rows = (_row(finding, run.as_of if run else None, rules) for finding in found)
        show(rows, format, columns, empty="no finding fits")


def _row(finding: Any, as_of: Any, rules: Any) -> dict[str, Any]:
    seen = finding.resolved_at if finding.status == "resolved" else as_of
    keys = ("rule", "severity", "score", "status", "application", "account_id", "username", "identity_id")
    return {
        **{key: getattr(finding, key) for key in keys},
        "identity_name": finding.identity_name,
        "first_seen": finding.first_seen,
        "last_seen": seen,
        "reopened": finding.reopened,
        "reason": finding.reason,
        "evidence": finding.evidence,
        "controls": list(rules[finding.rule].controls) if finding.rule in rules else [],
        "fingerprint": finding.fingerprint,
    }


@app.command()
def exclude(
    fingerprint: Annotated[str, typer.Argument(metavar="FINGERPRINT")],
    reason: Reason,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="The day the exception ends.")] = None,
    end: Annotated[bool, typer.Option("--end", help="End it now instead.")] = False,
    actor: ActorEmail = None,
) -> None:
    """Except one finding from its rule until a day, with a reason; or end that before its day."""
    from governance.findings import end_exclusion
    from governance.findings import exclude as decide

    if end == (until is not None):
        raise ConfigurationError("give either --until DATE, or --end to end an exclusion now")
    house = the_house()
    if until is None:
        end_exclusion(house, the_actor(house, actor), home.clock(), fingerprint, reason)
        say("the exclusion is ended: the rule counts again")
        return
    done = decide(house, the_actor(house, actor), home.clock(), fingerprint, moment(until, "--until"), reason)
    if done.waits:
        say(
            f"asked for until {done.until:%Y-%m-%d}; it takes two, because it is long or privileged: the finding stays"
            " open until a second, different actor excludes it too"
        )
        return
    say(f"excluded until {done.until:%Y-%m-%d}; then the finding opens again if it still holds")


@app.command()
def pin(
    account: Annotated[str, typer.Argument(metavar="APPLICATION/ACCOUNT")],
    identity: Annotated[str, typer.Argument(metavar="IDENTITY", help="As source:employee_id.")],
    reason: Reason,
    actor: ActorEmail = None,
) -> None:
    """Decide whose an account is; it holds from the next detect run on."""
    from governance.findings import pin as decide

    application, slash, account_id = account.partition("/")
    if not slash or not account_id:
        raise ConfigurationError(f"expected APPLICATION/ACCOUNT, not {account!r}")
    house = the_house()
    house.settings.application_named(application)
    decide(house, the_actor(house, actor), home.clock(), application, account_id, identity, reason)
    say(f"{account} belongs to {identity} from the next detect run on")
