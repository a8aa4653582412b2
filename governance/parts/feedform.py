"""The form for one feed, made from what its connector declares: nothing in it knows a vendor."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import streamlit as st
import tomlkit

from governance.configuring import Draft
from governance.parts.notes import note
from governance.parts.text import bold, plain
from governance.views.connecting import Declared, label

Field = dict[str, Any]
Pressed = Literal["write", "show"]
WRITES: Final = "write_"  # fields of the second credential, the one that may change something
PROVISIONING: Final = {
    "jit": "At the first sign-on (JIT)",
    "scim": "Pushed (SCIM)",
    "invited": "By invitation",
    "local": "By hand",
}
_OF_EVERY_FEED: Final[tuple[Field, ...]] = (
    {"name": "every", "kind": "text", "default": "15m", "help": "How often it is read."},
    {"name": "full_every", "kind": "text", "default": "24h", "help": "How often all is read where changes are told."},
    {"name": "outdated_after", "kind": "text", "default": "24h", "help": "When its facts are too old to judge by."},
    {"name": "deadline", "kind": "text", "default": "5m", "help": "For one whole pull."},
)


@dataclass
class Filling:
    """A form while it is drawn: what was filled in before, what was wrong with it, and what stands in it now."""

    key: str  # begins the name of every widget
    turn: int  # grows with every answer: a secret that was sent is in no widget any more
    given: Mapping[str, Any]
    wrong: Mapping[str, str]
    typed_here: bool
    table: dict[str, Any] = field(default_factory=dict)
    typed: dict[str, str] = field(default_factory=dict, repr=False)
    unread: dict[str, str] = field(default_factory=dict)  # tables that are no TOML
    changing: bool = False  # the feed is there: its name stays, and so do its secrets where nothing is typed
    drawn: set[str] = field(default_factory=set)  # the keys that have a widget; all others stay as they are

    def draw(self, one: Field) -> None:
        """The widget of one field, and below it what was wrong."""
        key, kind = one["name"], one.get("kind", "text")
        self.drawn.add(key)
        with st.container(gap="xxsmall"):
            value = _DRAWN.get(kind, _text)(self, one)
            if key in self.wrong:
                st.markdown(f":small[:red[▲ {plain(self.wrong[key])}]]")
            if one.get("help"):
                note(plain(one["help"]))
        if value in (None, "", {}, []):
            return
        was = self.given.get(key) if self.changing else None
        if was is not None and str(was) == str(value):
            self.table[key] = was  # word for word, also where it says the default
        elif value != one.get("default"):
            self.table[key] = value

    def name_of(self, key: str) -> str:
        """What the widget of a field is called."""
        return f"feed-{self.key}-{key}"


def feed_form(
    connector: Declared, filling: Filling, name: str, writable: bool, acts: bool
) -> tuple[Draft, dict[str, str], Pressed] | None:
    """Draw the form; once it is sent: the draft, tables that could not be read, and which button it was."""
    required, reaching, writing, rest = _sorted(connector.fields)
    filling.table["name"] = ""
    with st.form(filling.key, border=False):
        _head("What it is called")
        _names(connector, filling, name)
        filling.table["connector"] = connector.name
        _head("How it is reached")
        for one in (*required, *reaching):
            filling.draw(one)
        if writing:
            _head("To close accounts from here", "optional: without it this application is only read")
            if not acts:
                note(":orange[◆] Acting is off (`[act]`): nothing is changed until the operator turns it on.")
            for one in writing:
                filling.draw(one)
        if connector.kind == "application":
            _head("Who answers for it", "optional")
            _owned(filling)
        with st.expander(f"More settings ({len(rest) + len(_OF_EVERY_FEED)}), each with a default"):
            for one in (*rest, *_OF_EVERY_FEED):
                filling.draw(one)
            if connector.kind == "source":
                _absence(filling)
        row = st.container(horizontal=True)
        write = writable and row.form_submit_button(
            "Save the change" if filling.changing else f"Connect {plain(connector.title)}",
            type="primary",
            icon=":material/save:" if filling.changing else ":material/add_link:",
        )
        show = row.form_submit_button("Show as TOML", type="secondary" if writable else "primary")
    if not write and not show:
        return None
    return Draft(connector.kind, filling.table, filling.typed), filling.unread, "write" if write else "show"


def _sorted(fields: list[Field]) -> tuple[list[Field], list[Field], list[Field], list[Field]]:
    """What must be filled in, what else may be needed to get in, the second credential, and what has a default."""
    writing = [one for one in fields if one["name"].startswith(WRITES)]
    others = [one for one in fields if one not in writing]
    required = [one for one in others if one.get("required")]
    plainly = [one for one in others if one.get("default") is None and one["kind"] not in ("table", "flag", "number")]
    reaching = [one for one in plainly if one not in required]
    return required, reaching, writing, [one for one in others if one not in required and one not in reaching]


def _head(title: str, aside: str = "") -> None:
    st.markdown(bold(title) + (f" :small[:gray[{plain(aside)}]]" if aside else ""))


def _names(connector: Declared, filling: Filling, name: str) -> None:
    filling.drawn |= {"name", "connector"}
    left, right = st.columns(2)
    with left:
        filling.draw({"name": "title", "help": "As people know it.", "example": connector.title})
    if filling.changing:
        with right, st.container(gap="xxsmall"):
            st.text_input("Name", name, disabled=True, key=f"fixed-{filling.key}")
            note("What was read is kept under it, so it stays.")
        filling.table = {"name": name, **{k: v for k, v in filling.table.items() if k == "title" and v}}
        return
    with right:
        one = {"name": "name", "help": "In commands and files.", "required": True, "example": "such as crm"}
        filling.given = {"name": name, **filling.given}
        filling.draw(one)
    filling.table = {**dict.fromkeys(("name", "title"), ""), **filling.table}
    if not filling.table["title"]:
        filling.table.pop("title")


def _owned(filling: Filling) -> None:
    filling.drawn |= {"criticality", "privileged", "provisioning"}
    left, right = st.columns(2)
    with left:
        filling.draw({"name": "owner", "help": "E-mail of who gets the tasks.", "example": "owner@example.com"})
        levels = ["low", "medium", "high"]
        chosen = st.selectbox(
            "Criticality", levels, index=levels.index(filling.given.get("criticality", "medium")),
            format_func=str.capitalize, key=filling.name_of("criticality"),
        )  # fmt: skip
        if chosen != "medium" or "criticality" in filling.given:
            filling.table["criticality"] = chosen
    with right:
        with st.container(gap="xxsmall"):
            given = list(filling.given.get("privileged", ()))
            patterns = st.text_input(
                "Privileged", ", ".join(given), placeholder="admin*, *owner*",
                key=filling.name_of("privileged"),
            )  # fmt: skip
            note("Names of entitlements, commas between.")
        unchanged = patterns == ", ".join(given)  # a name may have a comma: what nobody touched is not taken apart
        if found := given if unchanged else [part.strip() for part in patterns.split(",") if part.strip()]:
            filling.table["privileged"] = found
        ways = st.multiselect(
            "How accounts come to be", list(PROVISIONING), list(filling.given.get("provisioning", ())),
            format_func=PROVISIONING.__getitem__, key=filling.name_of("provisioning"), placeholder="Not known",
        )  # fmt: skip
        if ways:
            filling.table["provisioning"] = ways
    filling.draw({"name": "own_account", "help": "The account Leaverwatch itself uses there: it is never closed."})


def _absence(filling: Filling) -> None:
    filling.drawn.add("absence_means")
    means = {"suspicion": "A suspicion", "leaver": "That somebody left"}
    chosen = st.selectbox(
        "What it means when somebody is missing", list(means), format_func=means.__getitem__,
        index=list(means).index(filling.given.get("absence_means", "suspicion")), key=filling.name_of("absence_means"),
    )  # fmt: skip
    if chosen != "suspicion" or "absence_means" in filling.given:
        filling.table["absence_means"] = chosen


def _said(one: Field) -> str:
    """The label. What helps to fill it in stands below, in words that a screen reader does not repeat every time."""
    return label(one["name"]) + (" *" if one.get("required") else "")


def _text(filling: Filling, one: Field) -> str:
    default = one.get("default")
    hint = str(default) if default is not None else one.get("example", "")
    key = filling.name_of(one["name"])
    st.session_state.setdefault(key, str(filling.given.get(one["name"]) or ""))
    return str(st.text_input(_said(one), placeholder=hint, key=key)).strip()


def _number(filling: Filling, one: Field) -> int | None:
    value = filling.given.get(one["name"], one.get("default"))
    found = st.number_input(_said(one), value=value, step=1, key=filling.name_of(one["name"]))
    return None if found is None else int(found)


def _flag(filling: Filling, one: Field) -> bool:
    given = bool(filling.given.get(one["name"], one.get("default")))
    return st.checkbox(_said(one), given, key=filling.name_of(one["name"]))


def _table(filling: Filling, one: Field) -> dict[str, Any]:
    given = filling.given.get(one["name"])
    text = st.text_area(
        _said(one), tomlkit.dumps(given) if given else "", placeholder='ours = "theirs"', height=96,
        key=filling.name_of(one["name"]),
    )  # fmt: skip
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        filling.unread[one["name"]] = f"this is not TOML: {error}"
        return {}


def _secret(filling: Filling, one: Field) -> dict[str, str] | None:
    key = one["name"]
    place = filling.given.get(key)
    there = dict(place) if filling.changing and isinstance(place, Mapping) and place else None
    if filling.typed_here:
        value = st.text_input(
            _said(one), type="password", autocomplete="off", key=f"secret-{filling.name_of(key)}-{filling.turn}",
            placeholder="Stays as it is where nothing is typed" if there else "Sealed in the store, never shown again",
        )  # fmt: skip
        if value.strip():
            filling.typed[key] = value
            return None
        return None if _removed(filling, one, there) else there
    known = place.get("env", "") if isinstance(place, Mapping) else ""
    variable = st.text_input(
        _said(one), known, key=f"{filling.name_of(key)}-variable",
        placeholder="Stays as it is" if there and not known else f"Variable, such as CRM_{key.upper()}",
    )  # fmt: skip
    if variable.strip():
        return {"env": variable.strip()}
    return None if known or _removed(filling, one, there) else there


def _removed(filling: Filling, one: Field, there: dict[str, str] | None) -> bool:
    """Whether a secret that is there and need not be is to go: an empty field leaves it as it is."""
    if there is None or one.get("required"):
        return False
    called = label(one["name"])
    return st.checkbox(f"Remove the {called[:1].lower()}{called[1:]}", key=filling.name_of(f"no-{one['name']}"))


_DRAWN: Final = {"number": _number, "flag": _flag, "table": _table, "secret": _secret}
