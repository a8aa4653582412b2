"""Filling in the form of one feed: what is wrong with it is said beside the fields, what is right is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import streamlit as st

from governance import configuring
from governance.access import Actor
from governance.configuring import FILE, Draft, Standing
from governance.errors import LeaverwatchError
from governance.house import House
from governance.parts.acting import ask_to_sign_in_again
from governance.parts.feedform import Filling, feed_form
from governance.parts.into_view import ask_into_view, into_view
from governance.parts.notes import note
from governance.parts.text import plain, sentence
from governance.views import connecting
from governance.views.connecting import Declared
from governance.views.words import count

TURN: Final = "connect-turn"  # grows with every answer
_SENT: Final = "connect-sent"  # what was asked for last, and when; never a secret
_DOUBLE: Final = timedelta(seconds=10)
_WRONG: Final = "connect-wrong"
ANSWER: Final = "connect-answer"  # what was wrong, or the TOML to copy; never a secret


def filled_in(
    house: House,
    actor: Actor,
    now: datetime,
    connector: Declared,
    given: Mapping[str, Any],
    *,
    writable: bool,
    before: Standing | None = None,
) -> None:
    """The form with what was said to it the last time; once it is right, the steps of the feed take its place.

    `before`: the feed as it stands in the file, where it is changed.
    """
    name = str(before.table["name"]) if before else connecting.free_name(house, connector)
    of = name if before else connector.name
    answer = st.session_state.get(ANSWER) or {}
    wrong, shown = (answer.get(key) if answer.get("of") == of else None for key in ("wrong", "toml"))
    if wrong:
        with st.container(key=_WRONG):
            _say(wrong)
        into_view(_WRONG)
    turn = st.session_state.setdefault(TURN, 0)
    key = f"{'change' if before else 'connect'}-{of}-{st.query_params.get('again', '')}"
    if before:  # what was filled in when the file said something else would undo what somebody else wrote since
        key += f"-{configuring.file_digest(house.home)[:12]}"
    filling = Filling(key, turn, given, wrong or {}, _typed_here(connector, given), changing=before is not None)
    sent = feed_form(connector, filling, name, writable, house.settings.act.enabled)
    if shown:
        note(f"Add these lines to `{FILE}`, then restart. A secret belongs into its variable, never into the file.")
        st.code(shown, language="toml")
    if sent is None:
        return
    draft, unread, pressed = sent
    if before:
        others = {key: value for key, value in before.table.items() if key not in filling.drawn}
        draft = replace(draft, table={**draft.table, **others})
    if pressed == "write" and _again(draft, now):
        st.query_params.from_dict({"feed": draft.name})
        st.rerun()
    st.session_state[TURN] = turn + 1  # what was typed as a secret is gone with its widget
    problems = {**configuring.problems(house, draft, before=before), **unread}
    said: dict[str, Any] = {"of": of, "wrong": problems}
    if pressed == "show":
        said["toml"] = _lines(draft)
    elif not problems:
        try:
            (configuring.change if before else configuring.add)(house, actor, now, draft)
        except LeaverwatchError as refusal:
            ask_to_sign_in_again(refusal)
            said["wrong"] = {"": str(refusal)}
        else:
            said = {}
            st.session_state[_SENT] = (draft.kind, draft.table, now)
            st.query_params.from_dict({"feed": draft.name})
    st.session_state[ANSWER] = said
    if said.get("wrong"):
        ask_into_view(_WRONG)  # it stands above the form, and the button that was pressed below it
    st.rerun()


def _again(draft: Draft, now: datetime) -> bool:
    """Whether exactly this was asked for a moment ago: of a double click only the first press says something."""
    kind, table, at = st.session_state.get(_SENT) or ("", {}, now)
    return (kind, table) == (draft.kind, draft.table) and not draft.typed and now - at < _DOUBLE


def _say(wrong: Mapping[str, str]) -> None:
    """What is to be corrected, above the form; each thing stands beside its field too."""
    if refusal := wrong.get(""):
        st.error(sentence(refusal), icon=":material/block:")
    elif wrong:
        named = ", ".join(plain(connecting.label(key)) for key in wrong)
        st.error(
            f"{count(len(wrong), 'thing', 'things')} to correct: {named}. Secrets were not kept: type them again.",
            icon=":material/error:",
        )


def _typed_here(connector: Declared, given: Mapping[str, Any]) -> bool:
    if not any(one["kind"] == "secret" for one in connector.fields):
        return True
    ways, key = {"here": "Typed here, sealed", "variable": "In variables"}, f"secrets-{connector.name}"
    named = any(isinstance(given.get(one["name"]), Mapping) and "env" in given[one["name"]]
                for one in connector.fields if one["kind"] == "secret")  # fmt: skip
    first = "variable" if named else "here"
    chosen = st.segmented_control(
        "Where its secrets are", list(ways), default=first, required=True, key=key,
        format_func=lambda way: ways[way],
        help="Sealed in the store (AES-GCM), or read from environment variables of the worker.",
    )  # fmt: skip
    return chosen == "here"


def _lines(draft: Draft) -> str:
    """What would stand in the file; a secret that was typed becomes the name of a variable."""
    variables = {key: {"env": f"{draft.name or 'NAME'}_{key}".upper().replace("-", "_")} for key in draft.typed}
    return configuring.as_toml(draft.kind, {**draft.table, **variables})
