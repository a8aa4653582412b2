"""A page with the review grid alone, over a file of decisions: `streamlit run tests/browser/reviewing.py -- FOLDER`.

The file holds each decision once, as a campaign does; what the folder asks for (`rows.json`, `slow`, `closed`, `preview`, `mute`,
`restless`) is how the page behaves. Nothing is kept in memory, so the process can be killed at any time.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import streamlit as st

sys.path.insert(0, str(Path(__file__).parents[2]))  # Streamlit puts only this folder on the path

from governance.parts.review_grid import review_grid

folder = Path(sys.argv[1])
log = folder / "decisions.jsonl"
asked = st.query_params.get("page", "1")
st.set_page_config("Reviewing", layout="wide")
st.title("Q4 2026: Finance applications")

every = json.loads((folder / "rows.json").read_text())
stored = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
for entry in stored:
    row = every[entry["number"] - 1]
    row.update(decision=entry["decision"], reason=entry["reason"], decided_by="ana@example.com")
    if entry["decision"] == "undo":
        row.update(decision=None, reason="", decided_by=None)
size = int(st.query_params.get("size", "200"))
first = (int(asked) - 1) * size + 1
restless = (folder / "restless").exists()
turn = st.session_state["turn"] = st.session_state.get("turn", 0) + 1
told = review_grid(
    "q4 ana",
    every[first - 1 : first - 1 + size],
    label=f"Q4 2026: Finance applications{f' ({turn})' if restless else ''}",
    scope=asked,
    saved=[entry["nonce"] for entry in stored],
    closed=(folder / "closed").exists() or (folder / "preview").exists(),
    preview=(folder / "preview").exists(),
    first=first,
    total=len(every),
    refused=json.loads((folder / "refused.json").read_text()) if (folder / "refused.json").exists() else {},
    known=range(1, len(every) + 1),
)
st.link_button("Page 2", f"?page=2&size={size}")
heard = st.session_state["heard"] = turn if told else st.session_state.get("heard", 0)
if told and not (folder / "mute").exists():
    if (folder / "slow").exists():
        time.sleep(1)
    with log.open("a") as out:
        seen = {entry["nonce"] for entry in stored}
        out.writelines(json.dumps(vars(one)) + "\n" for one in told if one.nonce not in seen)
    st.rerun()
# What the list is told changes again before the browser has taken in the last change; of a browser that is 500 messages
# behind Streamlit gives up hearing, and a slow one is not told more than it can take in.
if restless and turn - heard < 25:
    time.sleep(0.02)
    st.rerun()
