"""The Streamlit script: navigation by role, who is there, the clock, the guard banner, and a page that fails.

Besides the jobs this is the only part that reads the clock, once for every run of the script.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import streamlit as st
from ulid import ULID

from governance.access import ONLY_DECIDE, Actor
from governance.errors import LeaverwatchError
from governance.house import House, installed
from governance.pages import GROUPS, Page, Render, all_pages
from governance.parts.acting import inside, say_after, say_what_was_done
from governance.parts.clock import set_clock
from governance.parts.colours import dark
from governance.parts.held import held_banner
from governance.parts.links import can_open, link, remember_links
from governance.parts.present import present
from governance.parts.sign_in import outside
from governance.parts.text import bold, plain
from governance.parts.unsent import keep_typed, put_back
from governance.parts.visitor import visitor
from governance.sessions import Out

log = logging.getLogger("leaverwatch.pages")
STATIC: Final = Path(__file__).parent / "static"
# All the style there is: a padding nothing configures, a caption in metrics that is too pale to read (4.3 : 1), a ring
# around the link or title that has the keyboard's focus, as a link's own shade is too pale to see (1.1 : 1), who acts
# in the header, where nothing can be put otherwise, the chosen one of several, whose accent on dark ground is too dark
# to read (3.7 : 1), the key drawn in a button as a key, an empty box that can be seen (1.3 : 1), the headings of cards
# beside each other at one height, what a guard holds below the header and not behind it, no gap for what only moves the
# eye, and on a phone no chart between a reviewer and their rows, a line under each wide table that says how to see the
# rest of it, and none of the tools that lie over the words above a table wherever nothing hovers. Links to headings
# inside a page, and lines of facts that could be scrolled, would only be stops for whoever goes by keys.
STYLE: Final = (
    "<style>.stMainBlockContainer { padding-left: 2rem; padding-right: 2rem }"
    " [data-testid=stMetric] [data-testid=stCaptionContainer] { opacity: 1 }"
    " :is(h1, [data-testid^=stSidebarNavLink], [data-testid^=stTopNavLink], [data-testid^=stPageLink]):focus-visible"
    " { outline: 2px solid #5570e6; outline-offset: -2px }"
    " :has(> [class*=st-key-sideways]) { display: none } [class*=into-view] { position: absolute }"
    " [data-variant][data-selected=true] p { color: light-dark(#2f49b8, #91a7ff) }"
    " [data-testid^=stBaseButton] code { color: inherit; background: none;"
    " border: 1px solid color-mix(in srgb, currentColor 40%, transparent) }"
    " [data-testid=stCheckbox] label:not([data-selected]) > div:first-of-type"
    " { border-color: color-mix(in srgb, currentColor 50%, transparent) }"
    " [data-testid=stElementContainer]:first-child > [data-testid=stHeading] h3 { padding-top: 0 }"
    " [data-testid=stHeaderActionElements] { display: none }"
    " .st-key-facts [data-testid=stHorizontalBlock] { overflow: visible }"
    " @media (hover: none) { [data-testid=stElementToolbar] { display: none } }"
    " .st-key-visitor { position: fixed; top: .5rem; right: 1rem; width: auto; z-index: 999991; gap: .5rem }"
    " @media (min-width: 641px) { [class*=st-key-held-] { margin: 1.75rem 0 .75rem } }"
    " @media (max-width: 640px) { .st-key-visitor .st-key-acting-as { width: 40vw !important; flex: 0 0 40vw }"
    " .st-key-fresh button p { display: none } .st-key-pace { display: none }"
    " :has(> [class*=st-key-sideways]) { display: flex } }</style>"
)
UNCHANGED: Final = "Nothing was changed by it."


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
    """What stands around every page, and the page; nothing of either while nobody may look."""
    set_clock(clock)
    who = present(house, now)
    if isinstance(who, Out):
        keep_typed(who.email, now)
        remember_links({})
        closed = [_closed(name, page, house, who, now) for name, (page, _) in all_pages().items()]
        st.navigation([*closed, *_nowhere(lambda: outside(house, who, now))], position="hidden").run()
        return
    actor = who.actor
    put_back(actor.email if who.signed else "", now)
    pages = {name: page for name, page in all_pages().items() if page[0].roles & actor.roles}
    home = next(iter(pages))
    links = {
        name: _link(name, page, render, house, actor, now, first=name == home) for name, (page, render) in pages.items()
    }
    sections = {g: [links[n] for n, (page, _) in pages.items() if page.group == g] for g in GROUPS}
    remember_links(links)
    hidden = [
        _elsewhere(name, page, links[home])
        for name, (page, _) in all_pages().items()
        if name == home or name not in links
    ] + _nowhere(_no_page)
    if actor.roles <= ONLY_DECIDE:  # they have few pages, which stand above and not beside
        here = st.navigation([*links.values(), *hidden], position="top")
    else:
        shown = {group: found for group, found in sections.items() if found}
        last = next(reversed(shown))
        here = st.navigation({**shown, last: [*shown[last], *hidden]}, expanded=True)
    visitor(house, who, now)
    say_what_was_done()
    here.run()


def _closed(name: str, page: Page, house: House, out: Out, now: datetime) -> Any:
    """The same address with the way in, so that whoever signs in there finds the page they asked for."""
    return st.Page(lambda: outside(house, out, now), title="Sign in", url_path=name, default=page.order == 0)


def _elsewhere(name: str, page: Page, first: Any) -> Any:
    """An address that leads to the first page: that page's own name, or a page that is not open to this actor."""

    def draw() -> None:
        mine = page.title == first.title
        if not mine:
            say_after(f"The page {page.title} is not among yours")
        st.switch_page(first, query_params=st.query_params.to_dict() if mine else None)

    return st.Page(draw, title=page.title, url_path=name, visibility="hidden")


def _nowhere(draw: Callable[[], None]) -> list[Any]:
    """The address that was asked for where no page has it, so that the reader is told so in their own words."""
    asked = unquote(urlsplit(st.context.url or "").path).rstrip("/").rpartition("/")[2].strip()
    unknown = asked.isprintable() and asked not in {"", *all_pages()}
    return [st.Page(draw, title="No such page", url_path=asked, visibility="hidden")] if unknown else []


def _no_page() -> None:
    st.title("No such page", anchor=False)
    st.header("Nothing stands at this address: it was mistyped, or the page is called otherwise now.", anchor=False)
    link(next(name for name in all_pages() if can_open(name)), "To the first page", ":material/arrow_back:")


def _link(name: str, page: Page, render: Render, house: House, actor: Actor, now: datetime, *, first: bool) -> Any:
    def draw() -> None:
        _drawn(name, page, render, house, actor, now)

    return st.Page(draw, title=page.title, icon=page.icon, url_path="" if first else name, default=first)


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
        if inner := inside(error):  # the operator finds in the log what the reader must not see
            log.error("incident %s: %s", incident, error)
        why = inner or (plain(f"{str(error).rstrip('.')}.") if isinstance(error, LeaverwatchError) else UNCHANGED)
        st.error(
            f"{plain(title)} cannot be shown now. {why} Incident {bold(incident)} is in the log.",
            icon=":material/error:",
        )
        st.button("Try again", key="try-again")


if __name__ == "__main__":
    main()
