"""The evidence beside the list of findings: what is known, what would change, and the decision."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import streamlit as st

from governance import remediation
from governance.access import Actor, Verb, may
from governance.house import House
from governance.parts.approval import decide_or_explain
from governance.parts.deciding import end_exclusion_form, exclude_form, pin_form, propose_form
from governance.parts.facts import fact_list
from governance.parts.links import link
from governance.parts.notes import note
from governance.parts.severity import chip, severity_chip
from governance.parts.text import bold, code, hot, plain
from governance.parts.understood import goes_away, history_list, score_parts
from governance.tables import Finding
from governance.views import approvals
from governance.views.evidence import Detail, detail
from governance.views.words import REMEDIATION, RESOLVED, day, rule_title, span

# What hurts is red: that a leaver still gets in, and that the account was used after that. Nothing else.
_HURTS: Final = ("is still active", "was used after that", "is privileged and active")


def panel(house: House, actor: Actor, now: datetime, fingerprint: str | None) -> None:
    """Everything about the chosen finding."""
    found = detail(house, actor, now, fingerprint) if fingerprint else None
    with st.container(border=True, gap="xsmall"):
        if found is None:
            st.markdown("Choose a finding to see what it is based on.")
            return
        _head(house, found)
        _title("Facts")
        fact_list(found.facts)
        if found.score:
            _title("Score")
            score_parts(found)
        _title("What makes it go away")
        goes_away(found)
        _change(found)
        _similar(found)
        st.space(4)
        _decision(house, actor, now, found)
        history_list(found, now)


def _head(house: House, found: Detail) -> None:
    finding = found.finding
    line = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
    line.markdown(f"{severity_chip(finding.severity)} {chip(rule_title(finding.rule))}", width="content")
    line.markdown(f"`{finding.fingerprint[:8]}`", width="content", help="The fingerprint of this finding begins so.")
    who = finding.identity_name or finding.username or finding.account_id or "Nobody known"
    where = next((a.label for a in house.settings.application if a.name == finding.application), finding.application)
    st.subheader(plain(f"{who} in {where}" if where else who), anchor=False)
    reason = plain(finding.reason)
    for phrase in _HURTS:
        reason = reason.replace(plain(phrase), hot(phrase))
    st.markdown(reason)


def _title(text: str) -> None:
    st.markdown(f"#### :small[:gray[{text}]]")


def _change(found: Detail) -> None:
    finding, way = found.finding, found.closing
    _title("What would change")
    if not found.proposable or way is None:
        st.markdown(plain(found.instead or "Nothing is changed from here."))
        return
    if found.instead:
        st.markdown(plain(found.instead))
    account = code(finding.username or finding.account_id)
    if way.how == "call":
        st.markdown(f":small[:green[↩] {bold(way.call)}: {account}. {plain(way.reversible)}]")
        st.markdown(":small[:green[✓] Read again at once; only an account found inactive counts as closed.]")
    else:
        st.markdown(f":small[:blue[◐] A task goes to {bold(way.call)}: deactivate {account} in {plain(way.title)}.]")
        st.markdown(f":small[:green[✓] The next file of {plain(way.title)} proves it. {plain(way.reversible)}]")


def _similar(found: Detail) -> None:
    finding = found.finding
    if not found.of_identity and not found.of_kind:
        return
    _title("Similar")
    with st.container(horizontal=True):
        if found.of_identity and finding.identity_id:
            link("findings", f"{_many(found.of_identity)} more of this identity", identity=finding.identity_id)
        if found.of_kind and finding.application:
            what = plain(rule_title(finding.rule))
            link(
                "findings",
                f"{_many(found.of_kind)} more here: {what}",
                rule=finding.rule,
                application=finding.application,
            )


def _many(number: int) -> str:
    return "100+" if number >= 100 else str(number)


def _decision(house: House, actor: Actor, now: datetime, found: Detail) -> None:
    finding = found.finding
    if finding.status != "open":
        _settled(house, actor, now, found)
    elif found.candidates and may(actor, Verb.PIN, application=finding.application):
        pin_form(house, actor, now, found)
    if finding.status == "open":
        where = {"application": finding.application, "identity_id": finding.identity_id}
        if found.proposable and may(actor, Verb.PROPOSE, **where):
            refusal = remediation.refusals(house, actor, now, [finding.fingerprint]).get(finding.fingerprint)
            propose_form(house, actor, now, found, str(refusal) if refusal else None)
        if may(actor, Verb.EXCLUDE, **where):
            exclude_form(house, actor, now, finding, found.exclusion)
        if found.proposable:
            _approvers(found)
    if finding.identity_id:
        link("identities", "Open the identity", ":material/person:", id=finding.identity_id)


def _approvers(found: Detail) -> None:
    if not found.approvers:
        note("Nobody else may approve this: name an approver in the settings first.")
        return
    first, rest = found.approvers[0], len(found.approvers) - 1
    others = f" or {plain(rest)} other{'s' if rest > 1 else ''}" if rest else ""
    note(f"Needs approval by {plain(first)}{others}, never by the proposer or the subject.", help="\n".join(
        f"- {plain(name)}" for name in found.approvers))  # fmt: skip


def _settled(house: House, actor: Actor, now: datetime, found: Detail) -> None:
    """What has been decided about a finding that is not open."""
    finding: Finding = found.finding
    if finding.status == "excluded" and found.exclusion:
        ending = found.exclusion
        st.markdown(
            f"{chip('Excluded')} until {bold(day(ending.until, now))} by {plain(ending.actor)}: {plain(ending.reason)}"
        )
        if may(actor, Verb.EXCLUDE, application=finding.application, identity_id=finding.identity_id):
            end_exclusion_form(house, actor, now, finding)
    elif finding.status == "in_remediation" and found.remediation:
        r = found.remediation
        state = (
            REMEDIATION.get(r.status, r.status) if r.action != "manual" or r.status != "executing" else "With its owner"
        )
        st.markdown(f"{chip(state, 'blue')} proposed by {plain(r.proposed_by)} {plain(span(now - r.proposed_at))} ago.")
        card = next((one for one in approvals.waiting(house, actor, now) if one.remediation.id == r.id), None)
        if card is not None:
            decide_or_explain(house, actor, now, card)
        link("approvals", "Open the approvals", ":material/done_all:", id=r.id)
    elif finding.status == "resolved":
        why = RESOLVED.get(finding.resolved_why or "", finding.resolved_why or "the reason was not noted")
        st.markdown(f"{chip('✓ Resolved', 'green')} on {plain(day(finding.resolved_at, now))}: {plain(why)}.")
