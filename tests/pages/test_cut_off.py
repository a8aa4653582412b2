"""A run of the script that is cut off, because the reader went on meanwhile, loses nothing, wherever it was.

Every line is tried: before it, Streamlit is asked for another run as the browser's message does it, and ends this one
at its next word.
"""

from __future__ import annotations

import json
import sys

from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.scriptrunner_utils.script_requests import RerunData
from streamlit.testing.v1 import AppTest

from tests.screen import point_at


class Reader:
    """Goes on, once, just before the line of that number which runs in that file; 0 for never."""

    def __init__(self, file, *, at, address=""):
        self.file, self.goes_on_at, self.address = file, at, address
        self.lines = 0

    def __enter__(self):
        self.before = sys.gettrace()
        sys.settrace(self.watches)
        return self

    def __exit__(self, *_):
        sys.settrace(self.before)

    def watches(self, frame, event, _):
        if frame.f_code.co_filename != self.file:
            return None
        if event == "line":
            self.lines += 1
            if self.lines == self.goes_on_at:
                get_script_run_ctx().script_requests.request_rerun(RerunData(query_string=self.address))
        return self.watches


def confirming():
    import streamlit as st

    from governance.parts import acting
    from tests.pages.test_cut_off import Reader

    line = st.session_state.pop("line", 0)
    if line:
        acting.say_after("1 proposed")
    with Reader(acting.__file__, at=line):
        acting.say_what_was_done()


def choosing():
    import streamlit as st

    from governance.parts import grid as grids
    from tests.pages.test_cut_off import Reader

    rows = [{"id": one, "label": one} for one in "abc"]
    with Reader(grids.__file__, at=st.session_state.pop("line", 0), address="finding=a") as reader:
        choice = grids.grid("finding", "Findings", [grids.Column("id", "Id")], rows)
    st.session_state["current"], st.session_state["lines"] = choice.current, reader.lines


def at_a(*, line):
    app = AppTest.from_function(choosing)
    app.query_params["finding"] = "a"
    app.run()
    assert (app.session_state["current"], sent(app)) == ("a", ["a", 1])
    app.session_state["line"] = line
    return app


def sent(app):
    """Which row the browser is sent to, with the number of that time."""
    [grid] = app.get("bidi_component")
    return json.loads(grid.proto.json)["asked"]


def test_a_confirmation_is_shown_whichever_line_a_run_was_cut_off_at():
    for line in 1, 2, 3:
        app = AppTest.from_function(confirming)
        app.session_state["line"] = line
        app.run()
        assert not app.exception
        assert [toast.value for toast in app.toast] == ["1 proposed"], line
        app.run()
        assert not app.toast, "once is enough"


def test_where_the_reader_went_is_heard_whichever_line_a_run_was_cut_off_at():
    lines = point_at(at_a(line=0), "finding", "c").session_state["lines"]
    assert lines > 20
    for line in range(1, lines):  # at the last line all is told
        app = point_at(at_a(line=line), "finding", "c")
        assert app.session_state["current"] == "c", line
        assert app.query_params == {"finding": "c"}, line
        assert sent(app) == ["a", 1], "the browser is not sent back to where the reader was"
        app.query_params["finding"] = "b"
        app.run()
        assert app.session_state["current"] == "b", "what was heard once does not count again"
