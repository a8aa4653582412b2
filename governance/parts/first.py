"""Where to act first: six rows, each a sentence, its age and one way on."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from governance.parts.links import go, link
from governance.parts.severity import severity_chip
from governance.parts.text import bold, dim, plain
from governance.views.findings import short, since
from governance.views.overview import Overview
from governance.views.paging import Row
from governance.views.words import UNKNOWN, span


def act_first(seen: Overview, titles: dict[str, str], now: datetime) -> None:
    """The most severe open findings, each account once."""
    head = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
    head.subheader("Act first", anchor=False, width="content")
    with head.container(width="content"):
        excluded = seen.tally.of("excluded")
        aside = f"; {excluded:,} excluded" if excluded else ""
        link("findings", f"All {seen.tally.of('open'):,} open findings{aside}")
    if not seen.first:
        st.success("No finding is open. What was checked stands at the foot of the page.", icon=":material/check:")
    for row in seen.first:
        _row(row, titles, now)


def _row(row: Row, titles: dict[str, str], now: datetime) -> None:
    what, act = st.columns([2.6, 1], vertical_alignment="center", gap="small")
    who = row["identity_name"] or row["username"]
    where = titles.get(row["application"], row["application"] or UNKNOWN)
    reason = plain(short(row, where, now))
    reason = reason.replace(plain(who), bold(who), 1) if who else reason
    what.markdown(f"{severity_chip(row['severity'])}\u2002{reason}\u2002:small[{dim(where)}]")
    line = act.container(
        horizontal=True, horizontal_alignment="right", vertical_alignment="center", gap="small", wrap=False
    )
    line.markdown(plain(span(now - since(row))), text_alignment="right", width=48)
    if line.button("Review", key=f"first-{row['fingerprint']}"):
        go("findings", finding=row["fingerprint"])
