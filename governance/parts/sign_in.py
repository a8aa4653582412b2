"""What stands in place of every page while nobody is signed in: the way in, or why there is none for this person."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import streamlit as st

from governance import sessions
from governance.house import House
from governance.parts.notes import note
from governance.parts.present import READS_ON, UNREACHABLE
from governance.parts.text import code, plain
from governance.parts.unsent import KEPT_FOR, is_kept
from governance.sessions import Out
from governance.sessions.keeping import IDLE, NOT_READ, NOT_VERIFIED, TOO_LONG, TOO_OLD
from governance.settings import SignInSettings

ICON: Final = Path(__file__).parents[1] / "static" / "icon.svg"
CARD: Final = (
    "<style>.st-key-sign-in-card { padding: 2.25rem 2rem; border-radius: 12px;"
    " box-shadow: 0 1px 2px rgba(28,34,48,.06), 0 12px 32px rgba(28,34,48,.10) }"
    " .st-key-outside { min-height: min(60vh, 32rem); justify-content: center }</style>"
)
NO_ACCESS: Final = (sessions.NO_ROLE, sessions.HAS_LEFT, NOT_VERIFIED, NOT_READ)


def outside(house: House, out: Out, now: datetime) -> None:
    """One card in the middle of an empty page; the address stays, so that signing in leads to the page asked for."""
    middle = st.container(horizontal_alignment="center", key="outside")
    with middle.container(border=True, width=420, key="sign-in-card"):
        st.html(CARD)
        st.image(str(ICON), width=44)
        if out.why == UNREACHABLE:
            _unreachable()
        elif out.why in NO_ACCESS:
            _no_access(house, out)
        elif house.settings.sign_in.provider:
            _way_in(house.settings.sign_in, out)
        else:
            _local_again(house.settings.sign_in, out)
        if is_kept(out.email, now):
            kept = lasting(KEPT_FOR)
            note(f"What you had typed is kept for {kept}: once you are signed in again it stands in its field.")


def _way_in(settings: SignInSettings, out: Out) -> None:
    st.title("Sign in to Leaverwatch", anchor=False)
    if said := _ended(settings, out):
        st.info(said, icon=":material/info:")
    else:
        st.markdown("Access that outlived its reason, found and closed.")
    _buttons(settings)
    note(
        f"You stay signed in while you work here: {lasting(settings.idle)} without use, or"
        f" {lasting(settings.longest)} in all, sign you out."
    )


def _local_again(settings: SignInSettings, out: Out) -> None:
    """The local administrator's session has ended: the command that opens the next one, or reading without any."""
    st.title("Your session has ended", anchor=False)
    st.info(f"{_ended(settings, out)} What you pressed last did nothing.", icon=":material/info:")
    st.markdown("This command, on this machine, prints a link. Open it in this browser to sign in again.")
    st.code("leaverwatch sessions link", language=None)
    st.button("Go on reading only", width="stretch", key="read-on", on_click=_read_on)


def _read_on() -> None:
    st.session_state[READS_ON] = True


def _buttons(settings: SignInSettings, again: str = "") -> None:
    for number, one in enumerate(settings.provider):
        if st.button(
            f"Sign in with {plain(one.label)}",
            type="primary" if number == 0 else "secondary",
            width="stretch",
            icon=":material/login:",
            key=f"sign-in-{one.name}",
        ):
            st.login(f"{one.name}{again}")


def _ended(settings: SignInSettings, out: Out) -> str:
    """Why somebody who was signed in is not any more; empty for who comes for the first time."""
    if out.why.startswith("ended by"):
        return f"Your session was {plain(out.why)}."
    return {
        sessions.SIGNED_OUT: "You are signed out.",
        sessions.SIGNED_IN_AGAIN: "You signed in again in another tab: reload this page to go on here.",
        IDLE: f"You were signed out after {lasting(settings.idle)} without use.",
        TOO_LONG: f"A session ends after {lasting(settings.longest)}; yours did.",
        TOO_OLD: "Your sign-in is too old to go on with.",
    }.get(out.why, "")


def _no_access(house: House, out: Out) -> None:
    st.title("No access", anchor=False)
    who = f"You are signed in as {code(out.email)}. " if out.email else ""
    st.markdown(
        {
            sessions.HAS_LEFT: f"{who}The source of truth says that this person has left: nothing here may be opened.",
            NOT_VERIFIED: f"{who}The provider has not verified this address, so nobody can tell whose it is.",
            NOT_READ: "The provider did not tell an address of yours, so nobody can tell who you are.",
        }.get(out.why, f"{who}Leaverwatch knows no task for you here: you have no role.")
    )
    if out.why == sessions.NO_ROLE:
        note(
            "Roles come from your groups at the provider or from the settings. Ask whoever runs Leaverwatch, then sign"
            " in again."
        )
    _buttons(house.settings.sign_in)
    if st.button("Sign out", width="stretch", key="leave"):
        st.logout()


def _unreachable() -> None:
    st.title("Not open here", anchor=False)
    st.markdown(
        "Sign-in is not configured, so Leaverwatch answers only on the machine it runs on. Name a provider under"
        " `[[sign_in.provider]]` in `leaverwatch.toml`, then start it again."
    )


def lasting(length: timedelta) -> str:
    """A length of time in words: `15 minutes`, `12 hours`."""
    seconds = length.total_seconds()
    for size, unit in ((86_400, "day"), (3_600, "hour"), (60, "minute"), (1, "second")):
        if seconds >= size and seconds % size == 0:
            number = int(seconds // size)
            return f"{number} {unit}{'' if number == 1 else 's'}"
    return f"{int(seconds)} seconds"
