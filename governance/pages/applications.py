"""Applications: what each one tells, how its pulls went, and what happens there when somebody leaves."""

from __future__ import annotations

from datetime import datetime

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from governance.access import Actor, Verb, may
from governance.house import House
from governance.pages import ADMIN, APPROVER, AUDITOR, OWNER, SECURITY, Page
from governance.parts.coverage import coverage_matrix
from governance.parts.feedcard import application_card, source_card
from governance.parts.feeddetail import feed_detail
from governance.parts.filters import status_tabs
from governance.parts.links import go
from governance.parts.opening import opening
from governance.parts.population import population_statement
from governance.parts.text import bold, hot, plain, warm
from governance.views import applications
from governance.views.applications import Card, Source
from governance.views.coverage import coverage
from governance.views.population import population
from governance.views.words import UNKNOWN, count

PAGE = Page("Applications", ":material/apps:", "Operate", 4, frozenset({ADMIN, SECURITY, OWNER, APPROVER, AUDITOR}))


def render(house: House, actor: Actor, now: datetime) -> None:
    """The sentence, the sources of truth, a card for each application, and the last pull of the one chosen."""
    with st.skeleton(height=560):
        cards, sources = applications.cards(house, now), applications.sources(house, now)
    if chosen := _chosen(cards, sources):
        _one(house, actor, now, chosen)
        return
    opening(house, now, "Applications", _sentence(cards), action=_add if may(actor, Verb.CONFIGURE) else None)
    labels = {
        "all": f"All {len(cards)}",
        "trouble": f"In trouble {sum(card.trouble is not None for card in cards)}",
        "manual": f"Closed by hand {sum(card.closing.how == 'task' for card in cards)}",
    }
    row = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
    scope = status_tabs(row, "scope", labels)
    row.markdown(":small[:green[■] good pull\u2003:orange[■] held by a guard\u2003:red[■] failed]", width="content")
    feeds = f"{count(len(cards), 'application', 'applications')} and {count(len(sources), 'source', 'sources')}"
    population_statement(population(house, now), f"{feeds}, with")
    if not cards and not sources:
        with st.container(border=True):
            st.markdown(
                "No feed is configured: connect one, or add `[[source]]` and `[[application]]` to `leaverwatch.toml`."
            )
        return
    shown = [
        c for c in cards if scope == "all" or (c.trouble is not None if scope == "trouble" else c.closing.how == "task")
    ]
    grid = st.grid(3, min_column_width=300, gap="small")
    for source in sources if scope == "all" else []:
        with grid:
            source_card(house, actor, now, source)
    for card in shown:
        with grid:
            application_card(house, actor, now, card)
    gaps = status_tabs(st.container(horizontal=True), "coverage", {"gaps": "Rules with gaps", "every": "All rules"})
    coverage_matrix(coverage(house, now), gaps_only=gaps == "gaps")


def _sentence(cards: list[Card]) -> str:
    if not cards:
        return "No application is connected yet, so no account is looked at."
    accounts = [card.accounts for card in cards]
    held = f"{sum(n or 0 for n in accounts):,}" if any(n is not None for n in accounts) else UNKNOWN
    here = sum(card.closing.how == "call" for card in cards)
    task = sum(card.closing.how == "task" and bool(card.owner) for card in cards)
    nobody = sum(card.closing.how == "task" and not card.owner for card in cards)
    parts = [f"Accounts can be closed from here in {bold(here)}", f"by a task to the owner in {bold(task)}"]
    if nobody:
        parts.append(hot(f"by nobody in {nobody}"))
    blind = sum(not card.closing.provable for card in cards)
    if blind:
        parts.append(warm(f"not to be verified in {blind}"))
    first = f"{plain(count(len(cards), 'application holds', 'applications hold'))} {bold(held)} accounts"
    return f"{first}. {', '.join(parts)}."


def _add(place: DeltaGenerator) -> None:
    if place.button("Add application", type="primary"):
        go("connect")


def _chosen(cards: list[Card], sources: list[Source]) -> Card | Source | None:
    feeds: list[Card | Source] = [*cards, *sources]
    return next((feed for feed in feeds if feed.name == st.query_params.get("feed")), None)


def _one(house: House, actor: Actor, now: datetime, feed: Card | Source) -> None:
    """One feed from near, under its own name."""
    number = feed.accounts if isinstance(feed, Card) else feed.last.kept if feed.last else None
    held = bold(UNKNOWN if number is None else f"{number:,}")
    what = "accounts" if isinstance(feed, Card) else "rows about people"
    age = "never read" if feed.feed.age is None else f"data {feed.feed.age_text} old"
    opening(
        house, now, feed.title, f"{held} {what}, {age}{warm(', outdated') if feed.feed.state == 'outdated' else ''}."
    )
    row = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
    row.button("All applications", type="tertiary", icon=":material/arrow_back:", on_click=st.query_params.clear)
    if may(actor, Verb.CONFIGURE) and row.button("Change its settings", icon=":material/edit:", key="change"):
        go("connect", change=feed.name)
    feed_detail(house, actor, now, feed)
