"""The page of one's own notifications, and what the Jobs page says of notices that did not arrive."""

from __future__ import annotations

from datetime import time

import pytest

from governance import notices
from governance.access import find_actor
from governance.notices import Preference
from governance.tables import AuditEntry, Notice
from tests.screen import ADMIN, AUDITOR, BOSS, NOW, press, rows_of, show, text_of
from tests.seeded import TWO_APPLICATIONS

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:streamlit")
MAIL = {"name": "mail", "kind": "mail", "url": {"env": "MAIL"}, "from": "lw@example.com"}
HOOK = {"name": "hook", "kind": "webhook", "url": {"env": "HOOK"}, "hmac": {"env": "KEY"}}
ROOM = {"name": "security-room", "kind": "slack", "url": {"env": "SLACK"}}


@pytest.fixture
def settings():
    return {**TWO_APPLICATIONS, "notify": {"channel": [MAIL, HOOK]}}


def put_notice(house, id, to=BOSS, status="sent", **values):
    row = Notice(
        **{
            "id": id, "key": id, "to": to, "kind": "approval_waiting", "about": id, "title": "1 approval waits for you",
            "body": "Wiki", "link": f"approvals?id={id}", "made_at": NOW, "due_at": NOW, "status": status,
            "channels": [], "sent_at": NOW if status == "sent" else None, **values,
        }
    )  # fmt: skip
    with house.store.write() as session:
        session.add(row)


def test_a_person_changes_how_they_are_told_and_reads_it_back(house):
    app = show(house, "notifications", BOSS)
    assert not app.exception
    assert "You are told **at once by mail and hook**" in app.header[0].value
    assert next(b for b in app.button if b.label == "Save").disabled, "nothing was changed"
    app.pills(key="wish-over").set_value(["mail"]).run()
    app.segmented_control(key="wish-when").set_value("daily").run()
    app.toggle[0].set_value(True).run()
    app.time_input[0].set_value(time(19, 30)).run()
    next(box for box in app.selectbox if box.label == "Time zone").set_value("Asia/Tokyo").run()
    press(app, "Save")
    wishes = Preference(("mail",), "daily", "19:30", "07:00", "Asia/Tokyo")
    assert notices.preference(house, BOSS) == wishes
    assert [row.actor for row in rows_of(house, AuditEntry) if row.verb == "notices.prefer"] == [BOSS]
    again = show(house, "notifications", BOSS)
    said = again.header[0].value.replace("\\", "")
    assert said == "You are told **every day at 08:00 (Asia/Tokyo) by mail, but not from 19:30 to 07:00**."
    assert notices.preference(house, ADMIN) == Preference(), "nobody else's was changed"


def test_what_somebody_was_told_stands_together_as_it_was_told(house):
    for n in range(9):
        put_notice(house, f"N{n}")
    put_notice(house, "M1", kind="guard_held", body="HR file: two releases are needed", status="waiting")
    put_notice(house, "X1", to=ADMIN, body="Somebody else's")
    said = text_of(show(house, "notifications", BOSS))
    assert "**9 approvals wait for you**" in said
    assert "Wiki\\: 9 accounts" in said
    assert "Somebody else" not in said


@pytest.mark.parametrize(
    ("channels", "words"),
    [([], "Nobody is told anything: no channel is configured."), ([ROOM], "is announced in security\\-room")],
)
def test_without_a_channel_that_reaches_persons_the_page_says_so(make_house, channels, words):
    app = show(make_house({**TWO_APPLICATIONS, "notify": {"channel": channels}}), "notifications", BOSS)
    assert words in app.header[0].value
    assert not [b for b in app.button if b.label == "Save"]


def test_the_jobs_page_shows_what_did_not_arrive_and_an_admin_has_it_tried_again(house):
    assert "Everything was delivered" in text_of(show(house, "jobs", ADMIN))
    for n in range(3):
        put_notice(house, f"N{n}", status="failed", attempts=6, error="mail: Connection error")
    put_notice(house, "W1", to=ADMIN, status="waiting", attempts=1, error="hook: answered 500")
    put_notice(house, "R1", to="room/security-room", status="waiting", attempts=1, error="security-room: 403")
    app = show(house, "jobs", ADMIN)
    said = text_of(app)
    assert "**3 not delivered**" in said
    assert "2 tried again" in said
    assert "**3 approvals wait for you** to `boss@example.com`: mail\\: Connection error" in said
    assert "the room security\\-room" in said
    press(app, "Try again")
    assert {row.status for row in rows_of(house, Notice)} == {"waiting"}
    put_notice(house, "N9", status="failed", attempts=6, error="mail: Connection error")
    assert not [b for b in show(house, "jobs", AUDITOR).button if b.label == "Try again"]


def test_a_house_that_tells_nobody_says_nothing_of_notices_on_the_jobs_page(make_house):
    assert "Notices" not in [one.value for one in show(make_house(TWO_APPLICATIONS), "jobs", ADMIN).subheader]


def test_who_left_keeps_no_preferences(house):
    from dataclasses import replace

    from governance.errors import NotAllowed

    with pytest.raises(NotAllowed):
        notices.prefer(house, replace(find_actor(house.settings, BOSS), left=True), NOW, Preference())
