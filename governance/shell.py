"""The Streamlit script: navigation by role, the actor, the clock, the guard banner, and the words of a page that fails.

Besides the jobs this is the only part that reads the clock, once for every run of the script.
"""

from __future__ import annotations

import ipaddress
import logging
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import streamlit as st
from streamlit.delta_generator import DeltaGenerator
from ulid import ULID

from governance.access import Actor, find_actor
from governance.errors import LeaverwatchError, NotAllowed
from governance.house import House, installed
from governance.pages import GROUPS, Page, Render, all_pages
from governance.parts.acting import say_what_was_done
from governance.parts.clock import set_clock
from governance.parts.colours import dark
from governance.parts.held import held_banner
from governance.parts.links import remember_links
from governance.parts.notes import note
from governance.parts.text import bold, plain
from governance.views import runs

log = logging.getLogger("leaverwatch.pages")
STATIC: Final = Path(__file__).parent / "static"
# All the style there is: a padding nothing configures, and a caption in metrics that is too pale to read (4.3 : 1).
STYLE: Final = (
    "<style>.stMainBlockContainer { padding-left: 2rem; padding-right: 2rem }"
    " [data-testid=stMetric] [data-testid=stCaptionContainer] { opacity: 1 }</style>"
)
DECIDERS: Final = frozenset({"manager", "approver"})  # who only decides has few pages: they stand above, not beside
ACTING: Final = "acts as"
READER: Final = Actor(email="", name="Reader", roles=frozenset({"auditor"}))


def clock() -> datetime:
    """The time now, in UTC."""
    return datetime.now(UTC)


def main() -> None:
    """Draw the page the address asks for, as the actor chosen, at one instant."""
    st.set_page_config("Leaverwatch", str(STATIC / "icon.svg"), layout="wide", initial_sidebar_state=224)
    st.logo(str(STATIC / f"logo-{'dark' if dark() else 'light'}.svg"), size="large")
    st.html(STYLE)
    with _excused("shell", "The dashboard"):
        _frame(installed(), clock())


def _frame(house: House, now: datetime) -> None:
    """What stands around every page, and the page."""
    set_clock(clock)
    actor = _chosen_actor(house)
    pages = {name: page for name, page in all_pages().items() if page[0].roles & actor.roles}
    links = {name: _link(name, page, render, house, actor, now) for name, (page, render) in pages.items()}
    sections = {g: [links[n] for n, (page, _) in pages.items() if page.group == g] for g in GROUPS}
    remember_links(links)
    if actor.roles <= DECIDERS:
        here = st.navigation(list(links.values()), position="top")
        say_what_was_done()
        here.run()
        _acting_as(house, actor, st.container(horizontal=True, vertical_alignment="bottom", key="foot"))
        return
    here = st.navigation({group: found for group, found in sections.items() if found}, expanded=True)
    with st.sidebar:
        st.space("small")
    _acting_as(house, actor, st.sidebar)
    say_what_was_done()
    here.run()


def _link(name: str, page: Page, render: Render, house: House, actor: Actor, now: datetime) -> Any:
    def draw() -> None:
        _drawn(name, page, render, house, actor, now)

    return st.Page(draw, title=page.title, icon=page.icon, url_path=name, default=page.order == 0)


def _drawn(name: str, page: Page, render: Render, house: House, actor: Actor, now: datetime) -> None:
    """The guard banner and the page."""
    with _excused(name, page.title):
        held_banner(house, actor if actor.email else None, now)
        render(house, actor, now)


@contextmanager
def _excused(name: str, title: str) -> Iterator[None]:
    """One sentence and an incident id instead of a traceback; the log has both under the same id."""
    try:
        yield
    except Exception as error:  # noqa: BLE001 - whatever it is, a page must never show its inside
        incident = str(ULID())
        where = "".join(traceback.format_tb(error.__traceback__))  # places, never the values in a message
        log.error("incident %s on page %s: %s\n%s", incident, name, type(error).__name__, where)
        why = (
            f"{plain(str(error).rstrip('.'))}." if isinstance(error, LeaverwatchError) else "Nothing was changed by it."
        )
        st.error(
            f"{plain(title)} cannot be shown now. {why} Incident {bold(incident)} is in the log.",
            icon=":material/error:",
        )
        st.button("Try again", key="try-again")


def _chosen_actor(house: House) -> Actor:
    """Whom the reader acts as: only on this machine, while there is no sign-in; otherwise nobody, reading only."""
    known = [entry.email for entry in house.settings.actor]
    if not known or not _on_this_machine():
        return READER
    email = st.session_state.get(ACTING) or st.query_params.get("as")
    email = email if email in known else known[0]
    run = runs.last_run(house)
    key = ("actor", house.store.url, run.id if run else None, email, repr(house.settings.actor))
    people = run.table("identities") if run else None
    try:
        return runs.remembered(
            key, lambda: find_actor(house.settings, email, None if people is None else lambda: people)
        )
    except NotAllowed:
        return READER


def _act_as() -> None:
    st.session_state[ACTING] = st.session_state["acting-as"]  # outlives a run that ends before the choice is drawn


def _acting_as(house: House, actor: Actor, place: DeltaGenerator) -> None:
    with place:
        if not actor.email:
            note(
                "Read-only: there is no sign-in yet, and deciding is offered only where the dashboard is bound to this"
                " machine (127.0.0.1) and the settings name an actor."
            )
            return
        names = {entry.email: entry.name or entry.email for entry in house.settings.actor}
        st.selectbox(
            "Acting as",
            list(names),
            format_func=lambda email: names.get(email, email),
            index=list(names).index(actor.email) if actor.email in names else 0,
            key="acting-as",
            on_change=_act_as,
            width=220,
            help="Offered only on this machine, until sign-in exists.",
        )
        roles = ", ".join(sorted(role.replace("_", " ") for role in actor.roles)).capitalize()
        note(plain(roles) + ("  \n:orange[◆ has left and may not act]" if actor.left else ""))


def _on_this_machine() -> bool:
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


if __name__ == "__main__":
    main()
