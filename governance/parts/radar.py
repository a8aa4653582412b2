"""The radar of one application: who writes to it, what came of two writers, and the steps that end it."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from governance.parts.notes import note
from governance.parts.severity import chip
from governance.parts.text import bold, code, dim, plain
from governance.views.radar import Found, Provisioned, Writing
from governance.views.words import count, moment


def radar_mark(seen: Provisioned) -> None:
    """One line of a card: that two writers fill the application, and how much came of it."""
    if not seen.dual and not seen.found:
        return
    if seen.found:
        st.markdown(
            f":small[:orange[◆ Two writers: {plain(count(len(seen.found), 'consequence', 'consequences'))} found]]"
        )
        return
    blind = len(seen.unknown)
    said = f"{count(blind, 'consequence', 'consequences')} cannot be looked for" if blind else "nothing came of it"
    st.markdown(f":small[:orange[◆ JIT and SCIM]\u2003{dim(said)}]")


def radar_panel(seen: Provisioned, now: datetime) -> None:
    """Writers first, then each consequence with its steps, then what cannot be looked for and why."""
    with st.container(border=True, gap="xsmall"):
        head = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
        head.subheader("Who fills it", anchor=False, width="content")
        if seen.dual:
            head.markdown(chip("◆ JIT and SCIM", "orange"), width="content")
        if not seen.writers:
            note("Neither events nor the settings tell how accounts come to be here.")
            return
        for one in seen.writers:
            st.markdown(_writer(one, now))
        for found in seen.found:
            _consequence(found)
        if seen.several and not seen.found and not seen.unknown:
            st.markdown(":green[✓] Nothing was found that came of two writers.")
        if seen.unknown:
            with st.expander(f"{count(len(seen.unknown), 'consequence', 'consequences')} cannot be looked for"):
                for _, title, why in seen.unknown:
                    st.markdown(f":small[{bold(title)}: {plain(why)}.]")


def _writer(one: Writing, now: datetime) -> str:
    since = f"since {moment(one.since, now)}" if one.since else "since when is not told"
    over = f"over {count(one.accounts, 'account', 'accounts')}" if one.accounts else ""
    return f"{bold(one.title)} :small[{dim(', '.join(part for part in (since, over, one.told) if part))}]"


def _consequence(found: Found) -> None:
    st.markdown(f":orange[◆] {bold(found.title)}  \n{plain(found.sentence)}")
    with st.expander(f"How to end it, in {len(found.steps)} steps", key=f"steps-{found.kind}"):
        st.markdown("\n".join(f"{number}. {plain(step)}" for number, step in enumerate(found.steps, 1)))
        if found.examples:
            more = found.accounts - len(found.examples)
            names = ", ".join(code(name) for name in found.examples)
            note(f"Accounts: {names}" + (f" and {more:,} more" if more > 0 else ""))
