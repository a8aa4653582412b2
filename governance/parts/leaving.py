"""What happens in each application when somebody leaves, on the overview: the worst first, the rest as one number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import streamlit as st

from governance.parts.links import link
from governance.parts.text import bold, dim, plain, small_row
from governance.provisioning.leaving import closing, staying
from governance.views.radar import Provisioned, WaysOut
from governance.views.words import count

_TONES: Final = {"good": ":green[✓]", "warn": ":orange[◆]", "bad": ":red[▲]"}
_ORDER: Final = ("bad", "warn", "good")
_SHOWN: Final = 5


def leaving_strip(found: list[Provisioned], ways: WaysOut) -> None:
    """How many applications close what leavers held, which do not, and how many JIT-born accounts have a way out."""
    seen = [one for one in found if one.leaving is not None and one.said is not None]
    if not seen and not ways.born:
        return
    tones = [one.leaving.tone for one in seen if one.leaving]
    with st.container(border=True, gap="xsmall"):
        head = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
        head.subheader("When somebody leaves", anchor=False, width="content")
        with head:
            link("applications", "All applications")
        st.markdown(small_row(tally_of(tones, len(found) - len(seen))))
        for one in _worst(seen):
            if one.leaving:
                rest = dim(closing(one.leaving))
                sign = _TONES[one.leaving.tone]
                st.markdown(f"{sign} {bold(one.title)}\u2003{plain(staying(one.leaving))}\u2003:small[{rest}]")
        st.markdown(_out(ways))


def tally_of(tones: Sequence[str], unseen: int) -> list[str]:
    """In how many applications which became of leavers' accounts: what was seen, not what could be closed from here."""
    words = {
        "good": "every leaver's account was closed without Leaverwatch",
        "warn": "not every one was",
        "bad": "most stay",
    }
    parts = [
        f"{_TONES[tone]} in {plain(count(tones.count(tone), 'application', 'applications'))} {words[tone]}"
        for tone in reversed(_ORDER)
        if tone in tones
    ]
    return [*parts, dim(f"? in {unseen} too few have left to tell")] if unseen else parts


def _worst(seen: list[Provisioned]) -> list[Provisioned]:
    """Those where accounts stay, most first."""
    open_ = [one for one in seen if one.leaving and one.leaving.tone != "good"]
    return sorted(
        open_,
        key=lambda one: (_ORDER.index(one.leaving.tone), -one.leaving.still, one.title) if one.leaving else (9, 0, ""),
    )[:_SHOWN]


def _out(ways: WaysOut) -> str:
    if ways.share is None:
        return f":small[{dim('No account is known to be made by a sign-in (JIT).')}]"
    share = f"{ways.share:.0f} %"
    return (
        f"{bold(share)} of {plain(f'{ways.born:,}')} accounts made by a sign-in (JIT) have a removal path"
        f" :small[{dim('a push that reaches them, or a credential that closes them from here')}]"
    )
