"""Facts as numbered lines, each with who says so and how old that is."""

from __future__ import annotations

import streamlit as st

from governance.parts.notes import note, note_in
from governance.parts.text import dim, plain
from governance.views.evidence import Fact


def fact_list(facts: list[Fact]) -> None:
    """Numbered facts; the source and its age stand right of each."""
    if not facts:
        note("No facts were kept with this finding.")
    lines = st.container(gap="xxsmall", key="facts")
    for number, fact in enumerate(facts, 1):
        line = lines.container(horizontal=True, vertical_alignment="top", gap="xsmall", wrap=False)
        line.markdown(f":small[:gray-badge[{number}]]", width=24)
        line.markdown(f":small[{_shortened(fact)}]", width="stretch")
        note_in(line, f"{plain(fact.source)}  \n{plain(fact.age)}", width=92, text_alignment="right")


def fact_lines(facts: list[Fact]) -> None:
    """The same facts for narrow cards: who says so and how old that is follow each."""
    with st.container(gap="xxsmall"):
        for fact in facts:
            whose = ", ".join(part for part in (fact.source, fact.age) if part)  # policy has no age
            st.markdown(f":small[{_shortened(fact)} {dim(f'· {whose}')}]")


def _shortened(fact: Fact) -> str:
    """The fact without the name of its source in front: that stands beside it."""
    text = fact.text.removeprefix(f"{fact.source}: ")
    return plain(text[:1].upper() + text[1:])


def fact_row(facts: list[tuple[str, str]]) -> None:
    """A few facts beside each other: what it is in grey, what it is worth below. Values are plain text."""
    grid = st.grid(len(facts), min_column_width=140, gap="small")
    for name, value in facts:
        with grid:
            st.markdown(f":small[{dim(name)}]  \n{plain(value)}")
