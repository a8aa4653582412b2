"""A finding understood: how its score is made up, what makes it go away, its controls, and what became of it."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from governance.parts.text import bold, dim, plain
from governance.views.evidence import Detail
from governance.views.words import moment


def score_parts(found: Detail) -> None:
    """The score, and the parts that add up to it: each with the most it can give and what it looks at."""
    if not found.score:
        return
    total = found.finding.score
    added = " + ".join(f"{part['points']} {part['part']}" for part in found.score)
    st.markdown(f":small[{bold(total)} of 100 = {plain(added)}]")
    with st.expander("How the score is made up"):
        for part in found.score:
            worth = f"{bold(part['points'])} of {part['most']}"
            st.markdown(f":small[{worth} · {plain(part['part'])}: {dim(part.get('why') or '')}]")
        st.markdown(f":small[{dim('What is not told gives nothing; no score lifts a finding above a graver one.')}]")


def goes_away(found: Detail) -> None:
    """What makes the finding go away, and the controls that ask for it."""
    if found.ends_when:
        st.markdown(f":small[:green[✓] {plain(found.ends_when[:1].upper() + found.ends_when[1:])}.]")
    if found.controls:
        st.markdown(f":small[{dim('Controls')} {plain(' · '.join(found.controls))}]")


def history_list(found: Detail, now: datetime) -> None:
    """What became of the finding, the newest first."""
    with st.expander(f"History ({len(found.history)})"):
        for event in reversed(found.history):
            by = f" by {plain(event.by)}" if event.by else ""
            why = f": {plain(event.why)}" if event.why else ""
            st.markdown(f":small[{dim(moment(event.at, now))} {bold(event.what)}{by}{why}]")
