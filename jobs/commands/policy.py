"""The policy: what is in force and since when, what it was before, and changing it."""

from __future__ import annotations

import os
from typing import Annotated, Any

import typer

from governance.errors import ConfigurationError
from jobs import home
from jobs.commands.options import ActorEmail, Output, Reason, noun, the_actor, the_house
from jobs.commands.printing import Format, cell, document, say, show

app = noun("Policy.")
policy = noun("The policy: thresholds rules judge by, each change with who and why.")
app.add_typer(policy, name="policy")


@policy.command("show")
def show_policy(format: Output = Format.TABLE) -> None:
    """Show every threshold in force, where it comes from, and the version it belongs to."""
    from governance import policies

    house = the_house()
    policies.note(house, home.clock())
    values, given = policies.thresholds(house.settings.policy), house.settings.policy.model_fields_set
    version = policies.history(house)[0]
    if format is Format.JSON:
        document(_version(version) | {"preset": house.settings.policy.preset, "given": sorted(given)})
        return
    rows = [
        {"threshold": key, "value": value, "from": house.origin.get(f"policy.{key}") or _from(key, house)}
        for key, value in values.items()
        if value not in ({}, [])
    ]
    show(rows, format, ("threshold", "value", "from"))
    why = f": {version.reason}" if version.reason else ""
    say(f"version {version.number} of {version.at:%Y-%m-%d %H:%M}Z by {version.actor}{why}")


def _from(key: str, house: Any) -> str:
    from governance.settings import PRESETS

    preset = house.settings.policy.preset
    return f"preset {preset}" if key in PRESETS[preset] else "default"


@policy.command("history")
def show_history(format: Output = Format.TABLE) -> None:
    """Show every policy there was, the newest first: who brought it in, why, and what changed."""
    from governance import policies

    house = the_house()
    policies.note(house, home.clock())
    found = policies.history(house)
    if format is Format.TABLE:
        rows: list[dict[str, Any]] = [
            {"version": v.number, "at": v.at, "by": v.actor, "why": v.reason, "changed": said(v.changes)} for v in found
        ]
        show(rows, format, ("version", "at", "by", "why", "changed"))
        return
    show([_version(version) for version in found], format)


def said(changes: list[dict[str, Any]] | None) -> str:
    """What changed, in words: `stale_days 90 → 60`."""
    return ", ".join(f"{one['key']} {cell(one['before'])} → {cell(one['after'])}" for one in changes or ())


def _version(version: Any) -> dict[str, Any]:
    return {
        "version": version.number,
        "at": version.at,
        "actor": version.actor,
        "reason": version.reason,
        "changes": version.changes,
        "thresholds": version.thresholds,
        "digest": version.digest,
    }


@policy.command("set")
def set_thresholds(
    changes: Annotated[list[str], typer.Argument(metavar="KEY=VALUE…", help="KEY= takes a value back.")],
    reason: Reason,
    actor: ActorEmail = None,
) -> None:
    """Write thresholds into leaverwatch.toml, audited; they count from the next detect run on."""
    from jobs.policies import set_policy

    house = the_house()
    version = set_policy(house, the_actor(house, actor), as_changes(changes), reason, os.environ)
    say(f"version {version.number} is in force from the next detect run on: {said(version.changes)}")


def as_changes(given: list[str]) -> dict[str, Any]:
    """What `KEY=VALUE` means: values as TOML writes them, else text; an empty one takes the value back."""
    from jobs.configuration import value_of

    found: dict[str, Any] = {}
    for one in given:
        key, equals, text = one.partition("=")
        if not equals or not key.strip():
            raise ConfigurationError(f"expected KEY=VALUE, such as stale_days=60, not {one!r}")
        found[key.strip()] = value_of(text.strip()) if text.strip() else None
    return found
