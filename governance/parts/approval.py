"""One proposal as a card: the sentence, the facts, the preview, two buttons as wide as the card."""

from __future__ import annotations

from datetime import datetime
from functools import partial

import streamlit as st

from governance import remediation
from governance.access import Actor
from governance.house import House
from governance.parts.acting import attempt
from governance.parts.facts import fact_lines
from governance.parts.into_view import into_view
from governance.parts.notes import note, note_in
from governance.parts.severity import chip, severity_chip
from governance.parts.text import bold, code, hot, plain
from governance.parts.unsent import AGREED
from governance.views import approvals
from governance.views.approvals import Waiting
from governance.views.words import REMEDIATION, rule_title, span

CARDS = "cards"  # the container of all cards on the page Approvals: there it goes on after a decision
_PRESSED = "approval: the card whose button was pressed last"
REASONS = ("Still needed", "Wrong person", "Other date agreed", "Will be handled elsewhere")


def approval_card(house: House, actor: Actor, now: datetime, card: Waiting) -> None:
    """Everything an approver needs, from top to bottom, in one column."""
    r = card.remediation
    with st.container(border=True, key=f"card-{r.id}", gap="xsmall"):
        line = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
        line.markdown(f"{severity_chip(card.severity)} {chip(rule_title(r.rule))}", width="content")
        note_in(line, f"proposed {plain(span(now - r.proposed_at))} ago", width="content")
        reason, who = plain(card.why), r.identity_name
        reason = reason.replace(plain(who), bold(who), 1) if who else reason
        for phrase in ("is still active", "was used after that"):
            reason = reason.replace(plain(phrase), hot(phrase))
        st.header(reason, anchor=False)
        _recommendation(card)
        fact_lines(card.facts)
        st.markdown(f":small[:gray[Proposed by] {plain(r.proposed_by)}: {plain(r.reason)}]")
        decide_or_explain(house, actor, now, card, CARDS)
    into_view(f"card-{r.id}")


def _note_press(id: str) -> None:
    st.session_state[_PRESSED] = id


def decided_meanwhile(house: House, actor: Actor, cards: list[Waiting]) -> None:
    """A press on a card that is not there any more did nothing: that is said, with what became of it."""
    pressed = st.session_state.pop(_PRESSED, None)
    if pressed is None or any(card.remediation.id == pressed for card in cards):
        return
    if r := approvals.decided(house, actor, pressed):
        who = bold(r.identity_name or r.username or r.account_id)
        said = plain(REMEDIATION.get(r.status, r.status))
        st.info(f"Nothing was done now: about {who} it is decided already. {said}.", icon=":material/info:")


def decide_or_explain(house: House, actor: Actor, now: datetime, card: Waiting, then: str = "") -> None:
    """The two buttons, or why this actor has none. `then`: the key of the container to go on with once decided."""
    if card.bar is None:
        with st.container(key=f"form-approve-{card.remediation.finding}"):
            _decide(house, actor, now, card, then)
    else:
        _explain(card)


def _recommendation(card: Waiting) -> None:
    way, r = card.closing, card.remediation
    account = code(r.username or r.account_id)
    if way is None:
        st.warning("This application is not configured any more.", icon=":material/help:")
    elif r.entitlement_id is not None:
        held = bold((r.evidence or {}).get("entitlement") or r.entitlement_id)
        who = f"{plain(way.owner or 'the owner')} is asked to take" if card.manual else "Leaverwatch takes"
        change = card.what == "change"
        asked = f"{who} {held} from {account} in {plain(way.title)}"
        asked = f"{asked}, or change it as the reviewer says" if change else asked
        st.info(
            f":small[**What happens:** {asked}. Nothing is deleted; it can be given back.]", icon=":material/key_off:"
        )
    elif card.manual:
        asked = f"{plain(way.owner or 'the owner')} is asked to deactivate {account} in {plain(way.title)}."
        st.info(f":small[**What happens:** {asked} {plain(way.reversible)}]", icon=":material/assignment_ind:")
    else:
        called = f"{plain(way.call)} for {account} in {plain(way.title)}."
        st.info(f":small[**What happens:** {called} {plain(way.reversible)}]", icon=":material/undo:")


def _decide(house: House, actor: Actor, now: datetime, card: Waiting, then: str) -> None:
    r, step = card.remediation, f"keep-{card.remediation.id}"
    first = st.container()  # on a phone the buttons come before the words that may go with them
    st.session_state.setdefault(f"agree-{r.id}", AGREED)
    reason = st.text_input("Why you agree", key=f"agree-{r.id}", max_chars=500)
    label = "Approve the task" if card.manual else "Approve removal" if r.entitlement_id else "Approve deactivation"
    pressed = partial(_note_press, r.id)
    if first.button(label, type="primary", width="stretch", key=f"approve-{r.id}", on_click=pressed):
        done = "Approved: the owner gets the task" if card.manual else "Approved: it is carried out within seconds"
        attempt(lambda: remediation.approve(house, actor, now, [r.id], reason), done, then)
    keep = "Keep it, with a reason" if r.entitlement_id else "Keep active, with a reason"
    if first.button(keep, width="stretch", key=f"open-{step}", on_click=pressed):
        st.session_state[f"open {step}"] = not st.session_state.get(f"open {step}", False)
    if st.session_state.get(f"open {step}"):
        with st.form(step, border=False):
            chosen = st.pills("Reason", REASONS, key=f"pill-{step}")
            text = st.text_input("In your words", key=f"text-{step}", max_chars=500)
            if st.form_submit_button("Keep it active", width="stretch"):
                why = ": ".join(part for part in (chosen, text.strip()) if part)
                kept = "Kept active; the finding is open again"
                attempt(lambda: remediation.reject(house, actor, now, [r.id], why), kept, then)
    after = "The next file proves it." if card.manual else "Carried out at once, read again to prove it."
    if r.entitlement_id is not None:
        after = "The next reading proves it."
    undoes = r.entitlement_id is not None or (card.closing is not None and card.closing.undoes)
    until = "" if card.manual or not undoes else f" It can be undone for {remediation.CAN_BE_UNDONE.days} days."
    note(f"{after}{until}", text_alignment="center")


def _explain(card: Waiting) -> None:
    """Why this actor may not decide, and who may: four eyes are a rule, not an error."""
    why = {
        "own proposal": "You proposed this. Four eyes: somebody who is neither proposer nor subject must approve.",
        "own approval": "You have approved this. It leaves one privileged account, so a second approver must agree.",
        "own account": "This concerns your own account. Somebody else must decide.",
        "no right": "Your roles do not include approving this.",
    }[card.bar or "no right"]
    st.markdown(f":gray[:material/group:] {plain(why)}")
    if card.others:
        note(f"Can approve: {', '.join(plain(name) for name in card.others[:6])}.")
    else:
        note(":orange[◆] Nobody else may approve this: name an approver in the settings.")
