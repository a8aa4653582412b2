"""Proposing to close everything an identity can still sign in to, in one step: preview, reason, proposal."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from governance import remediation
from governance.access import Actor
from governance.house import House
from governance.parts.acting import attempt
from governance.parts.notes import note
from governance.parts.text import bold, plain
from governance.views.applications import closing
from governance.views.identities import Whole

# One finding for each account: the one about its life.
RULES = ("ghost", "contract_expired", "login_after_leaving")


def propose_all(house: House, actor: Actor, now: datetime, whole: Whole) -> None:
    """The button, and once it was pressed what would happen in every application."""
    chosen: dict[tuple[str | None, str | None], str] = {}
    for rule in RULES:
        for finding in whole.findings:
            if finding.rule == rule and finding.status == "open" and whole.facts["state"] == "ended":
                chosen.setdefault((finding.application, finding.account_id), finding.fingerprint)
    if not chosen:
        return
    fingerprints = list(chosen.values())
    refused = remediation.refusals(house, actor, now, fingerprints)
    possible = [f for f in fingerprints if f not in refused]
    with st.popover(
        f"Propose deactivation of {len(possible)}", type="primary", icon=":material/person_off:", disabled=not possible
    ):
        where = {f.fingerprint: f.application or "" for f in whole.findings}
        account = {f.fingerprint: f.account_id for f in whole.findings}
        for fingerprint in possible:
            way = closing(house, where[fingerprint], account[fingerprint])
            if way:
                how = way.call if way.how == "call" else f"a task for {way.call}"
                st.markdown(f"{bold(way.title)}: {plain(how)}. {plain(way.reversible)}")
        for fingerprint, refusal in refused.items():
            note(f":orange[◆] {plain(where[fingerprint])}: {plain(refusal)}")
        with st.form("propose-all", border=False):
            reason = st.text_input("Why it is right to close these accounts", max_chars=500, key="why-propose-all")
            if st.form_submit_button("Send the proposals", type="primary", width="stretch"):
                attempt(
                    lambda: remediation.propose(house, actor, now, possible, reason),
                    "Proposed: now somebody else approves",
                )
