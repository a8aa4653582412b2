"""What happens in each application when somebody leaves, on the overview: the worst first, the rest as one number."""

from __future__ import annotations

from typing import Final

import streamlit as st

from governance.parts.links import link
from governance.parts.text import bold, dim, plain, small_row
from governance.provisioning.leaving import closing, staying
from governance.views.radar import Provisioned, WaysOut

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
        words = {"good": "close everything", "warn": "close some", "bad": "close nothing"}
        parts = [f"{_TONES[tone]} {tones.count(tone)} {words[tone]}" for tone in reversed(_ORDER) if tone in tones]
        if unseen := len(found) - len(seen):
            parts.append(dim(f"? {unseen} not yet seen"))
        st.markdown(small_row(parts))
        for one in _worst(seen):
            if one.leaving:
                rest = dim(closing(one.leaving))
                sign = _TONES[one.leaving.tone]
                st.markdown(f"{sign} {bold(one.title)}\u2003{plain(staying(one.leaving))}\u2003:small[{rest}]")
        st.markdown(_out(ways))


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
