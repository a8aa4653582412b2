"""Notices that did not arrive, where an admin looks anyway."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Final

import streamlit as st

from governance import notices
from governance.access import Actor, Verb, may
from governance.house import House
from governance.parts.acting import attempt
from governance.parts.notes import note
from governance.parts.text import bold, dim, plain, warm
from governance.views.notices import undelivered
from governance.views.words import count

_SHOWN: Final = 5


def undelivered_card(house: House, actor: Actor, now: datetime) -> None:
    """What failed and what is tried again, with why; nothing where no channel is configured and nothing ever was."""
    found = undelivered(house)
    if not house.settings.notify.channel and not found.failed:
        return
    with st.container(border=True, key="notices"):
        st.subheader("Notices", anchor=False)
        waits = f"; {count(found.waiting, 'waits', 'wait')} for the time it is wanted" if found.waiting else ""
        if not found.shown:
            st.markdown(f":small[:green[✓] Everything was delivered{waits}.]")
            return
        parts = [warm(f"{found.failed:,} not delivered")] if found.failed else []
        parts += [f"{found.retried:,} tried again by themselves"] if found.retried else []
        st.markdown(f":small[{' and '.join(parts)}{waits}.]")
        for told in found.shown[:_SHOWN]:
            sign = ":red[▲]" if told.status == "failed" else ":orange[◆]"
            st.markdown(
                f":small[{sign} {bold(told.title)} to {plain(told.receiver)}: {plain(told.error)}"
                f" {dim(told.tried(now))}]"
            )
        rest = found.failed + found.retried - sum(told.number for told in found.shown[:_SHOWN])
        if rest:
            note(f"{rest:,} more: `leaverwatch notices list`")
        if found.failed_ids and may(actor, Verb.RUN) and st.button("Try again", key="notices-again"):
            attempt(partial(notices.again, house, actor, now, found.failed_ids), "They are sent within half a minute")
