"""The thresholds as fields: what is in force stands in them, what somebody types is only a wish."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from governance import policies
from governance.house import House
from governance.parts.notes import note
from governance.parts.text import bold, plain
from governance.settings import PRESETS
from governance.views.words import SIGNS, rule_names, rule_title, severity

# Threshold -> what it says; the groups as they stand below each other. Whole numbers all of them.
GROUPS: Final[dict[str, dict[str, str]]] = {
    "Use": {
        "stale_days": "Stale after days",
        "stale_days_privileged": "Stale after days, privileged",
        "stale_days_external": "Stale after days, external",
        "never_used_days": "Never used after days",
        "privileged_unused_days": "Privilege unused after days",
        "entitlement_unused_days": "Entitlement unused after days",
    },
    "Leavers": {"leaving_soon_days": "Leaving soon: days before"},
    "Privilege": {"most_privileged": "Most privileged people", "peers_least": "Fewest peers to compare with"},
    "Exceptions": {"max_exclusion_days": "Longest exclusion in days"},
}
PRESET_WORDS: Final = {
    "default": "Default",
    "cis": "CIS v8",
    "fedramp-moderate": "FedRAMP Moderate",
    "fedramp-high": "FedRAMP High",
    "pci": "PCI DSS 4",
}


def changes_wanted(house: House, version: int) -> dict[str, Any]:
    """What was changed in the fields, as `policies.changed` takes it; empty when they say what is in force."""
    policy = house.settings.policy
    options = list(PRESETS)
    preset = st.selectbox(
        "Preset",
        options,
        index=options.index(policy.preset),
        format_func=lambda name: PRESET_WORDS.get(name, name),
        key=f"preset-{version}",
        width=220,
    )
    wanted: dict[str, Any] = {} if preset == policy.preset else {"preset": preset}
    base = policies.thresholds(policies.changed(house, wanted)) if wanted else policies.thresholds(policy)
    for group, fields in GROUPS.items():
        st.markdown(f"#### :small[:gray[{group}]]")
        grid = st.grid(3, min_column_width=170, gap="small")
        for key, label in fields.items():
            least = 0 if key in ("never_used_days", "leaving_soon_days") else 2 if key == "peers_least" else 1
            with grid:
                value = st.number_input(
                    label, min_value=least, value=int(base[key]), step=1, key=f"policy-{version}-{preset}-{key}"
                )
            if int(value) != base[key]:
                wanted[key] = int(value)
        if group == "Leavers":
            wanted |= _leavers(grid, base, version, preset)
    wanted |= _rules(policy.severity, policy.rules_off, version)
    if base.get("override"):
        note(f"{len(base['override'])} overrides for single applications or kinds stand in `leaverwatch.toml`.")
    return wanted


def _leavers(grid: DeltaGenerator, base: Mapping[str, Any], version: int, preset: str) -> dict[str, Any]:
    with grid:
        grace = st.text_input(
            "Grace after leaving",
            str(base["leaver_grace"]),
            key=f"policy-{version}-{preset}-grace",
            help="Such as 24h.",
        )
    with grid:
        leave = st.selectbox(
            "Active while on leave",
            ["allow", "flag"],
            index=["allow", "flag"].index(base["on_leave"]),
            format_func=lambda word: "Is allowed" if word == "allow" else "Is a finding",
            key=f"policy-{version}-{preset}-leave",
        )
    found = {} if grace.strip() == base["leaver_grace"] or not grace.strip() else {"leaver_grace": grace.strip()}
    return found if leave == base["on_leave"] else {**found, "on_leave": leave}


def _rules(grades: Mapping[str, str], off: tuple[str, ...], version: int) -> dict[str, Any]:
    """Rules that are switched off, and one rule's severity."""
    st.markdown("#### :small[:gray[Rules]]")
    names = rule_names()
    chosen = st.multiselect(
        "Switched off", names, [one for one in off if one in names], format_func=rule_title, key=f"off-{version}"
    )
    grid = st.grid(2, min_column_width=170, gap="small")
    with grid:
        rule = st.selectbox("Severity of", names, index=None, format_func=rule_title, key=f"graded-{version}")
    with grid:
        grade = st.selectbox("Becomes", list(SIGNS), index=None, format_func=severity, key=f"grade-{version}")
    wanted: dict[str, Any] = {}
    if set(chosen) != set(off):
        wanted["rules_off"] = sorted(chosen)
    if rule and grade and grades.get(rule) != grade:
        wanted[f"severity.{rule}"] = grade
    return wanted


def said(changes: list[dict[str, Any]]) -> list[str]:
    """What differs, a line each, as markdown."""
    return [f"{plain(_key(one['key']))}: {_value(one['before'])} → {bold(_value(one['after']))}" for one in changes]


def _key(key: str) -> str:
    name, _, rule = key.partition(".")
    if rule:
        return f"Severity of {rule_title(rule)}"
    known = {key: label for fields in GROUPS.values() for key, label in fields.items()}
    return known.get(name, name.replace("_", " ").capitalize())


def _value(value: Any) -> str:
    if value is None or value == []:
        return "–"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
