"""One sign-in tried out: paste an assertion, see what is in it, which line fires and what it would make."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import streamlit as st

from governance.errors import LeaverwatchError
from governance.house import House
from governance.mappings.trying import Trial, because
from governance.parts.notes import note
from governance.parts.text import bold, code, hot, plain, sentence, warm
from governance.provisioning import Reading, RoleMap
from governance.views.mappings import examples, tried
from governance.views.trials import VERBS, signature, validity

LONGEST: Final = 1_000_000  # characters, as `read` takes them


def one_sign_in(house: House, application: str, mapping: RoleMap, now: datetime) -> int | None:
    """The card; gives the number of the line that fires."""
    st.subheader("One assertion", anchor=False)
    pasted = _pasted(house)
    if not pasted:
        note(
            "Paste a SAML response or an id token as the browser sent it: raw, base64, a form or an address. It is read"
            " here and kept nowhere."
        )
        return None
    try:
        trial, reading, by = tried(house, application, pasted, now, mapping)
    except LeaverwatchError as error:
        st.error(sentence(error), icon=":material/gpp_bad:")
        return None
    _signature(reading, by)
    if trial is None:
        return None
    _told(trial)
    _outcome(trial, mapping)
    return trial.line


def _pasted(house: House) -> str | bytes | None:
    kept = examples(house)
    file = st.file_uploader("From a file", type=["xml", "txt", "b64", "jwt"], max_upload_size=1, key="assertion-file")
    chosen = st.selectbox("An example", list(kept), index=None, key="assertion-example") if kept else None
    text = st.text_area(
        "SAML response or id token", key="assertion", height=88, max_chars=LONGEST, placeholder="PHNhbWxwOlJlc3BvbnNl…"
    )
    if text.strip():
        return text
    if file is not None:
        return bytes(file.getvalue())
    return kept[chosen].read_bytes() if chosen else None


def _signature(reading: Reading, by: str | None) -> None:
    said = plain(signature(reading, by))
    if reading.signature == "verified":
        st.success(said, icon=":material/verified_user:")
        if reading.by:
            note(plain(reading.by))
    elif reading.signature == "encrypted":
        st.info(said, icon=":material/lock:")
    else:
        st.warning(said, icon=":material/gpp_maybe:")


def _told(trial: Trial) -> None:
    assertion = trial.reading.assertion
    assert assertion is not None
    facts = {
        "Issuer": assertion.issuer,
        "Subject": assertion.subject,
        "Format": assertion.subject_format.rpartition(":")[2],
        "Audience": assertion.audience,
        "Valid": validity(trial.reading),
    }
    st.markdown("  \n".join(f":small[:gray[{name}] {code(value)}]" for name, value in facts.items()))
    rows = ["| Attribute | Value |", "|:---|:---|"]
    rows += [f"| {_cell(name)} | {_cell(', '.join(values))} |" for name, values in trial.reading.told[:20]]
    groups = "not told" if assertion.groups is None else ", ".join(assertion.groups) or "none"
    if "groups" not in {name for name, _ in trial.reading.told}:
        rows.append(f"| `groups` | {plain('too many: not told' if assertion.groups_overage else groups)} |")
    st.markdown(":small[Attributes]\n\n" + "\n".join(rows))


def _cell(text: str) -> str:
    return code(text[:200]).replace("|", "¦")  # a bar would end the cell


def _outcome(trial: Trial, mapping: RoleMap) -> None:
    note(plain(because(trial.given, mapping)))
    st.markdown(f"#### {plain(', '.join(trial.given.entitlements) or 'No role')}")
    decision = trial.decision
    verb = VERBS[decision.verb]
    st.markdown(f"{hot(verb) if decision.verb == 'refuse' else bold(verb)}: {plain(decision.why)}.")
    who = (trial.person or {}).get("display_name") or "Nobody whom the sources of truth know"
    parts = [f"{plain(who)} holds {bold(', '.join(trial.held) or 'nothing')} today."]
    if trial.beyond:
        parts.append(f"{warm(', '.join(trial.beyond))} comes from no line.")
    if trial.grant and decision.verb == "update":
        parts.append(f"This sign-in gives {bold(', '.join(trial.grant))}.")
    if trial.revoke:
        parts.append(f"This sign-in takes {hot(', '.join(trial.revoke))}.")
    if trial.lacking and not trial.grant:
        parts.append(f"It would not get {bold(', '.join(trial.lacking))}: roles are given only once here.")
    st.markdown(" ".join(parts))
    for warning in trial.warnings:
        st.markdown(f":small[:orange[◆] {plain(warning[:1].upper() + warning[1:])}]")
