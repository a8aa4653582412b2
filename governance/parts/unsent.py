"""What somebody had typed when their session ended: kept for a while, and in its field again after the next sign-in.

Only fields named here are kept, in this process, for the same person; a secret is in none of them.
"""

from __future__ import annotations

from collections import OrderedDict
from datetime import datetime, timedelta
from typing import Final

import streamlit as st

KEPT_FOR: Final = timedelta(minutes=30)
AGREED: Final = "The facts are right"  # stands in its field before anybody types
_FIELDS: Final = ("why-", "agree-", "text-", "release-why-", "policy-reason", "mapping-reason", "mapping-why", "feed-")
_MOST: Final = 200  # people
_RESTORED: Final = "what was typed before the sign-in stands in its fields"
_kept: OrderedDict[str, tuple[datetime, dict[str, str]]] = OrderedDict()


def keep_typed(email: str, now: datetime) -> None:
    """Keep what this tab's fields hold for whoever signs in by this address; nothing when they are empty."""
    typed = {
        str(key): value
        for key, value in st.session_state.items()
        if str(key).startswith(_FIELDS) and isinstance(value, str) and value.strip() and value != AGREED
    }
    if email and typed:
        _kept[email] = now, {**(_of(email, now)), **typed}
        _kept.move_to_end(email)
        while len(_kept) > _MOST:
            _kept.popitem(last=False)


def is_kept(email: str, now: datetime) -> bool:
    """Whether something waits for this person."""
    return bool(_of(email, now))


def put_back(email: str, now: datetime) -> None:
    """What was kept for this person stands in its fields again, once in each tab, until it was sent or changed in one.

    A field that holds something else than was put into it, or is not drawn any more, has done its work: no tab that is
    opened later gets it.
    """
    if not email:
        return
    whose, given = st.session_state.get(_RESTORED, ("", {}))
    if whose == email:
        for key in [key for key, value in given.items() if st.session_state.get(key) != value]:
            del given[key]
            _forget(email, key)
    elif is_kept(email, now):
        typed = _of(email, now)
        st.session_state[_RESTORED] = email, dict(typed)
        for key, value in typed.items():
            st.session_state.setdefault(key, value)


def _forget(email: str, key: str) -> None:
    if email in _kept:
        at, typed = _kept[email]
        _kept[email] = at, {name: value for name, value in typed.items() if name != key}


def _of(email: str, now: datetime) -> dict[str, str]:
    at, typed = _kept.get(email, (now, {}))
    return typed if now - at <= KEPT_FOR else {}
