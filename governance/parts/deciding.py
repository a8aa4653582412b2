"""The forms of a decision about one finding: preview first, then a typed reason, then the verb of the domain."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import streamlit as st

from governance import findings, remediation
from governance.access import Actor
from governance.house import House
from governance.parts.acting import attempt
from governance.parts.notes import note
from governance.parts.taking_back import remember
from governance.parts.text import bold, plain
from governance.tables import Exclusion, Finding
from governance.views.evidence import Detail
from governance.views.words import day

_OPEN = "deciding"


def _toggle(what: str) -> None:
    open_step("" if is_open(what) else what)


def open_step(what: str) -> None:
    """Draw this form next: a verb and the finding's fingerprint, or `many`."""
    st.session_state[_OPEN] = what


def is_open(what: str) -> bool:
    """Whether this form is the one that is open."""
    return bool(st.session_state.get(_OPEN) == what)


def propose_form(house: House, actor: Actor, now: datetime, found: Detail, refusal: str | None) -> None:
    """The primary button, and once it was pressed the preview with the reason."""
    fingerprint, way = found.finding.fingerprint, found.closing
    step = f"propose-{fingerprint}"
    label = "Propose deactivation" if way is None or way.how == "call" else "Propose a task to deactivate"
    label += "\u2003`D`"
    st.button(label, type="primary", width="stretch", disabled=refusal is not None, on_click=_toggle, args=(step,),
              key=f"open-{step}", icon=":material/person_off:")  # fmt: skip
    if refusal:
        note(f":orange[◆] {plain(refusal)}.")
    if not is_open(step) or refusal or way is None:
        return
    with st.container(key=f"form-{step}"), st.form(step):
        st.markdown(f"{bold('Preview')}: {_preview(found)}")
        reason = st.text_input("Why it is right to close this account", key=f"why-{step}", max_chars=500)
        sent = st.form_submit_button("Send the proposal", type="primary", width="stretch")

    def send() -> None:
        remember([r.id for r in remediation.propose(house, actor, now, [fingerprint], reason)])

    if sent:
        attempt(send, "Proposed: now somebody else approves")


def _preview(found: Detail) -> str:
    way, finding = found.closing, found.finding
    if way is None:
        return "nothing is known about how this account is closed."
    account = bold(finding.username or finding.account_id or "")
    if way.how == "call":
        return (
            f"after approval, {plain(way.call[:1].lower() + way.call[1:])} for {account} in {plain(way.title)},"
            f" then read it again. {plain(way.reversible)}"
        )
    asked = f"after approval, {plain(way.call)} is asked to deactivate {account} in {plain(way.title)}"
    return f"{asked}. {plain(way.reversible)}"


def exclude_form(house: House, actor: Actor, now: datetime, finding: Finding, asked: Exclusion | None = None) -> None:
    """A reasoned exception with an end date; one that was asked for waits for somebody else to agree."""
    step = f"exclude-{finding.fingerprint}"
    if asked is not None and asked.waits:
        note(
            f":orange[◆] {plain(asked.actor)} asked to exclude this until {day(asked.until, now)}:"
            f" {plain(asked.reason)}. It takes two, because it is long or privileged."
        )
        own = actor.is_same(asked.actor)
        words = ("Withdraw", "Withdrawn") if own else ("Refuse the exclusion", "Refused: it excludes nothing")
        end_exclusion_form(house, actor, now, finding, words)
        if own:
            return
    label = "Agree to the exclusion" if asked is not None and asked.waits else "Exclude"
    st.button(
        f"{label}\u2003`E`",
        width="stretch",
        on_click=_toggle,
        args=(step,),
        key=f"open-{step}",
        icon=":material/event_busy:",
    )
    if not is_open(step):
        return
    with st.container(key=f"form-{step}"), st.form(step):
        reason = st.text_input("Why this may stay as it is", key=f"why-{step}", max_chars=500)
        until = exclude_until(house, now, f"until-{step}")
        if st.form_submit_button("Exclude until then", width="stretch"):
            end = datetime.combine(until, time(), UTC)
            attempt(
                lambda: findings.exclude(house, actor, now, finding.fingerprint, end, reason),
                lambda made: (
                    "Asked: it stays open until a second person agrees"
                    if made.waits
                    else f"Excluded until {day(made.until, now)}"
                ),
            )


def end_exclusion_form(
    house: House, actor: Actor, now: datetime, finding: Finding, asked: tuple[str, str] | None = None
) -> None:
    """An exception whose grounds are gone, or that was a mistake, need not be waited for.

    `asked`: of one that waits for a second person, what this is called and what is said when it is done.
    """
    label, done = asked or ("End the exclusion", "Ended: the finding is open")
    step = f"end-{finding.fingerprint}"
    st.button(label, on_click=_toggle, args=(step,), key=f"open-{step}", icon=":material/event_repeat:")
    if not is_open(step):
        return
    with st.container(key=f"form-{step}"), st.form(step):
        reason = st.text_input("Why" if asked else "Why it is no exception any more", key=f"why-{step}", max_chars=500)
        if st.form_submit_button(label if asked else "End it now", width="stretch"):
            attempt(
                lambda: findings.end_exclusion(house, actor, now, finding.fingerprint, reason),
                done,
            )


def exclude_until(house: House, now: datetime, key: str) -> date:
    """The day an exclusion ends, within what policy allows."""
    longest = house.settings.policy.max_exclusion_days
    chosen: date = st.date_input(
        "Until",
        value=(now + timedelta(days=min(30, longest))).date(),
        min_value=(now + timedelta(days=1)).date(),
        max_value=(now + timedelta(days=longest)).date(),
        format="YYYY-MM-DD",
        key=key,
        help=f"At most {longest} days; then the finding is open again.",
    )
    return chosen


def pin_form(house: House, actor: Actor, now: datetime, found: Detail) -> None:
    """Say whose account it is."""
    finding = found.finding
    step = f"pin-{finding.fingerprint}"
    names = dict(found.candidates)
    with st.form(step, border=False):
        identity = st.radio(
            "Whose account is it?", list(names), format_func=lambda id: names.get(id, id), index=None, key=f"who-{step}"
        )
        reason = st.text_input("How you know", key=f"why-{step}", max_chars=500)
        sent = st.form_submit_button("Pin the account to this identity", width="stretch")
    if sent and identity is None:
        st.error("Choose an identity first.", icon=":material/block:")
    elif sent and identity and finding.application and finding.account_id:
        application, account = finding.application, finding.account_id
        attempt(
            lambda: findings.pin(house, actor, now, application, account, identity, reason),
            "Pinned: the next detect run judges the account by its owner",
        )
