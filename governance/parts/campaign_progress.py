"""One campaign from near: how far it is, who reviews how, and what is done with it next."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from functools import partial

import pandas as pd
import streamlit as st

from governance import campaigns
from governance.access import Actor, Verb, may
from governance.errors import DecisionError
from governance.house import House
from governance.parts.acting import attempt
from governance.parts.campaign_charts import application_bars, burn_down_chart
from governance.parts.listing import sideways
from governance.parts.notes import note
from governance.parts.text import bold, plain
from governance.views.campaigns import Progress
from governance.views.words import UNKNOWN, count, day, moment, share


def campaign_progress(house: House, actor: Actor, now: datetime, seen: Progress) -> None:
    """Numbers, the way of the open items, the reviewers; on the right what can be done."""
    _numbers(seen, now)
    left, right = st.columns([1.7, 1], gap="small")
    with left:
        with st.container(border=True):
            burn_down_chart(seen, now)
        with st.container(border=True):
            _reviewers(seen)
        with st.container(border=True):
            application_bars(seen)
    with right:
        if seen.card.campaign.status == "running" and may(actor, Verb.CAMPAIGN):
            with st.container(border=True):
                _act(house, actor, now, seen)
        if seen.outcomes:
            with st.container(border=True):
                _outcome(seen)
        with st.container(border=True):
            statement(seen, now)


def _numbers(seen: Progress, now: datetime) -> None:
    card = seen.card
    flagged = sum(bool(q.flags) for q in seen.reviewers)
    grid = st.grid(4, min_column_width=200, gap="small")
    removals = sum(card.removals.values())
    due = card.campaign.due_at
    told = {
        "Decided": (share(card.decided, card.items), f"{card.decided:,} of {card.items:,}"),
        "Late": (
            f"{card.items - card.decided:,}" if card.overdue(now) else "0",
            f"due {day(due, now)}" if due else UNKNOWN,
        ),
        "Removals not proved": (f"{card.not_proved:,}", f"of {count(removals, 'removal', 'removals')}"),
        "Reviewers to look at": (f"{flagged:,}", f"of {count(len(seen.reviewers), 'reviewer', 'reviewers')}"),
    }
    for label, (value, of) in told.items():
        with grid.container(border=True, height="stretch", gap="xsmall"):
            st.metric(label, value)
            note(plain(of))


def _reviewers(seen: Progress) -> None:
    st.subheader("Reviewers", anchor=False)
    rows = [
        {
            "Reviewer": q.reviewer,
            "Decided": round(q.decided / q.given, 2) if q.given else 0.0,
            "Open": seen.open_of.get(q.reviewer, 0),
            "Signed": q.reviewer in seen.signed,
            "To look at": "; ".join(q.flags) or UNKNOWN,
            "Removed": q.removed,
            "Seconds each": UNKNOWN if q.seconds is None else f"{q.seconds:.1f}",
            "In bulk": UNKNOWN if q.bulk_share is None else f"{q.bulk_share:.0%}",
            "As recommended": UNKNOWN if q.agreement is None else f"{q.agreement:.0%}",
        }
        for q in seen.reviewers
    ]
    st.dataframe(
        pd.DataFrame(rows),
        hide_index=True,
        key="reviewers",
        alt="Reviewers, how far and how carefully they decided",
        column_config={
            "Decided": st.column_config.ProgressColumn(min_value=0.0, max_value=1.0, format="percent", width=110),
            "Open": st.column_config.NumberColumn(width=50),
            "Signed": st.column_config.CheckboxColumn(width=55),
            "To look at": st.column_config.TextColumn(width=90),
            "Removed": st.column_config.NumberColumn(width=65),
        },
    )
    sideways("reviewers")
    note(
        "Seconds each is the median between two decisions; below one second, or nearly all in bulk, is to be looked at."
    )


def _act(house: House, actor: Actor, now: datetime, seen: Progress) -> None:
    st.subheader("What next", anchor=False)
    row = seen.card.campaign
    left = seen.card.items - seen.card.decided
    if left:
        plan = campaigns.plan_of(row.plan)
        words = {
            "escalate": f"Closing now hands {left:,} open items to {plan.fallback}; the review goes on till then.",
            "keep": f"Closing now keeps {left:,} open items; the evidence says nobody decided them.",
            "remove": f"Closing now removes what is open and not privileged; the rest goes to {plan.fallback}.",
        }
        note(plain(words[plan.undecided]))
    label = "Close the review" if not left else f"Close with {left:,} open"
    if st.button(label, type="secondary" if left else "primary", width="stretch", key="close"):
        attempt(
            partial(campaigns.close, house, actor, now, row.id), "Closed: removals wait for approval, evidence is built"
        )
    if left:
        _remind(house, actor, now, seen)
    with st.popover("Give items to somebody else", width="stretch"), st.form("reassign", border=False):
        whose = st.selectbox("Whose open items", sorted(seen.open_of), index=None)
        to = st.selectbox("To", [entry.email for entry in house.settings.actor], index=None, accept_new_options=True)
        why = st.text_input("Why", max_chars=300, key=f"why-reassign-{row.id}")
        if st.form_submit_button("Give them", type="primary", width="stretch") and whose and to:
            attempt(partial(_reassign, house, actor, now, row.id, whose, to, why), "Given to somebody else")
    with st.popover("Give more time", width="stretch"), st.form("extend", border=False):
        begun, due = row.launched_at or now, max(row.due_at or now, now)
        last = (begun + campaigns.LONGEST).date()
        first = min((due + timedelta(days=1)).date(), last)
        day_ = st.date_input("Until and with", value=min((due + timedelta(days=7)).date(), last), min_value=first,
                             max_value=last, format="YYYY-MM-DD")  # fmt: skip
        why = st.text_input("Why", max_chars=300, key=f"why-extend-{row.id}")
        if st.form_submit_button("Give more time", type="primary", width="stretch"):
            until = datetime.combine(day_, time(23, 59), UTC)
            attempt(partial(campaigns.extend, house, actor, now, row.id, until, why), "The reviewers have more time")
    with st.popover("End without an outcome", width="stretch"), st.form("cancel", border=False):
        why = st.text_input("Why", max_chars=300, key=f"why-cancel-{row.id}")
        if st.form_submit_button("End it", width="stretch"):
            attempt(
                partial(campaigns.cancel, house, actor, now, row.id, why), "Ended: nothing decided in it is carried out"
            )


def _remind(house: House, actor: Actor, now: datetime, seen: Progress) -> None:
    reaches = bool(house.settings.notify.personal)
    with st.popover("Remind now", width="stretch"), st.form("remind", border=False):
        whose = st.selectbox("Who", sorted(seen.open_of), index=None, placeholder="Everybody with open items")
        heard = "Told as each wants to be told, and nobody twice within an hour."
        silent = "No channel reaches persons: the settings name them under [[notify.channel]]."
        note(plain(heard if reaches else silent))
        if st.form_submit_button("Remind", type="primary", width="stretch", disabled=not reaches):
            told = partial(_reminded, house, actor, now, seen.card.campaign.id, whose)
            attempt(told, "Reminded: the worker tells them")


def _reminded(house: House, actor: Actor, now: datetime, id: str, whose: str | None) -> None:
    if not (told := campaigns.remind(house, actor, now, id, whose)).now:
        raise DecisionError(f"everybody was reminded within the last hour: {', '.join(told.lately)}")


def _reassign(house: House, actor: Actor, now: datetime, id: str, whose: str, to: str, why: str) -> None:
    numbers = campaigns.open_numbers(house, id, whose)
    campaigns.reassign(house, actor, now, id, numbers, to, why)


def _outcome(seen: Progress) -> None:
    st.subheader("What became of it", anchor=False)
    lines = [f"{bold(count(n, 'item', 'items'))}: {plain(outcome)}" for outcome, n in seen.outcomes.items()]
    st.markdown("  \n".join(f":small[{line}]" for line in lines))


def statement(seen: Progress, now: datetime) -> None:
    """The population: where it comes from, what is missing in it, and its hash."""
    row = seen.card.campaign
    told = row.statement or {}
    accounts = told.get("accounts") or {}
    st.subheader("Population", anchor=False)
    if not told:
        note("It is frozen when the review begins.")
        return
    said = [
        f"{accounts.get('read', 0):,} accounts read",
        f"{accounts.get('reviewed', 0):,} reviewed",
        f"{accounts.get('inactive', 0):,} cannot sign in",
        f"{accounts.get('outside_scope', 0):,} outside the scope",
        f"{accounts.get('left_out', 0):,} left out",
    ]
    st.markdown("  \n".join(f":small[{plain(line)}]" for line in said))
    old = [one["feed"] for one in told.get("sources") or () if one.get("outdated")]
    if old:
        note(f":orange[◆] Outdated when it began: {plain(', '.join(old))}")
    for name in told.get("never_read") or ():
        note(f":orange[◆] Never read: {plain(name)}")
    for one in (told.get("left_out") or [])[:6]:
        note(f"Left out: {plain(one['application'])}/{plain(one['username'])}, {plain(one['left_out'])}")
    note(f"Frozen {plain(moment(row.launched_at, now))} UTC. SHA-256 `{row.population_sha256[:16]}…`")
