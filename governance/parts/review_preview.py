"""A review as one of its reviewers would see it, before it begins: their rows in their list, and nothing to decide."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import streamlit as st

from governance.access import Actor
from governance.house import House
from governance.parts.notes import note
from governance.parts.pager import begin_again, ways_of
from governance.parts.review_grid import review_grid
from governance.parts.reviewing import harmless, place
from governance.parts.text import seen
from governance.views.previews import as_reviewer
from governance.views.reviews import SIZE
from governance.views.words import count


def review_preview(
    house: House,
    actor: Actor,
    now: datetime,
    scope: Mapping[str, Any],
    plan: Mapping[str, Any],
    reviewers: Mapping[str, int],
) -> None:
    """Choose one of the reviewers (e-mail -> items) and see their list; what the browser tells of it is not heard."""
    if not reviewers:
        return
    st.subheader("As a reviewer would see it", anchor=False)
    who = st.selectbox(
        "Reviewer",
        list(reviewers),
        index=None,
        format_func=lambda email: f"{seen(email)} ({count(reviewers.get(email, 0), 'item', 'items')})",
        placeholder="Choose a reviewer",
        key="preview-reviewer",
        on_change=begin_again,
    )
    if who is None:
        note("The rows they would be given now, in their list. Nothing is decided there and nobody is told.")
        return
    page = as_reviewer(house, actor, now, scope, plan, who, place())
    first = (page.at - 1) * SIZE + 1
    review_grid(
        f"preview {who}",
        [harmless(row) for row in page.rows],
        label=f"What {seen(who)} would decide",
        scope=f"preview {who} {page.at}",
        saved=(),
        closed=True,
        preview=True,
        first=first,
        total=page.total,
    )
    said = f"{first:,} to {first + len(page.rows) - 1:,} of {page.total:,}"
    ways_of(said, str(page.at - 1) if page.at > 1 else None, str(page.at + 1) if page.at < page.pages else None)
