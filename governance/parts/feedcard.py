"""One feed as a card: what is wrong with it first, what happens when somebody leaves last."""

from __future__ import annotations

from datetime import datetime

import streamlit as st

from governance import findings
from governance.access import Actor, Verb, may
from governance.house import House
from governance.parts.acting import attempt
from governance.parts.notes import note
from governance.parts.radar import radar_mark
from governance.parts.severity import chip
from governance.parts.strips import PROVENANCE, pull_strip, share_bar
from governance.parts.text import bold, dim, plain, small_row
from governance.views.applications import Card, Source, leaving, observed
from governance.views.freshness import Feed
from governance.views.words import UNKNOWN, count

_TROUBLE = {
    "never": ("? Never read", "gray"),
    "held": ("◆ Held by a guard", "orange"),
    "failed": ("▲ Last pull failed", "red"),
    "refused": ("▲ Credential refused", "red"),
    "outdated": ("◆ Outdated", "orange"),
}
_WAYS = {"jit": "JIT", "scim": "SCIM"}
TONES = {"good": ":green[✓]", "warn": ":orange[◆]", "bad": ":red[▲]"}


def application_card(house: House, actor: Actor, now: datetime, card: Card) -> None:
    """One application: met first is what is wrong with it, last what happens when somebody leaves."""
    with st.container(border=True, height="stretch", gap="xsmall"):
        number = f"{card.accounts:,}" if card.accounts is not None else UNKNOWN
        _head(card.title, card.feed, f"{bold(number)} :small[accounts]")
        marks = [f":green[✓] {title}" if told else dim(f"– {title}") for title, told in card.ticks]
        st.markdown(small_row(marks))
        _born(card)
        pull_strip(card.pulls)
        note(_pulled(card.pulls, card.feed))
        if card.credential:
            st.markdown(f":orange[!] {plain(card.credential[0].upper() + card.credential[1:])}.")
        if card.provisioned:
            radar_mark(card.provisioned)
        leaving_lines(card)
        _buttons(house, actor, now, card.name)


def leaving_lines(card: Card) -> None:
    """What real leavers show first; below it, or alone where too few were seen, what is set up to happen."""
    promise, promised = leaving(card)
    seen = observed(card)
    if seen is None:
        text = plain(promise)
        held = card.provisioned.leaving.leavers if card.provisioned and card.provisioned.leaving else 0
        few = f"not yet seen: {count(held, 'leaver', 'leavers')} held an account; as it is set up"
        st.markdown(f":small[{dim(f'When somebody leaves, {few}' if card.provisioned else 'When somebody leaves')}]")
        st.markdown(f"{TONES[promised]} {f':red[{text}]' if promised == 'bad' else text}")
        return
    said, tone = seen
    text = plain(said)
    st.markdown(f":small[{dim('When somebody leaves')}]  \n{TONES[tone]} {f':red[{text}]' if tone == 'bad' else text}")
    said = promise.removeprefix("Nothing happens by itself. ")
    note(f"From here: {plain(said[0].lower() + said[1:])}")


def source_card(house: House, actor: Actor, now: datetime, source: Source) -> None:
    """One source of truth."""
    with st.container(border=True, height="stretch", gap="xsmall"):
        last = source.last
        _head(source.title, source.feed, f"{bold(f'{last.kept:,}')} :small[rows]" if last else bold(UNKNOWN))
        st.markdown(":blue[◆] Source of truth: decides who works here")
        if last:
            note(f"{last.rows_read:,} rows read, {last.duplicates:,} duplicate, {last.rejected:,} rejected")
        pull_strip(source.pulls)
        note(_pulled(source.pulls, source.feed))
        means = next((s.absence_means for s in house.settings.source if s.name == source.name), "suspicion")
        said = (
            "A missing row means that somebody left."
            if means == "leaver"
            else "A missing row is a suspicion, never a leaver."
        )
        sign = ":green[✓]"
        if source.feed.doubt:
            sign, said = ":orange[◆]", source.feed.doubt.says
        st.markdown(f":small[{dim('When a row is missing')}]  \n{sign} {plain(said)}")
        _buttons(house, actor, now, source.name)


def _head(title: str, feed: Feed, number: str) -> None:
    trouble = "held" if feed.held else "failed" if feed.failed else feed.state
    word, colour = _TROUBLE.get("refused" if feed.quarantined else trouble, ("✓ Connected", "green"))
    line = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="top", wrap=False)
    line.markdown(f":gray-badge[{plain(title[:2])}] {bold(title)} {chip(word, colour)}", width="stretch")
    line.markdown(number, width="content")


def _born(card: Card) -> None:
    born = {name: n for name, n in sorted(card.provenance.items(), key=lambda item: -item[1]) if n}
    if born:
        share_bar(born)
        words = {name: _WAYS.get(name, name) if name in PROVENANCE else "unknown" for name in born}
        note(", ".join(f"{n:,} {plain(words[name])}" for name, n in born.items()))
    else:
        note("How its accounts came to be is unknown")


def _pulled(pulls: list[str], feed: Feed) -> str:
    if not pulls:
        return "no pull yet"
    bad = sum(status != "ok" for status in pulls)
    quality = "all good" if not bad else f"{bad} not good"
    age = "never read" if feed.age is None else f"data {feed.age_text} old"
    return f"{count(len(pulls), 'pull', 'pulls')}, {quality} · {plain(age)}"


def _buttons(house: House, actor: Actor, now: datetime, name: str) -> None:
    row = st.container(horizontal=True)
    row.button("Details", key=f"feed-{name}", on_click=_show, args=(name,), type="tertiary")
    if may(actor, Verb.RUN) and row.button("Pull now", key=f"pull-{name}", type="tertiary", icon=":material/sync:"):
        attempt(
            lambda: findings.ask(house, actor, now, "pull", {"feeds": [name]}), "Asked: the worker pulls within seconds"
        )


def _show(name: str) -> None:
    st.query_params["feed"] = name
