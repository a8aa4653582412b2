"""The lifecycle of one identity: lanes of accounts, and in red what could still be used after leaving."""

from __future__ import annotations

import textwrap
from datetime import datetime
from typing import TYPE_CHECKING, Any

import streamlit as st

from governance.parts.colours import Palette, palette
from governance.parts.notes import note
from governance.views.lifecycle import Lane, Lifecycle
from governance.views.words import day

if TYPE_CHECKING:
    import plotly.graph_objects as go

ROW = 26
WRAP = 60  # characters of a line that appears over a bar


def timeline(life: Lifecycle) -> None:
    """Months before leaving left, days after it right: on one scale the days would be a sliver."""
    if not life.lanes:
        note("No account of this identity is known, so there is nothing to draw.")
        return
    still = sum(lane.open for lane in life.lanes)
    said = f"{still} of {len(life.lanes)} accounts can still be used"
    st.plotly_chart(
        _figure(life),
        key="lifecycle",
        config={"displayModeBar": False},
        alt=f"Lifecycle of accounts. {said}{f', left {day(life.left, life.now)}' if life.left else ''}",
    )
    if life.left:
        note("The scale changes at leaving: before it left, after it right. Diamonds are last uses after leaving.")


def _figure(life: Lifecycle) -> go.Figure:
    import plotly.graph_objects as go

    colours, figure = palette(), go.Figure()
    split = 0.64 if life.left else 1.0
    # Two accounts in one application need two lanes: an invisible space keeps their names apart.
    labels = [_safe(lane.label) + "\u200b" * place for place, lane in enumerate(life.lanes)]
    for label, lane in zip(labels, life.lanes, strict=True):
        for part in _parts(life, lane, colours):
            figure.add_trace(go.Bar(y=[label], orientation="h", width=0.56, showlegend=False, **part))
    _marks(figure, life, labels, colours)
    _lines(figure, life, colours)
    axis = {
        "type": "date",
        "gridcolor": colours.grid,
        "zeroline": False,
        "tickangle": 0,
        "ticklabeloverflow": "hide past domain",  # where the two scales meet the last month would lie on the first day
        "tickfont": {"size": 11, "color": colours.text_dim},
    }
    figure.update_layout(
        height=60 + ROW * len(life.lanes),
        margin={"l": 4, "r": 8, "t": 26, "b": 4},
        barmode="overlay",
        plot_bgcolor="rgba(0,0,0,0)",
        paper_bgcolor="rgba(0,0,0,0)",
        font={"family": "Inter, sans-serif", "size": 11.5, "color": colours.text},
        xaxis={
            **axis,
            "domain": [0, split],
            "range": [_ms(life.begin), _ms(life.left or life.now)],
            "nticks": 6,
            "tickformat": "%b" if life.begin.year == life.now.year else "%b %Y",
        },
        yaxis={
            "autorange": "reversed",
            "automargin": True,
            "showgrid": False,
            "tickfont": {"size": 12, "color": colours.text},
        },
        hovermode="closest",
    )
    if life.left:
        figure.update_layout(
            xaxis2={
                **axis,
                "domain": [split, 1],
                "range": [_ms(life.left), _ms(life.now)],
                "anchor": "y",
                "nticks": 6,
                "tickformat": "%-d %b",
            },
            shapes=[*figure.layout.shapes, _zone(split, colours)],
        )
    return figure


def _parts(life: Lifecycle, lane: Lane, colours: Palette) -> list[dict[str, Any]]:
    """A lane's bar before leaving, and the one after it."""
    found: list[dict[str, Any]] = []
    cut = min(lane.end, life.left) if life.left else lane.end
    said = f"{lane.label}: {'since' if lane.begin_known else 'at least since'} {day(lane.begin, life.now)}"
    if lane.came:
        said += f". {lane.came}"
    if cut > lane.begin:
        found.append(_bar(lane.begin, cut, "x", colours.accent_soft, colours.accent_soft, said))
    if life.left and lane.end > life.left:
        fill, edge = (
            (colours.critical_soft, colours.critical) if lane.open else (colours.accent_soft, colours.accent_soft)
        )
        text = f"{lane.label}: {'can still be used' if lane.open else lane.closed_how}"
        found.append(_bar(max(lane.begin, life.left), lane.end, "x2", fill, edge, text))
    return found


def _bar(begin: datetime, end: datetime, axis: str, fill: str, edge: str, said: str) -> dict[str, Any]:
    return {
        "base": [_ms(begin)],
        "x": [_ms(end) - _ms(begin)],
        "xaxis": axis,
        "marker": {"color": fill, "line": {"color": edge, "width": 1}},
        "hovertemplate": f"{'<br>'.join(_safe(line) for line in textwrap.wrap(said, WRAP))}<extra></extra>",
    }


def _marks(figure: go.Figure, life: Lifecycle, labels: list[str], colours: Palette) -> None:
    import plotly.graph_objects as go

    for label, lane in zip(labels, life.lanes, strict=True):
        after = bool(life.left and lane.last_use and lane.last_use > life.left)
        axis = "x2" if after else "x"
        if lane.last_use is not None and lane.last_use >= life.begin:
            colour, edge = (colours.critical, colours.panel) if after else (colours.accent, colours.accent)
            marker = {"symbol": "diamond" if after else "line-ns-open", "size": 12, "color": colour,
                      "line": {"width": 1.5, "color": edge}}  # fmt: skip
            hover = f"{_safe(lane.label)}: last used {day(lane.last_use, life.now)}<extra></extra>"
            figure.add_trace(go.Scatter(x=[_ms(lane.last_use)], y=[label], xaxis=axis, mode="markers", marker=marker,
                                        showlegend=False, hovertemplate=hover))  # fmt: skip
        if life.left:
            text, colour = _said(lane, after, colours)
            # Up to the right edge, or to the last use: after leaving a phone has no room for the words, and would cut
            # their end. What they lie upon there would make them hard to read.
            end = {"x": _ms(lane.last_use), "xref": "x2", "xshift": -9} if after and lane.last_use else {}
            ground = colours.panel if lane.open else "rgba(0,0,0,0)"
            place = {"x": 1, "xref": "paper"} | end
            figure.add_annotation(y=label, text=_safe(text), showarrow=False, xanchor="right", bgcolor=ground,
                                  borderpad=1, font={"size": 10.5, "color": colour}, **place)  # fmt: skip


def _said(lane: Lane, after: bool, colours: Palette) -> tuple[str, str]:
    if not lane.open:
        return f"✓ {lane.closed_how}", colours.good if lane.closed_how == "closed and verified" else colours.text_dim
    if not lane.last_use_known:
        return "active, last use not told", colours.critical_text
    return ("active, used after leaving" if after else "active, not used since"), colours.critical_text


def _lines(figure: go.Figure, life: Lifecycle, colours: Palette) -> None:
    """When they were hired, moved and left; an explicit colour each, so that it shows in the dark too."""
    marks = [("Hired", life.hired, colours.text_dim, "dot"), ("Moved", life.moved, colours.text_dim, "dot")]
    if life.left:
        marks.append(("Left", life.left, colours.critical, "solid"))
    for word, at, colour, dash in marks:
        if at is None or at < life.begin or at > (life.left or life.now):
            continue
        figure.add_shape(type="line", x0=_ms(at), x1=_ms(at), xref="x", y0=0, y1=1, yref="paper",
                         line={"color": colour, "width": 2 if dash == "solid" else 1, "dash": dash})  # fmt: skip
        end = word == "Left"
        figure.add_annotation(x=_ms(at), xref="x", y=1, yref="paper", yanchor="bottom", showarrow=False,
                              text=f"{word} {day(at, life.now)}", xanchor="left", xshift=4 if end else 0,
                              font={"size": 11, "color": colours.critical_text if end else colours.text})  # fmt: skip


def _zone(split: float, colours: Palette) -> dict[str, Any]:
    return {"type": "rect", "xref": "paper", "yref": "paper", "x0": split, "x1": 1, "y0": 0, "y1": 1,
            "fillcolor": colours.critical, "opacity": 0.07, "line": {"width": 0}, "layer": "below"}  # fmt: skip


def _ms(at: datetime) -> float:
    return at.timestamp() * 1000


def _safe(text: str) -> str:
    """Plotly understands a little HTML and its own placeholders: neither may come from a name."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("%{", "% {")
