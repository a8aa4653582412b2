"""How every page opens: title, one sentence that answers why somebody came, and how old what it shows is."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from governance.house import House
from governance.parts.into_view import title_into_view
from governance.parts.links import can_open, link
from governance.parts.notes import note_in
from governance.parts.text import plain, small_row
from governance.views.freshness import Feed, freshness

_SHOWN: Final = 6


def opening(
    house: House,
    now: datetime,
    title: str,
    sentence: str,
    aside: str | None = None,
    action: Callable[[DeltaGenerator], object] | None = None,
) -> None:
    """Title, sentence (markdown made of escaped parts) and the freshness line.

    `aside` and the button that `action` draws stand right of the sentence: above it the header, where stands who acts,
    would cover them.
    """
    with st.container(gap="xsmall"):
        _opening(house, now, title, sentence, aside, action)
    title_into_view(title)


def _opening(
    house: House,
    now: datetime,
    title: str,
    sentence: str,
    aside: str | None,
    action: Callable[[DeltaGenerator], object] | None,
) -> None:
    st.title(plain(title), anchor=False)
    row = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
    row.header(sentence, anchor=False, width="content")
    if aside:
        note_in(row, aside, width="content")
    if action:
        action(row)
    freshness_line(house, now)


def freshness_line(house: House, now: datetime) -> None:
    """The age of every feed, what must not be relied on first: a number is only as good as the pull behind it."""
    feeds = freshness(house, now)
    if not feeds:
        row = st.container(horizontal=True, vertical_alignment="center", gap="small")
        note_in(row, "No feed is configured, so nothing can be judged.", width="content")
        if can_open("connect"):
            with row:
                link("connect", "Connect one", ":material/add_link:")
        return
    shown = [feed for feed in feeds if not feed.sound] + [feed for feed in feeds if feed.sound]
    rest = shown[_SHOWN:]
    parts = [_said(feed) for feed in shown[:_SHOWN]]
    if rest:
        oldest = plain(max(rest, key=_age).age_text)
        sound = f":green[●] :gray[{len(rest)} more, at most {oldest}]"
        parts.append(sound if _all_sound(rest) else f":orange[**◆ {len(rest)} more, not all of them recent**]")
    st.markdown(small_row(parts))


def _said(feed: Feed) -> str:
    text = plain(feed.said).replace(" ", "\u00a0")
    return f":green[●]\u00a0:gray[{text}]" if feed.sound else f":orange[**◆\u00a0{text}**]"


def _age(feed: Feed) -> float:
    return feed.age.total_seconds() if feed.age else float("inf")


def _all_sound(feeds: list[Feed]) -> bool:
    return all(feed.sound for feed in feeds)
