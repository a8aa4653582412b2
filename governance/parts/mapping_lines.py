"""The lines of a role mapping: what each asks and gives, for how many people, and what a draft changes."""

from __future__ import annotations

from typing import Final

import streamlit as st

from governance.mappings.comparing import Comparison
from governance.parts.notes import note, note_in
from governance.parts.text import bold, code, plain
from governance.provisioning.mapping import Updates
from governance.views.mapping_lines import LineSeen, lines_seen
from governance.views.words import count

SHOWN: Final = 40
BADGES: Final = {"new": ":blue-badge[new]", "changed": ":blue-badge[changed]", "gone": ":gray-badge[gone]"}
MATCHING: Final = {"first": "Lines, first match wins", "all": "Lines, all that match give"}
UPDATES: Final[dict[Updates, str]] = {
    "create_only": "given once, when the account is made",
    "authoritative": "given and taken at each sign-in",
    "explicit": "at each sign-in, only what a line names",
}


def mapping_lines(compared: Comparison, fired: int | None) -> None:
    """The card of the lines; `fired`: the number of the line that one tried sign-in meets."""
    mapping, same = compared.draft.mapping, compared.live.mapping == compared.draft.mapping
    head = st.container(horizontal=True, horizontal_alignment="distribute", vertical_alignment="center")
    head.subheader(MATCHING[mapping.matching], anchor=False, width="content")
    note_in(head, "people" if same else "people: live, draft", width="content")
    lines = lines_seen(compared)
    if not lines:
        note("No line yet: edit the lines, take a table, or have a mapping proposed from what people hold.")
        return
    otherwise = ", ".join(mapping.default)
    what = f"No line fires: {f'→ {plain(otherwise)}' if otherwise else 'no role'}"
    before, after = (f"{s.nobody + s.fallen:,}" for s in (compared.live, compared.draft))
    everyone = bold(f"{compared.draft.people.height:,}")
    cells = [_cells(line, fired) for line in lines[:SHOWN]]
    cells += [("–", what, before, after), ("", "**All people**", everyone, everyone)]
    first = ("#", "Line", "Live", "People" if same else "Draft")
    rows = [_row(row, same) for row in (first, ("---", ":---", "---:", "---:"), *cells)]
    st.markdown("\n".join(rows))
    if len(lines) > SHOWN:
        note(f"{len(lines) - SHOWN} more lines: `leaverwatch mapping show`.")
    said = [f"Roles are {UPDATES[mapping.updates]}."]
    if dead := compared.draft.dead:
        said.append(f"{count(len(dead), 'line fires', 'lines fire')} for nobody.")
    if several := compared.draft.overlapping:
        said.append(f"{count(several, 'person fits', 'people fit')} several lines that give different roles.")
    for attribute, people in compared.draft.unknown.items():
        said.append(f"{code(attribute)} is not told of {count(people, 'person', 'people')}.")
    note(" ".join(said))


def _row(cells: tuple[str, str, str, str], same: bool) -> str:
    number, text, live, draft = cells
    return f"| {number} | {text} | {draft} |" if same else f"| {number} | {text} | {live} | {draft} |"


def _cells(line: LineSeen, fired: int | None) -> tuple[str, str, str, str]:
    text = f"{conditions(line.when)} → {plain(', '.join(line.gives))}"
    if line.change in BADGES:
        text += f" {BADGES[line.change]}"
    number = "" if line.number is None else str(line.number)
    if line.number is not None and line.number == fired:
        number, text = f":blue[**▸ {number}**]", f":blue-background[{text}]"
    live, draft = ("–" if n is None else f"{n:,}" for n in (line.live, line.draft))
    return number, text, live, draft


def conditions(when: tuple[tuple[str, str, str], ...]) -> str:
    """What a line asks, as markdown."""
    return " and ".join(f"{_cell(attribute)} {how} {bold(values)}" for attribute, how, values in when) or "everybody"


def _cell(text: str) -> str:
    return code(text).replace("|", "¦")  # a bar would end the cell


def mapping_changes(compared: Comparison) -> None:
    """The card of what a draft changes in the lines."""
    changed = [line for line in lines_seen(compared) if line.change]
    live, draft = compared.live.mapping, compared.draft.mapping
    said = []
    for line in changed[:SHOWN]:
        now = f"{conditions(line.when)} → {plain(', '.join(line.gives))}"
        if line.change == "new":
            said.append(f":green[**+ {line.number}**] {now}")
        elif line.change == "gone":
            said.append(f":red[**−**] ~~{now}~~")
        elif line.was:
            said.append(f":blue[**~ {line.number}**] ~~{_was(line)}~~ {now}")
    for name, before, after in (
        ("default", ", ".join(live.default) or "nothing", ", ".join(draft.default) or "nothing"),
        ("match", live.matching, draft.matching),
        ("updates", UPDATES[live.updates], UPDATES[draft.updates]),
    ):
        if before != after:
            said.append(f":blue[**~**] {name}: ~~{plain(before)}~~ {plain(after)}")
    st.subheader("Changes in the lines", anchor=False)
    st.markdown("  \n".join(f":small[{line}]" for line in said) or "Only the order of the lines changes.")


def _was(line: LineSeen) -> str:
    assert line.was is not None
    when, gives = line.was
    parts = [conditions(when)] if when != line.when else []
    return " → ".join([*parts, *([plain(", ".join(gives))] if gives != line.gives else [])])
