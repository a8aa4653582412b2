"""Editing the lines of a role mapping: as a table, from a file, from what people hold, or from what is set up."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

import pandas as pd
import streamlit as st

from governance.access import Actor
from governance.errors import ConfigurationError, LeaverwatchError
from governance.house import House
from governance.mappings.spreadsheet import GIVES, lines_of, lines_of_rows, rows_of
from governance.parts.mapping_import import ask_for_import
from governance.parts.mapping_lines import UPDATES
from governance.parts.notes import note
from governance.parts.text import plain, sentence
from governance.provisioning.mapping import Matching, RoleMap
from governance.sign_on import ASSERTED, WORKFORCE
from governance.views.mappings import learned
from governance.views.words import count

MATCHES: Final[dict[Matching, str]] = {"first": "The first line that fits decides", "all": "All lines that fit give"}
Put = Callable[[RoleMap], None]


@st.dialog("Edit the role mapping", width="large")
def edit_mapping(house: House, actor: Actor, now: datetime, application: str, mapping: RoleMap, put: Put) -> None:
    """The dialog; `put` takes the mapping that was made."""
    table, file, proposed, set_up = st.tabs(["Lines", "From a file", "From what people hold", "From what is set up"])
    with table:
        _table(mapping, put)
    with file:
        _file(mapping, put)
    with proposed:
        _proposed(house, application, mapping, put)
    with set_up:
        ask_for_import(house, actor, now, application)


def _table(mapping: RoleMap, put: Put) -> None:
    note(
        "A cell says how its attribute is compared: `Finance` equals, `Legal; Legal Ops` is one of, `Support*` starts"
        " with, `*Admin*` contains, `/regular expression/`. An empty one asks nothing. Several roles: `A; B`."
    )
    try:
        rows = rows_of(mapping)
    except ConfigurationError as error:
        st.info(plain(error))
        return
    columns = [*dict.fromkeys((*mapping.attributes, *WORKFORCE, "groups")), GIVES]
    frame = pd.DataFrame([{name: row.get(name, "") for name in columns} for row in rows], columns=columns, dtype=str)
    edited = st.data_editor(
        frame, num_rows="dynamic", hide_index=True, key="lines-table", height=min(420, 80 + 36 * len(frame)),
        column_config={GIVES: st.column_config.TextColumn("gives", required=True)},
    )  # fmt: skip
    more = [name for name in ASSERTED if name not in columns]
    note(f"Other attributes ({', '.join(more)}, claim.NAME) come in by a file.")
    made = _way(mapping)
    if st.button("Use these lines", type="primary"):
        told = [[str(value or "") for value in row] for row in edited.fillna("").itertuples(index=False)]
        _use(lambda: replace(made, lines=lines_of_rows([list(edited.columns), *told], "the table")), put)


def _way(mapping: RoleMap) -> RoleMap:
    left, middle, right = st.columns(3)
    matching = left.selectbox(
        "Which lines count", list(MATCHES), list(MATCHES).index(mapping.matching), format_func=MATCHES.__getitem__
    )
    updates = middle.selectbox(
        "Roles are", list(UPDATES), list(UPDATES).index(mapping.updates), format_func=UPDATES.__getitem__
    )
    default = right.text_input("Default role, where no line fits", "; ".join(mapping.default))
    names = tuple(part.strip() for part in default.split(";") if part.strip())
    return replace(mapping, matching=matching, updates=updates, default=names)


def _file(mapping: RoleMap, put: Put) -> None:
    note("A table as CSV or XLSX: one column an attribute, one named `gives`, one row a line.")
    file = st.file_uploader("Table", type=["csv", "xlsx"], max_upload_size=5, key="lines-file")
    if file is not None and st.button("Use this table", type="primary"):
        content, name = bytes(file.getvalue()), file.name
        _use(lambda: replace(mapping, lines=lines_of(content, name)), put)


def _proposed(house: House, application: str, mapping: RoleMap, put: Put) -> None:
    note(
        "What department, group or title explains what people hold now: from groups and assignments of identity"
        " providers, and roles, profiles and default groups of the application. A proposal, to be looked at."
    )
    try:
        found = learned(house, application)
    except LeaverwatchError as error:
        st.info(plain(error))
        return
    if not found.mapping.lines:
        st.info("Nothing explains what people hold.")
        return
    explained = ", ".join(f"“{name}” ({people:,})" for name, people in list(found.unexplained.items())[:6])
    said = (
        f"{count(len(found.mapping.lines), 'line', 'lines')} and the default {', '.join(found.mapping.default) or '–'}."
    )
    st.markdown(plain(said + (f" Unexplained: {explained}." if explained else "")))
    if st.button("Use this proposal", type="primary"):
        put(replace(mapping, lines=found.mapping.lines, default=found.mapping.default))
        st.rerun()


def _use(make: Callable[[], RoleMap], put: Put) -> None:
    try:
        made: Any = make()
    except LeaverwatchError as error:
        st.error(sentence(error), icon=":material/block:")
        return
    put(made)
    st.rerun()
