"""The people of the invented company, as its HR file tells them: today and at an earlier day."""

from __future__ import annotations

import csv
import random
import tomllib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final

DATA: Final = Path(__file__).resolve().parents[2] / "data" / "demo"
DOMAIN: Final = "nwl.example"
EARLIER_DAYS: Final = 40  # before the first of the thirty days the story is about
PLACES: Final = (
    ("Berlin", "Europe/Berlin", 6),
    ("Lisbon", "Europe/Lisbon", 2),
    ("Toronto", "America/Toronto", 1),
    ("Melbourne", "Australia/Melbourne", 1),
)
HR_COLUMNS: Final = (
    "employee_id",
    "display_name",
    "work_email",
    "status",
    "hire_date",
    "termination_date",
    "last_day_of_work",
    "worker_type",
    "contract_end_date",
    "manager_employee_id",
    "department",
    "job_title",
    "location",
    "time_zone",
    "aliases",
    "cost_center",
    "updated_at",
)
NAMESAKE: Final = "10349"  # whose initial and surname somebody else has too
_UNFOLDED: Final = str.maketrans({"ø": "o", "ł": "l", "ı": "i", "ß": "ss", "æ": "ae"})


@dataclass(frozen=True)
class Person:
    """One person of the company. `part` is what they are cast for; `active_in` is None for the many without a part."""

    employee_id: str
    name: str
    email: str
    department: str
    title: str
    worker_type: str
    manager_id: str
    cost_center: str
    place: str
    time_zone: str
    hired: date
    part: str = "current"
    last_day: date | None = None  # the last day of work
    contract_end: str = ""
    active_in: tuple[str, ...] | None = None
    detail: str = ""
    last_used: tuple[tuple[str, int], ...] = ()  # application, days ago

    def in_file(self, day: date, today: date) -> bool:
        """Whether the HR file of that day holds this person."""
        if self.part == "missing":
            return day < today
        return day == today or self.hired <= day

    def rows(self, day: date, today: date) -> list[dict[str, str]]:
        """The rows of this person in the HR file of that day: two for somebody who came back."""
        earlier = day < today
        ended = self.last_day is not None and self.last_day < day
        status = (
            "terminated" if ended and self.part == "leaver" else self.part if self.part in ("leave", "future") else ""
        )
        row = {
            "employee_id": self.employee_id,
            "display_name": self.name,
            "work_email": self.email,
            "status": "active" if earlier and not ended else status or "active",
            "hire_date": self.hired.isoformat(),
            "termination_date": self.last_day.isoformat() if self.last_day and ended else "",
            # A contradictory row is active and has nothing but a termination date in the past.
            "last_day_of_work": self.last_day.isoformat() if self.last_day and ended and self.part == "leaver" else "",
            "worker_type": self.worker_type,
            "contract_end_date": self.contract_end,
            "manager_employee_id": self.manager_id,
            "department": self.department,
            "job_title": self.title,
            "location": self.place,
            "time_zone": self.time_zone,
            "aliases": f"events@{DOMAIN}" if self.part == "shares_alias" else "",
            "cost_center": self.cost_center,
            "updated_at": f"{day.isoformat()}T04:00:00Z",
        }
        if earlier and self.part == "moved":
            row |= {"department": self.detail}
        if earlier and self.part == "renamed":
            row |= {"display_name": self.detail, "work_email": address(self.detail)}
        if self.part != "rehired":
            return [row]
        first = {
            "hire_date": _back(today, 2200),
            "termination_date": _back(today, 900),
            "last_day_of_work": _back(today, 900),
        }
        return [{**row, "status": "terminated", **first}, row]


def staff(rng: random.Random, today: date) -> list[Person]:
    """Everybody of today's file, and after them the two whom only the earlier file holds."""
    departments = tomllib.loads((DATA / "departments.toml").read_text(encoding="utf-8"))["department"]
    by_name = {department["name"]: department for department in departments}
    cast = [_cast(row, by_name, today) for row in _table("cast.csv")]
    taken = {person.email for person in cast}
    names = unused_names(rng, {person.name for person in cast})
    numbers = iter(sorted({str(n) for n in range(10020, 10600)} - {person.employee_id for person in cast}))
    crowd: list[Person] = []
    for department in departments:
        known = sum(p.department == department["name"] and p.part != "missing" for p in cast)
        for _ in range(department["size"] - known):
            crowd.append(_extra(rng, department, next(names), next(numbers), taken, today))
    crowd = _with_fates(rng, crowd, today)
    everybody = sorted((*cast, *crowd), key=lambda person: person.employee_id)
    return [p for p in everybody if p.part != "missing"] + [p for p in everybody if p.part == "missing"]


def malformed(today: date) -> list[dict[str, str]]:
    """Two rows that must be quarantined: a date in another format, and nobody's id."""
    common = {"status": "future", "worker_type": "employee", "department": "Support", "job_title": "Support Specialist"}
    day = today + timedelta(days=30)
    return [
        {
            **common,
            "employee_id": "10690",
            "display_name": "Otto Brandvold",
            "work_email": f"o.brandvold@{DOMAIN}",
            "hire_date": f"03/{day.month:02}/{day.year}",
        },
        {**common, "display_name": "Mina Castell", "work_email": f"m.castell@{DOMAIN}", "hire_date": day.isoformat()},
    ]


def address(name: str, full: bool = False) -> str:
    """The work address of a name: initial and surname in ASCII, or both names in full."""
    folded = unicodedata.normalize("NFKD", name.lower().translate(_UNFOLDED)).encode("ascii", "ignore").decode()
    given, family = folded.split(" ", 1)
    return f"{given if full else given[0]}.{family.replace(' ', '')}@{DOMAIN}"


def _cast(row: dict[str, str], departments: dict[str, Any], today: date) -> Person:
    number = row["employee_id"]
    head = departments[row["department"]]["head"]
    return Person(
        employee_id=number,
        name=row["name"],
        email=address(row["name"], full=number == NAMESAKE),
        department=row["department"],
        title=row["title"],
        worker_type=row["worker_type"],
        manager_id="" if number == "10001" else "10001" if number == head else head,
        cost_center=departments[row["department"]]["cost_center"],
        place="Berlin",
        time_zone="Europe/Berlin",
        hired=today - timedelta(days=int(row["hired_days"])),
        part=row["part"],
        # "Left 19 days ago": the engagement ended 19 days ago at midnight, after the last working day.
        last_day=today - timedelta(days=int(row["left_days"]) + 1) if row["left_days"] else None,
        contract_end=_back(today, int(row["contract_end_days"])) if row["contract_end_days"] else "",
        active_in=tuple(filter(None, row["accounts"].split(";"))),
        detail=row["detail"],
        last_used=tuple(
            (application, int(days))
            for application, _, days in (entry.partition(":") for entry in row["last_used"].split(";") if entry)
        ),
    )


def _extra(
    rng: random.Random, department: dict[str, Any], name: str, number: str, taken: set[str], today: date
) -> Person:
    email = address(name)
    if email in taken:
        email = address(name, full=True)
    taken.add(email)
    kind = rng.choices(("employee", "contingent", "intern", "vendor"), (88, 9, 2, 1))[0]
    place, zone, _ = rng.choices(PLACES, [weight for *_, weight in PLACES])[0]
    contract_end = ""
    if kind != "employee":
        contract_end = _back(today, -rng.randint(25, 300))
    elif rng.random() < 0.1:
        contract_end = "9999-12-31"  # how some HR systems write an open end
    return Person(
        employee_id=number if kind == "employee" else f"00{number[-3:]}",  # leading zeros: an id is text
        name=name,
        email=email,
        department=department["name"],
        title=rng.choice(department["titles"]),
        worker_type=kind,
        manager_id=department["head"],
        cost_center=department["cost_center"],
        place=place,
        time_zone="" if zone == "Europe/Berlin" else zone,
        hired=today - timedelta(days=rng.randint(60, 3000) if kind == "employee" else rng.randint(50, 330)),
        contract_end=contract_end,
    )


def _with_fates(rng: random.Random, crowd: list[Person], today: date) -> list[Person]:
    """Five on leave, eighteen who left long ago and are closed everywhere, six who came after the earlier file.

    With the thirteen of the story, nine of whom left something open, 29 % of those who left did.
    """
    chosen = rng.sample([i for i, p in enumerate(crowd) if p.worker_type == "employee"], 29)
    for order, index in enumerate(chosen):
        person = crowd[index]
        if order < 5:
            crowd[index] = replace(person, part="leave")
        elif order < 23:
            left = today - timedelta(days=rng.randint(60, 300))
            crowd[index] = replace(person, part="leaver", last_day=left, hired=left - timedelta(days=700), active_in=())
        else:
            crowd[index] = replace(person, hired=today - timedelta(days=rng.randint(4, 35)))
    return crowd


def unused_names(rng: random.Random, taken: set[str]) -> Iterator[str]:
    """Names of people who are none of these, in an order that is left to luck."""
    given = (DATA / "given_names.txt").read_text(encoding="utf-8").split()
    family = (DATA / "family_names.txt").read_text(encoding="utf-8").split()
    pairs = [f"{g} {f}" for g in given for f in family]
    rng.shuffle(pairs)
    return (name for name in pairs if name not in taken)


def _table(name: str) -> list[dict[str, str]]:
    with (DATA / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def _back(today: date, days: int) -> str:
    return (today - timedelta(days=days)).isoformat()
