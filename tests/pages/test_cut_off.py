"""A run of the script that is cut off where it speaks to the browser, because the reader went on, loses nothing."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from governance.parts import acting
from governance.parts import grid as grids
from governance.parts.grid import Column, grid


class CutOff(Exception):
    """Stands for the exception with which Streamlit ends a run that another one follows."""


class Address(dict):
    """The address in the browser, as one run of the script knows it; to tell another one may be the run's end."""

    cut_off = False

    def __setitem__(self, name, value):
        if self.cut_off:
            raise CutOff
        super().__setitem__(name, value)


def test_a_confirmation_is_shown_once_by_the_run_that_comes_to_it(monkeypatch):
    shown = []

    def toast(text, icon):
        if not shown:
            shown.append("cut off")
            raise CutOff
        shown.append(text)

    monkeypatch.setattr(acting, "st", SimpleNamespace(session_state={}, toast=toast))
    acting.say_after("1 proposed")
    with pytest.raises(CutOff):
        acting.say_what_was_done()
    acting.say_what_was_done()
    acting.say_what_was_done()
    assert shown == ["cut off", "1 proposed"]


def test_where_the_reader_went_is_heard_by_the_run_that_comes_to_it(monkeypatch):
    address = Address(finding="a")
    here = SimpleNamespace(session_state={}, query_params=address)
    monkeypatch.setattr(grids, "st", here)
    sent = []
    monkeypatch.setattr(grids, "_component", lambda *, data, **_: sent.append(data["asked"]) or {})
    rows = [{"id": one, "label": one} for one in "abc"]

    def drawn():
        return grid("finding", "Findings", [Column("id", "Id")], rows).current

    assert drawn() == "a"
    here.session_state["grid-finding"] = {"choice": {"current": "c", "chosen": [], "count": 1}}
    address.cut_off = True
    with pytest.raises(CutOff):
        drawn()
    address.cut_off = False
    assert drawn() == "c", "the next run still has the old address from the browser"
    assert address == {"finding": "c"}
    assert sent == [["a", 1], ["a", 1]], "the browser is not sent back to where the reader was"
    address["finding"] = "b"
    assert drawn() == "b", "what was heard once does not count again"
