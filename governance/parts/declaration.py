"""What a connector declares, beside the form that asks for its settings and under the card of a feed that uses it."""

from __future__ import annotations

from typing import Final

import streamlit as st

from governance.parts.notes import note
from governance.parts.text import bold, dim, plain
from governance.views.connecting import Declared
from governance.views.words import count

_CLOSES: Final = {
    "deactivate": "accounts",
    "revoke_grant": "entitlements",
    "end_sessions": "sessions",
    "credentials": "tokens",
}


def declaration(connector: Declared) -> None:
    """What it does and tells, what it cannot, the least it must be allowed, and what a licence hides."""
    with st.container(gap="small"):
        _list("What it does", [f":green[✓] {plain(words)}" for words in connector.can])
        told = [f":green[✓] {plain(words)}" for words in connector.tells]
        _list("What it tells", told + [_silent(words, rules) for words, rules in connector.silent.items()])
        _list("Least rights", [f"{dim(what)}  \n{plain(scopes)}" for what, scopes in connector.scopes])
        _list(
            "Which accounts" if connector.kind == "application" else "Which people",
            [_cover(*c) for c in connector.covers],
        )
        _list("Plans and licences", [f":orange[◆] {plain(text)}" for text in connector.plans])
        _list("What its pushes leave open", [f":orange[◆] {plain(text)}" for text in connector.manners])
        _list("Published limits", [f"{plain(text)}" for text in connector.limits])
        if connector.limits:
            note("Half of each is used at most, the rest is left to others (`limit_share`).")


def summary(connector: Declared, used: int) -> None:
    """One connector in three lines: its name, what it does besides reading, what it cannot tell."""
    line = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
    line.markdown(f":gray-badge[{plain(connector.title[:2])}] {bold(connector.title)}", width="content")
    if used:
        line.markdown(f":small[:green[✓ {used} in use]]", width="content")
    events = "events" in connector.capabilities
    reads = "Reads people" if connector.kind == "source" else "Reads accounts" + (" and events" if events else "")
    acts = ", ".join(words for capability, words in _CLOSES.items() if capability in connector.capabilities)
    note(f"{reads}.  \n{f'Closes {acts}.' if acts else 'Changes nothing.'}")


def _list(title: str, lines: list[str]) -> None:
    if lines:
        with st.container(gap="xxsmall"):
            st.markdown(f":small[{bold(title)}]")
            for line in lines:
                st.markdown(f":small[{line}]")


def _silent(words: str, rules: list[str]) -> str:
    """A dash is not an error: what hangs on it is said to be not evaluable, never guessed."""
    hang = f": {count(len(rules), 'rule is', 'rules are')} not evaluable ({', '.join(rules)})" if rules else ""
    return dim(f"– {words}{hang}")


def _cover(which: str, answer: str) -> str:
    text = which[:1].upper() + which[1:]
    if not answer:
        return plain(text)
    word, _, more = answer.partition(" ") if answer.startswith(("yes ", "no ")) else answer.partition(",")
    sign = ":green[✓]" if word == "yes" else ":gray[–]" if word == "no" else ":orange[◆]"
    said = more.strip() if word in ("yes", "no") else answer
    said = said[1:-1] if said.startswith("(") and said.endswith(")") else said
    return f"{sign} {plain(text)}" + (f" {dim(said)}" if said else "")
