"""Where to act first: rows of one sentence, its age and one way on, as many as the map beside them leaves room for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import streamlit as st

from governance.parts.links import go, link
from governance.parts.severity import severity_chip
from governance.parts.text import bold, dim, plain
from governance.views.findings import short, since
from governance.views.overview import FIRST, Overview
from governance.views.paging import Row
from governance.views.words import UNKNOWN, span

_FEWEST: Final = 6
_ROW, _HEAD = 59, 60  # pixels of a row of two lines, and of the card around the rows
_MAP, _PLACE = 195, 32  # of the map without its applications, and of each of them
_TIMES, _NO_TIMES = 290, 123  # of the times to closure, drawn and only spoken of


@dataclass(frozen=True)
class Arrangement:
    """What stands where in the two columns of the overview, so that neither ends in nothing."""

    rows: int  # of where to act first
    times_below_first: bool  # else the times to closure stand below the map


def arrangement(applications: int, *, times: bool) -> Arrangement:
    """As many rows as fill the column beside the map, and the times to closure below the shorter of the two."""
    beside, under = _MAP + _PLACE * applications, _TIMES if times else _NO_TIMES
    below_first = beside - under >= _HEAD + _FEWEST * _ROW
    room = beside - under if below_first else beside + under
    return Arrangement(max(_FEWEST, min(FIRST, round((room - _HEAD) / _ROW))), below_first)


def act_first(seen: Overview, titles: dict[str, str], now: datetime, most: int) -> None:
    """The most severe open findings, each account once, at most so many."""
    head = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
    head.subheader("Act first", anchor=False, width="content")
    with head.container(width="content"):
        excluded = seen.tally.of("excluded")
        aside = f"; {excluded:,} excluded" if excluded else ""
        link("findings", f"All {seen.tally.of('open'):,} open findings{aside}")
    if not seen.first:
        st.success("No finding is open. What was checked stands at the foot of the page.", icon=":material/check:")
    for row in seen.first[:most]:
        _row(row, titles, now)


def _row(row: Row, titles: dict[str, str], now: datetime) -> None:
    line = st.container(horizontal=True, vertical_alignment="center", gap="small", wrap=False)
    who = row["identity_name"] or row["username"]
    where = titles.get(row["application"], row["application"] or UNKNOWN)
    reason = plain(short(row, where, now))
    reason = reason.replace(plain(who), bold(who), 1) if who else reason
    line.markdown(f"{severity_chip(row['severity'])}\u2002{reason}\u2002:small[{dim(where)}]", width="stretch")
    line.markdown(plain(span(now - since(row))), text_alignment="right", width=48)
    if line.button("Review", key=f"first-{row['fingerprint']}"):
        go("findings", finding=row["fingerprint"])
