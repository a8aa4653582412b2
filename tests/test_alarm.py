"""One thread watches over all requests of a session: it rings when a time is over, and only then."""

from __future__ import annotations

import threading
import time

from connectors.kit.alarm import Alarm


def threads():
    """Those that watch for an alarm."""
    return [t for t in threading.enumerate() if getattr(t, "_target", None) and "Alarm" in t._target.__qualname__]


def test_it_rings_once_when_the_time_is_over():
    rung = []
    clock = Alarm(lambda: rung.append(time.monotonic()))
    begun = time.monotonic()
    with clock.after(0.05):
        while not rung and time.monotonic() < begun + 10:  # a busy machine wakes the thread late
            time.sleep(0.01)
        time.sleep(0.25)
    assert len(rung) == 1
    assert rung[0] - begun >= 0.05


def test_it_is_silent_when_all_was_done_before():
    rung = []
    clock = Alarm(lambda: rung.append(1))
    late = 0
    for _ in range(100):
        begun = time.monotonic()
        with clock.after(0.05):
            pass
        late += time.monotonic() - begun >= 0.05  # a busy machine may stop us just there
    time.sleep(0.2)
    assert len(rung) <= late


def test_a_time_that_is_over_earlier_than_the_one_before_is_not_missed():
    rung = threading.Event()
    clock = Alarm(rung.set)
    with clock.after(600):
        pass
    with clock.after(0.05):
        assert rung.wait(10)


def test_a_time_that_is_over_already_rings_at_once():
    rung = threading.Event()
    with Alarm(rung.set).after(-1):
        assert rung.wait(10)


def test_one_thread_watches_and_ends_when_nothing_is_awaited():
    rung, before = threading.Event(), len(threads())
    clock = Alarm(rung.set, idle_s=0.05)
    for _ in range(50):
        with clock.after(600):
            assert len(threads()) == before + 1
    ends = time.monotonic() + 10
    while len(threads()) > before and time.monotonic() < ends:
        time.sleep(0.01)
    assert len(threads()) == before
    with clock.after(0.05):  # and begins anew
        assert rung.wait(10)
