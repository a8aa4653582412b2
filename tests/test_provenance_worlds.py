"""How an account came to be, judged in invented estates that were not made for the judge: right, unsure or wrong."""

from __future__ import annotations

import pytest
from provenance_worlds import WORLDS, built, measured

# A person whose name a program uses, too, made these by hand: what is told of them is what is told of pushed ones.
AMBIGUOUS = {"programs under a person's name", "pushes not told, under a person's name"}


@pytest.mark.parametrize("name", WORLDS)
def test_what_a_log_tells_is_told_right_and_what_is_sure_is_right(name):
    told = measured(built(name, seed=1))
    assert told.accuracy >= (0.93 if name in AMBIGUOUS else 0.98)
    assert told.sure_and_wrong <= 0.05 * told.sure
    assert told.sure >= 0.1 * told.accounts


@pytest.mark.parametrize("name", ["logs that name", "programs under a person's name", "neither pushes nor makers told"])
def test_with_clocks_apart_and_events_lost_what_is_sure_is_right(name):
    told = measured(built(name, seed=2, harmed=True))
    assert told.sure_and_wrong <= 0.05 * told.sure
    assert told.wrong <= 0.15 * told.accounts
    assert sum(said for said, _ in told.calibration.values()) == told.accounts - told.unknown
