"""Two small pictures drawn from numbers alone: thirty pulls as a strip, and shares as a bar."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import streamlit as st

_COLOURS: Final = {"ok": "#2f9e44", "held": "#d9a400", "failed": "#d92d20"}
_WORDS: Final = {"ok": "good", "held": "held by a guard", "failed": "failed"}
_UNKNOWN: Final = "#868e9d"
PROVENANCE: Final = {
    "jit": "#4263eb",
    "scim": "#0c8599",
    "invited": "#868e96",
    "imported": "#1098ad",
    "local": "#868e96",
}


def pull_strip(pulls: Sequence[str], most: int = 30) -> None:
    """The last pulls, oldest left; an empty place is a pull that did not happen yet."""
    step, width = 10.4, 8.4
    blank = most - len(pulls)
    marks = [
        f'<rect x="{(blank + place) * step:.1f}" y="1" width="{width}" height="12" rx="1.5"'
        f' fill="{_COLOURS.get(status, _UNKNOWN)}" opacity=".82"/>'
        for place, status in enumerate(pulls)
    ]
    marks += [
        f'<rect x="{place * step:.1f}" y="1" width="{width}" height="12" rx="1.5" fill="{_UNKNOWN}" opacity=".14"/>'
        for place in range(blank)
    ]
    counts = ", ".join(f"{pulls.count(s)} {word}" for s, word in _WORDS.items() if s in pulls) or "none yet"
    _svg("".join(marks), most * step, 14, f"The last {len(pulls)} pulls: {counts}")


def share_bar(shares: dict[str, int]) -> None:
    """Shares of a whole; unknown is hatched."""
    whole = sum(shares.values())
    if not whole:
        return
    width, at, marks = 312.0, 0.0, []
    for name, number in shares.items():
        length = width * number / whole
        fill = PROVENANCE.get(name, "url(#unknown)")
        marks.append(f'<rect x="{at:.1f}" y="1" width="{max(0.0, length - 1.5):.1f}" height="7" rx="1" fill="{fill}"/>')
        at += length
    hatch = (
        f'<defs><pattern id="unknown" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
        f'<line x1="0" y1="0" x2="0" y2="4" stroke="{_UNKNOWN}" stroke-width="1.6"/></pattern></defs>'
    )
    said = ", ".join(f"{number} {name if name in PROVENANCE else 'unknown'}" for name, number in shares.items())
    _svg(hatch + "".join(marks), width, 9, f"How the accounts came to be: {said}")


def _svg(inside: str, width: float, height: float, said: str) -> None:
    # An image, because a page keeps no drawing in its text; it holds numbers and our own words, never a name.
    st.image(
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}"'
        f' height="{height:.0f}">{inside}</svg>',
        width="stretch",
        alt=said,
    )
