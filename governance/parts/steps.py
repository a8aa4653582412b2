"""How far a feed has come: written, checked, read. Drawn anew by itself while something is about to happen."""

from __future__ import annotations

from datetime import datetime
from typing import Final, Literal

import streamlit as st

from governance import findings
from governance.access import Actor, Verb, may
from governance.configuring import FILE
from governance.findings.decisions import Work
from governance.house import House, installed
from governance.parts.acting import attempt, leave_when_out
from governance.parts.clock import read_clock
from governance.parts.links import link
from governance.parts.notes import note
from governance.parts.text import bold, plain
from governance.tables import JobRun
from governance.views.connecting import Progress, progress
from governance.views.words import count, moment

LOOK_S: Final = 1.0
_WAITS, _DONE, _WARNS, _BAD, _OPEN = ":blue[◐]", ":green[✓]", ":orange[◆]", ":red[▲]", ":gray[○]"


def steps(house: House, actor: Actor, name: str) -> None:
    """The three steps of one feed, with what can be asked for at each."""
    moving = progress(house, name).moves
    st.fragment(_steps, run_every=LOOK_S if moving else None, key="steps")(house, actor, name, moving)


def _steps(house: House, actor: Actor, name: str, was_moving: bool) -> None:
    leave_when_out()
    house, now = installed() if was_moving else house, read_clock()  # a fragment runs by itself
    found = progress(house, name)
    if was_moving and not found.moves:
        st.rerun()  # it has come to rest: draw the whole page once more
    with st.container(border=True, gap="small"):
        _written(found, now)
        if found.in_force or found.moves:
            _checked(house, actor, now, found)
            _read(house, actor, now, found)


def _step(sign: str, title: str, said: str) -> st.delta_generator.DeltaGenerator:
    """One step: its sign and name, and what came of it. `said` is markdown made of escaped parts."""
    line = st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute")
    line.markdown(f"{sign} {bold(title)}  \n:small[{said}]", width="stretch")
    return line


def _written(found: Progress, now: datetime) -> None:
    asked = found.asked
    if asked is None:
        _step(_DONE, "Configured", f"By hand, in `{FILE}`")
    elif asked.status == "failed":
        why = (asked.error or "no reason was noted").removeprefix("nothing was written: ")
        line = _step(_BAD, "Not written", f"Nothing was changed: {plain(why)}")
        if line.button("Correct it", type="primary", key="correct"):
            changing = {"change": found.name} if asked.arguments.get("change") else {}
            st.query_params.from_dict({**changing, "again": asked.id})
            st.rerun()
    elif asked.status == "done":
        _step(_DONE, f"Written into {FILE}",
              f"By {plain(asked.actor)}, {plain(moment(asked.finished_at, now))} UTC; the file before is kept as"
              f" `{FILE}.bak`" + ("" if found.in_force else "; the pages take it up now"))  # fmt: skip
    else:
        _step(_WAITS, "Being written", "The worker looks every two seconds; if this stays, is it running?")


def _checked(house: House, actor: Actor, now: datetime, found: Progress) -> None:
    check = found.check
    if found.checking:
        _step(_WAITS, "Being checked", "One cheap call with its credential")
    elif check is None:
        line = _step(_OPEN, "Not checked yet", "One cheap call proves the credential and compares its rights")
        _button(line, house, actor, now, found, "check", "Check", "primary")
    elif check.status != "ok":
        line = _step(
            _BAD, "Cannot be read", f"{plain(check.error or '')} · {plain(moment(check.finished_at, now))} UTC"
        )
        _button(line, house, actor, now, found, "check", "Check again")
        _correct(actor, found)
    else:
        counts = check.counts or {}
        lacks, beyond = counts.get("missing") or [], counts.get("excess") or []
        lacking = f"{len(lacks)} missing" if lacks else "no missing right was named"
        rights = f"{lacking}, {len(beyond)} too many" if beyond else lacking  # not every check can compare rights
        line = _step(_WARNS if lacks or beyond else _DONE, "Answers to its credential",
                     f"{rights} · {plain(moment(check.finished_at, now))} UTC")  # fmt: skip
        _button(line, house, actor, now, found, "check", "Check again")
        rights_found(check)


def rights_found(check: JobRun) -> None:
    """What a check found missing, too much, or limited by a plan."""
    counts = check.counts or {}
    kinds = (("missing", f"{_WARNS} Missing:"), ("excess", f"{_WARNS} More than needed:"), ("notes", ":gray[Note:]"))
    for kind, words in kinds:
        for one in counts.get(kind) or []:
            st.markdown(f":small[{words} {plain(one)}]")


def _read(house: House, actor: Actor, now: datetime, found: Progress) -> None:
    pull, first = found.pull, "The first pull is due as soon as the worker has the new settings"
    if found.pulling:
        _step(_WAITS, "Being read", "What it says becomes a snapshot unless it is incomplete or a guard holds it")
    elif not found.in_force or (found.asked and found.asked.status != "done" and pull is None):
        _step(_OPEN, "Not read yet", first)
    elif pull is None:
        _button(_step(_OPEN, "Not read yet", first), house, actor, now, found, "pull", "Pull now")
    else:
        sign = {"ok": _DONE, "held": _WARNS}.get(pull.status, _BAD)
        title = {"ok": f"{count(pull.kept, 'row', 'rows')} read", "held": "Held by a guard"}.get(
            pull.status, "Last pull failed"
        )
        more = plain(pull.error) if pull.error else f"{pull.rejected:,} rejected, {pull.duplicates:,} duplicate"
        line = _step(sign, title, f"{more} · {plain(moment(pull.finished_at, now))} UTC")
        _button(line, house, actor, now, found, "pull", "Pull now")
        for said in pull.notes or []:
            note(f"{_WARNS} {plain(said)}")
        if pull.status not in ("ok", "held") and (found.check is None or found.check.status == "ok"):
            _correct(actor, found)


def _correct(actor: Actor, found: Progress) -> None:
    """Where the settings of a feed that cannot be read are put right."""
    name = plain(found.name)
    if may(actor, Verb.CONFIGURE):
        link("connect", "Change its settings", icon=":material/edit:", change=found.name)
    note(
        f'Set up wrongly? Its settings stand in `{FILE}` under `name = "{name}"`. Change them here, or there:'
        f" `leaverwatch pull {name}` tries them at once, and the worker takes them up when it is started again."
    )


def _button(
    line: st.delta_generator.DeltaGenerator,
    house: House,
    actor: Actor,
    now: datetime,
    found: Progress,
    verb: Work,
    label: str,
    kind: Literal["primary", "secondary"] = "secondary",
) -> None:
    if may(actor, Verb.RUN) and line.button(label, key=f"{verb}-step", type=kind, disabled=not found.in_force):
        attempt(
            lambda: findings.ask(house, actor, now, verb, {"feeds": [found.name]}),
            "Asked: the worker starts within seconds",
        )
