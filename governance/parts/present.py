"""Who is in front of the screen: signed in, the local administrator, acting as somebody, or a reader."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import streamlit as st

from governance import sessions
from governance.access import Actor
from governance.errors import NotAllowed
from governance.house import House
from governance.sessions import Out, Signed
from governance.views.actors import finder

READER: Final = Actor(email="", name="Reader", roles=frozenset({"auditor"}))
HELD: Final = "leaverwatch_local"  # the cookie that the first start's link leaves; see jobs.start_link
ACTING: Final = "acts as"
_TOLD: Final = "whom the address told to act as"
NOBODY: Final = ""  # has not signed in here
READS_ON: Final = "goes on reading without a session"
UNREACHABLE: Final = "sign-in is not configured"


@dataclass(frozen=True)
class Present:
    """Whoever looks at the page, and how that is known."""

    actor: Actor
    how: Literal["signed in", "local", "acting", "reading"]
    signed: Signed | None = None
    was: str = ""  # why somebody is not the local administrator any more


def present(house: House, now: datetime) -> Present | Out:
    """Asked once for every run of the script: rights and sessions are read each time, never kept."""
    if house.settings.sign_in.provider:
        told = claims()
        found = sessions.current(house, told, finder(house), now) if told.get("is_logged_in") else Out(NOBODY)
        return found if isinstance(found, Out) else Present(found.actor, "signed in", found)
    if not on_this_machine():
        return Out(UNREACHABLE)
    if house.settings.actor:
        return _acting(house)
    local = sessions.local(house, st.context.cookies.get(HELD) or "", now)
    if isinstance(local, Signed):
        return Present(local.actor, "local", local)
    if local and local.why != sessions.SIGNED_OUT and not st.session_state.get(READS_ON):
        return local
    return Present(READER, "reading", was=local.why if local else "")


def claims() -> dict[str, Any]:
    """What the provider's signed cookie says of whoever opened this page."""
    return dict(st.user.to_dict())


def _acting(house: House) -> Present:
    """Whom the visitor chose to be: only on this machine, while there is no provider."""
    known = [entry.email for entry in house.settings.actor]
    told = st.query_params.get("as")
    if told in known and told != st.session_state.get(_TOLD):  # kept: other pages' addresses do not say it
        st.session_state[_TOLD] = st.session_state[ACTING] = told
    email = st.session_state.get(ACTING)
    try:
        return Present(finder(house)(email if email in known else known[0], ()), "acting")
    except NotAllowed:
        return Present(READER, "reading")


def on_this_machine() -> bool:
    """Whether the server listens on loopback only and this reader came over it."""
    bound = str(st.get_option("server.address") or "")
    if bound != "localhost":
        try:
            if not ipaddress.ip_address(bound).is_loopback:
                return False
        except ValueError:
            return False
    came_from = st.context.ip_address
    if not isinstance(came_from, str):  # Streamlit tells no address of a reader on this machine
        return True
    try:
        return ipaddress.ip_address(came_from).is_loopback
    except ValueError:
        return False
