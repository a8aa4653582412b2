"""Who had what on an earlier day, as known then and as known now: what is answered equals a replay of what happened."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta

import histories
import pytest
from histories import DAY, FIRST, STEPS, Employment, History

from governance.findings.time_travel import known_at, looked_back
from governance.views.earlier import held, named
from governance.views.runs import Run

QUESTIONS = 500
INSTANTS = 40


@pytest.fixture(scope="module")
def history(tmp_path_factory):
    from governance.house import House
    from governance.settings import parse
    from governance.store import open_store

    home = tmp_path_factory.mktemp("history")
    store = open_store("sqlite:///leaverwatch.db", home, FIRST)
    (home / "snapshots").mkdir()
    yield History(House(home, parse(histories.SETTINGS), store, home / "snapshots", {}), seed=20261125).happen()
    store.close()


@pytest.fixture(scope="module")
def questions(history):
    chance = random.Random(6)
    hours = int((history.end - FIRST) / timedelta(hours=1))
    instants = [FIRST - 2 * DAY + timedelta(hours=chance.randrange(hours), minutes=7) for _ in range(INSTANTS)]
    everybody = sorted({about[0] for _, where, what, about in history.log if (where, what) == ("hr", "hired")})
    return [(chance.choice(everybody), chance.choice(instants)) for _ in range(QUESTIONS)]


def midnight_after(day):
    return datetime.combine(day, datetime.min.time(), UTC) + DAY


class Replay:
    """The naive answer: walk the log, event by event, as far as the readings that were known reached."""

    def __init__(self, history, as_of, known):
        self.history, self.as_of, self.known = history, as_of, known
        self.boxes = {}
        self.about = {}
        for event in history.log:
            self.about.setdefault((event[1], event[3][0]), []).append(event)

    def last_read(self, feed, until=None):
        reads = [r.at for r in self.history.reads if r.feed == feed and r.known <= self.known]
        return max((at for at in reads if until is None or at <= until), default=None)

    def employments(self, who, *, later):
        """Engagement by engagement what HR had written down when its file was read; None when it had never told."""
        seen = {}
        first = None
        for read in sorted(r.at for r in self.history.reads if r.feed == "hr" and r.known <= self.known):
            if read > self.as_of and not later:
                break
            job = None
            for when, _, what, about in self.about.get(("hr", who), ()):
                if when > read:
                    continue
                if what == "hired":
                    job = Employment(about[1])
                elif what == "leaves":
                    job.end = about[1]
                elif what == "dropped":
                    job = None
            if job is not None:
                seen[job.hire] = job.end
                first = first or read
        return seen if first is not None and first <= self.as_of else None

    def person(self, who, *, later):
        jobs = self.employments(who, later=later)
        if jobs is None:
            return None
        hire = max(day for day in jobs if datetime.combine(day, datetime.min.time(), UTC) <= self.as_of)
        end = jobs[hire] and midnight_after(jobs[hire])
        return ("ended" if end and end <= self.as_of else "current", end)

    def accounts(self, who):
        found = {}
        pinned = {}
        for when, app, account, owner in self.history.pins:
            if when <= self.known:
                pinned[app, account] = owner
        for app in histories.APPLICATIONS:
            read = self.last_read(app, self.as_of)
            if app not in self.boxes:
                self.boxes[app] = self.told(app, read) if read else {}
            for account, (owner, active, names) in self.boxes[app].items():
                if pinned.get((app, account), owner) == who:
                    found[app, account] = (active, frozenset(name.rstrip("!") for name in names))
        return found

    def told(self, app, read):
        boxes = {}
        for when, where, what, about in self.history.log:
            if where != app or when > read:
                continue
            if what == "opened":
                boxes[about[0]] = [about[1], True, set()]
            elif what == "switched":
                boxes[about[0]][1] = about[1]
            elif what == "gained":
                boxes[about[0]][2].add(about[1])
            elif what == "lost":
                boxes[about[0]][2].remove(about[1])
            else:
                del boxes[about[0]]
        return boxes

    def answer(self, who):
        person = self.person(who, later=self.known > self.as_of)
        return None if person is None else (person, self.accounts(who))


def answered(run, who):
    people = named(run, f"hr:{who}")
    if not people:
        return None
    accounts = {
        (row["application"], row["account_id"]): (
            row["active"],
            frozenset(grant["name"] for grant in row["entitlements"]),
        )
        for row in held(run, [f"hr:{who}"])
    }
    return ((people[0]["state"], people[0]["ended_at"]), accounts)


@pytest.mark.parametrize("known", ["then", "now"])
def test_five_hundred_questions_equal_a_replay_of_what_happened(history, questions, known):
    asked: dict[datetime, list[str]] = {}
    for who, as_of in questions:
        asked.setdefault(as_of, []).append(who)
    right, wrong, kinds = 0, [], Counter()
    for as_of, people in asked.items():
        moment = known_at(known, as_of, history.end)
        replay = Replay(history, as_of, moment)
        with looked_back(history.house, as_of, moment) as seen:
            run = Run(id="", as_of=as_of, finished_at=None, estate=seen.folder)
            for who in people:
                told, expected = answered(run, who), replay.answer(who)
                kinds["unknown" if expected is None else expected[0][0]] += 1
                if told == expected:
                    right += 1
                else:
                    wrong.append((who, as_of.isoformat(), told, expected))
    assert (right, wrong[:3]) == (QUESTIONS, [])
    assert min(kinds["unknown"], kinds["ended"], kinds["current"]) >= 15, kinds


def test_then_and_now_differ_often_enough_to_be_told_apart(history, questions):
    """Else the questions would prove little: late leavings, put off ones, late readings and pins all make a difference."""
    state = accounts = 0
    replays = {as_of: (Replay(history, as_of, as_of), Replay(history, as_of, history.end)) for _, as_of in questions}
    for who, as_of in questions:
        then, now = (replay.answer(who) for replay in replays[as_of])
        if then and now:
            state += then[0] != now[0]
            accounts += then[1] != now[1]
    assert state >= 10
    assert accounts >= 25
    assert len({read.at for read in history.reads}) == STEPS
    assert sum(read.known > read.at for read in history.reads) >= 15
