"""What tests of notices share: channels, who is told, one time of telling, and what is kept of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.message import EmailMessage
from typing import Any

import pytest
from conftest import NOW
from notice_receivers import KEY, MailServer, Receiver
from seeded import TWO_APPLICATIONS, put_remediation
from sqlmodel import select

from governance.house import House
from governance.tables import JobRun, Notice, Remediation
from jobs import remind as reminding

QUIET = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # a library of Apprise's
SEC, BOSS, OWNER, ADMIN, AUDIT = (f"{name}@example.com" for name in ("sec", "boss", "owner", "admin", "audit"))
MAIL = {"name": "mail", "kind": "mail", "url": {"env": "MAIL"}, "from": "leaverwatch@example.com"}
HOOK = {"name": "hook", "kind": "webhook", "url": {"env": "HOOK"}, "hmac": {"env": "KEY"}, "deadline_s": 3.0}
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)


def settings_with(*channels: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {**TWO_APPLICATIONS, "notify": {"address": "https://lw.example.com/", "channel": list(channels)}, **more}


def remind(house: House, now: datetime = NOW, mail: MailServer | None = None, hook: Receiver | None = None, by="test"):
    environ = {"KEY": KEY}
    environ |= {"MAIL": mail.url} if mail else {}
    environ |= {"HOOK": hook.url} if hook else {}
    return reminding.run(house, by, environ, now)


def words(mail: EmailMessage) -> str:
    return mail.get_body(("plain",)).get_content()


def rows(house: House, **conditions: str) -> list[Notice]:
    with house.store.read() as session:
        return list(session.exec(select(Notice).filter_by(**conditions).order_by(Notice.id)))


def job_runs(house: House) -> list[JobRun]:
    with house.store.read() as session:
        return list(session.exec(select(JobRun).where(JobRun.job == "remind").order_by(JobRun.id)))


def put_waiting(house: House, number: int, application: str = "wiki") -> None:
    for n in range(number):
        put_remediation(house, f"{application}{n:022d}", NOW, application=application, account_id=f"a{n}")


def moved(house: House, id: str, **values: Any) -> None:
    with house.store.write() as session:
        row = session.get_one(Remediation, id)
        for name, value in values.items():
            setattr(row, name, value)
        session.add(row)
