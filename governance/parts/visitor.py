"""The corner of the header that says who acts: whoever is signed in, or the demo's choice of five people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final

import streamlit as st

from governance import sessions
from governance.access import RIGHTS, SENSITIVE, Actor, demand_fresh
from governance.errors import NotAllowed
from governance.house import House
from governance.parts.acting import attempt, must_sign_in_again, set_gate
from governance.parts.clock import read_clock
from governance.parts.notes import note
from governance.parts.present import ACTING, Present, claims
from governance.parts.sign_in import lasting
from governance.parts.text import bold, code, plain
from governance.parts.unsent import keep_typed
from governance.sessions import AGAIN, Out, Signed
from governance.tables import SignIn
from governance.views.actors import finder
from governance.views.words import span

_LEAVE: Final = "to be signed in again"


def visitor(house: House, who: Present, now: datetime) -> None:
    """Draw the corner; asks for a fresh sign-in when a verb was refused for want of one."""
    set_gate(_gate(house, who, who.signed) if who.signed else None)
    with st.container(horizontal=True, horizontal_alignment="right", vertical_alignment="center", key="visitor"):
        if who.how == "acting":
            _switch(house, who.actor)
        elif who.signed is not None:
            if _may_decide(who.actor) and not who.actor.fresh:
                st.button("Sign in again to decide", icon=":material/lock_clock:", key="fresh", on_click=_leave)
            _account(house, who, who.signed, now)
    if who.signed is not None and who.how == "signed in":
        if st.session_state.pop(_LEAVE, False):
            _again(house, who.signed, now)
        elif must_sign_in_again():
            _fresh_dialog()
    if who.how == "reading":
        with st.sidebar:
            _reading(who)


def _switch(house: House, actor: Actor) -> None:
    people = {entry.email: entry for entry in house.settings.actor}
    named = {e: f"{one.name or e}, {_roles(frozenset(one.roles))}" for e, one in people.items()}
    if actor.left:
        note(":orange[◆ has left and may not act]", width="content")
    st.selectbox(
        "Acting as",
        list(named),
        format_func=lambda email: named.get(email, email),
        index=list(named).index(actor.email) if actor.email in named else 0,
        key="acting-as",
        on_change=_act_as,
        label_visibility="collapsed",
        width=260,
    )


def _act_as() -> None:
    st.session_state[ACTING] = st.session_state["acting-as"]  # outlives a run that ends before the choice is drawn


def _account(house: House, who: Present, signed: Signed, now: datetime) -> None:
    """Name, roles and sessions of whoever is signed in, and the way out."""
    actor = who.actor
    with st.popover(plain(actor.name), icon=":material/account_circle:", key="account", width="content"):
        st.markdown(f"{bold(actor.name)}  \n:small[{code(actor.email)}]")
        note(plain(_roles(actor.roles)).capitalize())
        if who.how == "local":
            idle, longest = (lasting(n) for n in (house.settings.sign_in.idle, house.settings.sign_in.longest))
            note(
                "Open on this machine only. Name a provider under `[[sign_in.provider]]` to let others in."
                f" {idle} without use, or {longest} in all, sign you out."
            )
        _sessions(house, actor, signed, now)
        if st.button("Sign out", icon=":material/logout:", width="stretch", key="sign-out"):
            sessions.sign_out(house, actor, now, signed.id)
            if who.how == "signed in":
                st.logout()
            else:
                st.rerun()


def _sessions(house: House, actor: Actor, signed: Signed, now: datetime) -> None:
    st.markdown("**Your sessions**")
    for row in sessions.listed(house, actor, now):
        line = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
        line.markdown(f":small[{_told(row, signed, now)}]", width="content")
        if row.id != signed.id and line.button("End", key=f"end-{row.id}", type="tertiary"):
            attempt(partial(sessions.end, house, actor, now, row.id), "Ended: its tabs are out at their next step")


def _told(row: SignIn, signed: Signed, now: datetime) -> str:
    here = "This one" if row.id == signed.id else "Another one"
    used = "used now" if row.id == signed.id else f"last used {span(now - row.seen_at)} ago"
    return plain(f"{here}, since {row.started_at:%H:%M} UTC, {used}")


def _gate(house: House, who: Present, signed: Signed) -> Callable[[bool], None]:
    """A part of the page that runs by itself acts only while the session holds, with the age it has then."""
    find = finder(house) if who.how == "signed in" else (lambda _email, _groups: signed.actor)

    def still(used: bool) -> None:
        found = sessions.still(house, signed.id, find, read_clock(), used=used)
        if isinstance(found, Out):
            keep_typed(found.email, read_clock())
            raise NotAllowed(f"nothing was done: this session has ended ({found.why})")
        if used and signed.actor.fresh:
            demand_fresh(found.actor)

    return still


def _leave() -> None:
    st.session_state[_LEAVE] = True


@st.dialog("Sign in again to decide", icon=":material/lock_clock:")
def _fresh_dialog() -> None:
    st.markdown(
        "Whoever decides something has signed in a few minutes ago at most. One step at your provider, and you are back"
        " on this page."
    )
    if st.button("Sign in again", type="primary", width="stretch", icon=":material/login:", key="sign-in-again"):
        _leave()
        st.rerun()


def _again(house: House, signed: Signed, now: datetime) -> None:
    """To the provider, who asks for a proof; this session ends here, so that the cookie of before opens nothing."""
    provider = str(claims().get("provider") or "").removesuffix(AGAIN)
    sessions.sign_out(house, signed.actor, now, signed.id, sessions.SIGNED_IN_AGAIN)
    st.login(f"{provider}{AGAIN}")
    st.stop()


def _may_decide(actor: Actor) -> bool:
    return any(verb in SENSITIVE for role in actor.roles for verb in RIGHTS.get(role, ()))


def _reading(who: Present) -> None:
    was = "You are signed out. " if who.was == sessions.SIGNED_OUT else "Your session has ended. " if who.was else ""
    note(
        f"{was}Read-only: `leaverwatch up` prints a link that makes you the local administrator of this machine, and"
        " `leaverwatch sessions link` another one. Settings that name an actor or a provider let others decide."
    )


def _roles(roles: frozenset[str]) -> str:
    return ", ".join(sorted(role.replace("_", " ") for role in roles)) or "no role"
