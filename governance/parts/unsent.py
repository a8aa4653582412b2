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
    """What was kept for this person stands in its fields again, once in each tab."""
    if not email or st.session_state.get(_RESTORED) == email or not is_kept(email, now):
        return
    st.session_state[_RESTORED] = email
    for key, value in _of(email, now).items():
        st.session_state.setdefault(key, value)


def _of(email: str, now: datetime) -> dict[str, str]:
    at, typed = _kept.get(email, (now, {}))
    return typed if now - at <= KEPT_FOR else {}
