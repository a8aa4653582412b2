"""Beginning a campaign: scope, reviewers and dates, with a live preview of what it would ask of whom."""

from __future__ import annotations

from datetime import datetime
from functools import partial
from typing import Any, Final

import streamlit as st

from governance import campaigns
from governance.access import Actor
from governance.campaigns import TEMPLATES, Preview
from governance.errors import DecisionError
from governance.house import House
from governance.parts.acting import say_after
from governance.parts.notes import note
from governance.parts.review_preview import review_preview
from governance.parts.text import bold, hot, plain, sentence, warm
from governance.views.previews import foreseen
from governance.views.words import count, day, rule_names, rule_title

OWN: Final = "own"
ONLY: Final = {
    "privileged": "Privileged access",
    "leavers": "Leavers' access",
    "orphans": "Accounts without an owner",
    "non_human": "Programs, bots, shared accounts",
}
WORKERS: Final = {"employee": "Employees", "contractor": "Contractors", "guest": "Guests"}
SINCE: Final = {"new": "New", "changed": "Changed", "unused": "Not used", "unchanged": "Unchanged"}
FINDERS: Final = {
    "manager": "The person's manager",
    "application_owner": "The application's owner",
    "entitlement_owner": "The entitlement's owner",
}
UNDECIDED: Final = {
    "escalate": "Goes to the fallback; the review stays open",
    "keep": "Is kept, and the evidence says nobody decided",
    "remove": "Is removed, but never anything privileged",
}


def new_campaign(house: House, actor: Actor, now: datetime) -> None:
    """The form on the left, on the right what it comes to."""
    left, right = st.columns([1.35, 1], gap="small")
    with left.container(border=True):
        title, template, scope, plan, months = _form(house)
    with right, st.container(border=True, key="campaign-preview"):
        st.subheader("What it would ask", anchor=False)
        seen = _preview(house, actor, now, scope, plan)
        _begin(house, actor, now, title, template, scope, plan, months, ready=seen is not None and not seen.unresolved)
    if seen is not None:
        review_preview(house, actor, now, scope, plan, seen.reviewers)


def _form(house: House) -> tuple[str, str | None, dict[str, Any], dict[str, Any], int]:
    names = {OWN: "Everything, to be narrowed", **{name: one.title for name, one in TEMPLATES.items()}}
    template = st.selectbox("Begin with", list(names), format_func=lambda n: names[n], key="template")
    base = TEMPLATES.get(template)
    if base:
        note(plain(base.about))
    title = st.text_input(
        "Title for the reviewers", value=base.title if base else "Access review", key=f"title-{template}", max_chars=120
    )
    scope = _scope(house, template, dict(base.scope) if base else {})
    plan, months = _plan(house, template, dict(base.plan) if base else {}, base.every_months or 0 if base else 0)
    return title, None if template == OWN else template, scope, plan, months


def _scope(house: House, key: str, base: dict[str, Any]) -> dict[str, Any]:
    st.markdown("#### :small[:gray[What is reviewed]]")
    titles = {a.name: a.label for a in house.settings.application}
    applications = st.multiselect(
        "Applications", list(titles), format_func=lambda n: titles[n], key=f"applications-{key}", placeholder="All"
    )
    level = st.segmented_control(
        "Decided one by one",
        ["grants", "accounts"],
        default=base.get("items", "grants"),
        required=True,
        format_func=lambda w: "Each entitlement" if w == "grants" else "Each account",
        key=f"items-{key}",
    )
    only = st.pills(
        "Only",
        list(ONLY),
        selection_mode="multi",
        default=[name for name in ONLY if base.get(name)],
        format_func=lambda n: ONLY[n],
        key=f"only-{key}",
    )
    scope: dict[str, Any] = dict.fromkeys(only, True)
    with st.expander("More", icon=":material/filter_list:"):
        scope |= _more(key, base)
    if applications:
        scope["applications"] = applications
    return scope | ({"items": "accounts"} if level == "accounts" else {})


def _more(key: str, base: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if names := _list(
        st.text_input("Entitlements", key=f"entitlements-{key}", help="Names, comma-separated; * is any.")
    ):
        found["entitlements"] = names
    if names := _list(st.text_input("Departments", key=f"departments-{key}", help="Comma-separated.")):
        found["departments"] = names
    workers = st.pills(
        "Owners", list(WORKERS), selection_mode="multi", default=list(base.get("workers", ())),
        format_func=lambda n: WORKERS[n], key=f"workers-{key}",
    )  # fmt: skip
    since = st.pills(
        "Since the last review", list(SINCE), selection_mode="multi", format_func=lambda n: SINCE[n], key=f"since-{key}"
    )
    rules = st.multiselect("With an open finding", rule_names(), format_func=rule_title, key=f"rules-{key}")
    moved = st.number_input("Moved within days", 0, 400, base.get("movers_days", 0), key=f"moved-{key}", help="0: any.")
    lists = {"workers": workers, "since_last": since, "rules": rules}
    found |= {name: list(values) for name, values in lists.items() if values}
    return found | ({"movers_days": int(moved)} if moved else {})


def _plan(house: House, key: str, base: dict[str, Any], again: int) -> tuple[dict[str, Any], int]:
    """Who decides and until when; and every how many months such a review begins anew."""
    st.markdown("#### :small[:gray[Who decides]]")
    levels = base.get("levels", [["manager", "application_owner"]])
    ways = st.multiselect(
        "First found",
        list(FINDERS),
        default=[way for way in levels[0] if way in FINDERS],
        format_func=lambda n: FINDERS[n],
        key=f"first-{key}",
        help="In this order: the first that finds somebody counts.",
    )
    then = st.selectbox(
        "What is kept is looked at again by",
        [None, *FINDERS],
        index=0 if len(levels) < 2 else 1 + list(FINDERS).index(levels[1][0]),
        format_func=lambda n: "Nobody" if n is None else FINDERS[n],
        key=f"second-{key}",
    )
    known = [entry.email for entry in house.settings.actor]
    grid = st.grid(2, min_column_width=200, gap="small")
    with grid:
        fallback = st.selectbox(
            "Fallback", known, index=0 if known else None, key=f"fallback-{key}", accept_new_options=True,
            help="Decides where nobody is found, and what was not decided in time. Nobody reviews their own access.",
        )  # fmt: skip
    with grid:
        days = st.number_input("Days", 1, 180, base.get("days", 21), key=f"days-{key}")
    undecided = st.selectbox(
        "What nobody decided", list(UNDECIDED), format_func=lambda n: UNDECIDED[n], key=f"undecided-{key}"
    )
    grid = st.grid(2, min_column_width=200, gap="small")
    with grid:
        controls = st.number_input(
            "Announced control rows", 0, 50, 0, key=f"controls-{key}",
            help="Invented rows known to be wrong and never carried out: they show whether reviewers look.",
        )  # fmt: skip
    with grid:
        months = st.number_input(
            "Again every … months", 0, 24, again, key=f"again-{key}", help="0: only this once."
        )  # fmt: skip
    chosen = [list(ways)] if ways else [["manager"]]
    return {
        "levels": [*chosen, [then]] if then else chosen,
        "fallback": fallback or "",
        "days": int(days),
        "undecided": undecided,
        "controls": int(controls),
    }, int(months)


def _preview(house: House, actor: Actor, now: datetime, scope: dict[str, Any], plan: dict[str, Any]) -> Preview | None:
    try:
        with st.skeleton(height=260):
            seen = foreseen(house, actor, now, scope, plan).numbers
    except DecisionError as refusal:
        st.error(sentence(refusal), icon=":material/block:")
        return None
    if not seen.items:
        st.markdown(f"{warm('Nothing fits this scope')}, so there is nothing to review.")
        return None
    st.markdown(
        f"{bold(f'{seen.items:,}')} items: {count(seen.accounts, 'account', 'accounts')} of"
        f" {count(seen.people, 'person', 'people')}, {bold(f'{seen.privileged:,}')} privileged."
    )
    advice = {"remove": "to remove", "change": "to change", "keep": "to keep", "judge": "left to judgement"}
    said = [f"{seen.recommendations.get(word, 0):,} {words}" for word, words in advice.items()]
    note(f"Recommended: {', '.join(said)}.")
    asked_already(seen, now)
    _reviewers(seen)
    return seen


def asked_already(seen: Preview, now: datetime) -> None:
    """That another review runs over the same items, said before this one begins: each would be decided twice."""
    for one in seen.asked[:3]:
        due = f", due {day(one.due_at, now)}" if one.due_at else ""
        st.warning(f"{plain(one.what + due)}. They would be asked about twice.", icon=":material/content_copy:")


def _reviewers(seen: Preview) -> None:
    st.markdown(f"{bold(count(len(seen.reviewers), 'reviewer', 'reviewers'))}")
    lines = [f"{plain(email)} :gray[{number:,}]" for email, number in list(seen.reviewers.items())[:8]]
    if len(seen.reviewers) > 8:
        lines.append(f":gray[and {len(seen.reviewers) - 8:,} more]")
    st.markdown("  \n".join(f":small[{line}]" for line in lines))
    for why, number in seen.fallbacks.items():
        note(f":orange[◆] {number:,} to the fallback: {plain(why)}")
    if seen.unknown:
        names = ", ".join(plain(one) for one in seen.unknown[:5])
        how = "they must get one, there or by a group of the provider, to sign in"
        note(f":orange[◆] No role in the settings, so {how}: {names}")
    for row in seen.left_out[:5]:
        note(f"Left out: {plain(row['application'])}/{plain(row['username'])}: {plain(row['left_out'])}")
    if seen.unresolved:
        st.markdown(hot(f"Nobody may decide {count(len(seen.unresolved), 'item', 'items')}"))
        for row in seen.unresolved[:8]:
            note(f":red[▲] {plain(row['application'])}/{plain(row['username'])}: {plain(row['why'])}")
        note("Name another fallback: a review with such items cannot begin.")


def _begin(
    house: House,
    actor: Actor,
    now: datetime,
    title: str,
    template: str | None,
    scope: dict[str, Any],
    plan: dict[str, Any],
    months: int,
    *,
    ready: bool,
) -> None:
    """Freeze and ask, or keep as a draft; a schedule begins the next ones."""
    if st.button("Freeze and begin", type="primary", width="stretch", disabled=not ready, key="launch-new"):
        _done(partial(_launch, house, actor, now, title, template, scope, plan, months))
    if st.button("Keep as a draft", width="stretch", disabled=not title.strip(), key="draft-new"):
        _done(partial(_draft, house, actor, now, title, template, scope, plan))
    note("The population is frozen with its hash: later pulls change recommendations, never what is reviewed.")


def _done(verb: Any) -> None:
    try:
        with st.spinner("Freezing the population"):
            id, said = verb()
    except DecisionError as refusal:
        st.error(sentence(refusal), icon=":material/block:")
        return
    say_after(said)
    st.query_params.from_dict({"campaign": id})
    st.rerun()


def _draft(house: House, actor: Actor, now: datetime, title: str, template: str | None, scope: Any, plan: Any) -> Any:
    return campaigns.create(house, actor, now, title, scope, plan, template=template).id, "Kept as a draft"


def _launch(
    house: House, actor: Actor, now: datetime, title: str, template: str | None, scope: Any, plan: Any, months: int
) -> Any:
    made = campaigns.create(house, actor, now, title, scope, plan, template=template)
    campaigns.launch(house, actor, now, made.id)
    if months:
        first = campaigns.months_after(now, months)
        campaigns.schedule(house, actor, now, title, scope, plan, months, template=template, first=first)
    return made.id, "The review has begun: its reviewers are told"


def _list(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]
