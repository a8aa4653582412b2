"""A seeded history of a company: what happens, when its systems tell it, and when we read it; pulled for real.

Everything is written down twice: into the files that the feeds read, from the state of the day, and into a plain log of
events. A test that replays the log never looks at a file or a snapshot.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from governance import guards
from governance.access import find_actor
from governance.findings import pin
from governance.rulebook import all_rules
from jobs.detect import detect
from jobs.pull import pull

FIRST = datetime(2026, 1, 5, 6, tzinfo=UTC)
STEP = timedelta(days=9)
STEPS = 40
APPLICATIONS = ("crm", "wiki", "erp")
ENTITLEMENTS = ("Reader", "Editor", "Billing", "Root!")
PEOPLE, ACCOUNTS = 120, 115
DAY = timedelta(days=1)
SETTINGS = {
    "policy": {"rules_off": sorted({*all_rules()} - {"ghost"})},  # judged only so that accounts can be pinned
    "snapshots": {"keep_days": 2_000},
    "source": [{"name": "hr", "connector": "hr_csv", "path": "hr.csv", "date_format": "%Y-%m-%d"}],
    "application": [{"name": name, "connector": "app_csv", "path": f"{name}.csv"} for name in APPLICATIONS],
    "actor": [{"email": f"{name}@x.example", "roles": ["admin", "security"]} for name in ("sue", "tom")],
}


@dataclass
class Employment:
    """What HR has written down about the last engagement of a person."""

    hire: date
    end: date | None = None  # the last day of work

    def ended(self, at: datetime) -> bool:
        return self.end is not None and datetime.combine(self.end, datetime.min.time(), UTC) + DAY <= at


@dataclass
class Box:
    """One account as its application has it now."""

    owner: str | None
    active: bool = True
    held: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Read:
    """One pull that came to be believed: what it is of, and when we knew."""

    feed: str
    at: datetime
    known: datetime


class History:
    """The company, its log, and the house that reads it."""

    def __init__(self, house, seed: int) -> None:
        self.house, self.chance = house, random.Random(seed)
        self.log: list[tuple[datetime, str, str, tuple]] = []  # when it was written down, where, what, about what
        self.reads: list[Read] = []
        self.pins: list[tuple[datetime, str, str, str]] = []
        self.staff: dict[str, Employment] = {}
        self.apps: dict[str, dict[str, Box]] = {name: {} for name in APPLICATIONS}
        self.kept: dict[str, list[tuple[datetime, str]]] = {}  # exports that were kept and are read later
        self.end = FIRST + STEPS * STEP + 3 * DAY
        self.numbers = iter(range(1, 10_000))

    def write_down(self, when: datetime, where: str, what: str, *about) -> None:
        self.log.append((when, where, what, about))

    # What happens.

    def hired(self, when: datetime, ago: int) -> None:
        who, hire = str(next(self.numbers)), (when - ago * DAY).date()
        self.staff[who] = Employment(hire)
        self.write_down(when, "hr", "hired", who, hire)
        for app in APPLICATIONS:
            if len(self.apps[app]) < ACCOUNTS or self.chance.random() < 0.5:
                self.opened(when, app, who)

    def opened(self, when: datetime, app: str, owner: str | None) -> None:
        account = f"{app}-{next(self.numbers)}"
        self.apps[app][account] = Box(owner)
        self.write_down(when, app, "opened", account, owner)
        for name in self.chance.sample(ENTITLEMENTS, self.chance.randint(0, 2)):
            self.apps[app][account].held.add(name)
            self.write_down(when, app, "gained", account, name)

    def people_change(self, when: datetime, after: datetime) -> None:
        """What HR writes down at `when`, after its file was last read at `after`."""
        chance = self.chance
        working = sorted(who for who, job in self.staff.items() if job.end is None)
        for who in chance.sample(working, chance.randint(0, 2)):  # known ahead, or told late
            job = self.staff[who]
            off = chance.choice([*range(1, 26), *range(-20, 0)])
            end = max((when + off * DAY).date(), job.hire)
            job.end = end
            self.write_down(when, "hr", "leaves", who, end)
        for who, job in sorted(self.staff.items()):
            gone = job.ended(when)
            if job.end and not job.ended(after) and chance.random() < 0.15:  # HR's file never said "terminated"
                job.end = None if chance.random() < 0.5 else (when + chance.randint(5, 40) * DAY).date()
                self.write_down(when, "hr", "leaves", who, job.end)
            elif gone and chance.random() < 0.02:
                hire = job.end + timedelta(days=chance.randint(1, max(1, (when.date() - job.end).days)))
                self.staff[who] = Employment(hire)
                self.write_down(when, "hr", "hired", who, hire)
            elif gone and (when.date() - job.end).days > 90 and chance.random() < 0.1:
                del self.staff[who]  # tidied away
                self.write_down(when, "hr", "dropped", who)
        for _ in range(chance.randint(0, 2)):
            self.hired(when, chance.randint(0, 12))

    def accounts_change(self, when: datetime, app: str) -> None:
        chance, boxes = self.chance, self.apps[app]
        for account in chance.sample(sorted(boxes), 8):
            box = boxes[account]
            what = chance.random()
            if what < 0.15:
                box.active = not box.active
                self.write_down(when, app, "switched", account, box.active)
            elif what < 0.22:
                del boxes[account]
                self.write_down(when, app, "deleted", account)
            elif what < 0.7:
                name = chance.choice(ENTITLEMENTS)
                held = name in box.held
                (box.held.discard if held else box.held.add)(name)
                self.write_down(when, app, "lost" if held else "gained", account, name)
        if chance.random() < 0.3:
            self.opened(when, app, None)

    # What is read, and when.

    def export(self, feed: str, at: datetime) -> str:
        if feed == "hr":
            rows = ["employee_id,status,work_email,display_name,hire_date,termination_date"]
            rows += [
                f"{who},{'terminated' if job.ended(at) else 'active'},p{who}@x.example,Person {who},{job.hire},{job.end or ''}"
                for who, job in sorted(self.staff.items())
            ]
        else:
            rows = ["account_id,username,status,employee_id,entitlements"]
            rows += [
                f"{account},{account},{'active' if box.active else 'inactive'},{box.owner or ''},{';'.join(sorted(box.held))}"
                for account, box in sorted(self.apps[feed].items())
            ]
        return "\n".join(rows) + "\n"

    def read(self, feed: str, at: datetime, now: datetime, text: str) -> None:
        (self.house.home / f"{feed}.csv").write_text(text)
        [result] = pull(self.house, [feed], now, at=at)
        if result.status == "held":  # looked at by two people, two days later
            now += 2 * DAY
            for name in ("sue", "tom"):
                actor = find_actor(self.house.settings, f"{name}@x.example")
                guards.release(self.house, actor, now, result.snapshot, "all of them are real")
        else:
            assert result.status == "published", result
        self.reads.append(Read(feed, at, now))

    def pin(self, now: datetime, app: str, account: str, who: str) -> None:
        detect(self.house, now)
        pin(
            self.house, find_actor(self.house.settings, "sue@x.example"), now, app, account, f"hr:{who}", "it is theirs"
        )
        self.pins.append((now, app, account, who))

    def happen(self) -> History:
        """Forty times: what happened, and what was read of it; the wiki often late, the ERP from kept exports."""
        for number in range(PEOPLE):
            self.hired(FIRST - 400 * DAY + number * DAY, 5)
        before = FIRST
        for step in range(STEPS):
            at = FIRST + step * STEP
            if step:
                self.people_change(at - timedelta(hours=self.chance.randint(1, 150)), before)
                for app in APPLICATIONS:
                    self.accounts_change(at - timedelta(hours=self.chance.randint(1, 150)), app)
            if step == 15:  # a clean-up that the guard stops
                for account in self.chance.sample(sorted(a for a, box in self.apps["crm"].items() if box.active), 20):
                    self.apps["crm"][account].active = False
                    self.write_down(at - timedelta(hours=1), "crm", "switched", account, False)
            before = at
            self.read("hr", at, at, self.export("hr", at))
            self.read("crm", at, at, self.export("crm", at))
            late = step % 4 == 2
            self.read("wiki", at, at + timedelta(days=4 if late else 0), self.export("wiki", at))
            if step < 24 and step % 3 == 0:
                self.kept.setdefault("erp", []).append((at, self.export("erp", at)))
            elif step == 24:  # connected only now, with the exports of eight earlier days
                for then, text in self.kept.pop("erp"):
                    self.read("erp", then, at, text)
            if step >= 24:
                self.read("erp", at, at, self.export("erp", at))
            if step in (10, 20, 30):
                self._decide(at + timedelta(days=5))
        return self

    def _decide(self, now: datetime) -> None:
        """Somebody says whose an account without an owner is; the first of them is given to another one later."""
        people = [who for who, job in sorted(self.staff.items()) if job.hire < (now - 100 * DAY).date()]
        free = sorted(a for a, box in self.apps["crm"].items() if box.owner is None)
        read = max(r.at for r in self.reads if r.feed == "crm")
        opened = {
            about[0] for when, where, what, about in self.log if (where, what) == ("crm", "opened") and when <= read
        }
        taken = [account for _, _, account, _ in self.pins if account in free]
        for account in [*taken[:1], *[a for a in free if a in opened and a not in taken][:2]]:
            now += timedelta(hours=1)
            self.pin(now, "crm", account, self.chance.choice(people))
