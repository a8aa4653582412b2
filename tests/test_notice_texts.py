"""What notices say: numbers, applications and reviews; never a person's name, an account, or why somebody's access ends."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from conftest import NOW
from notice_receivers import KEY, MailServer, Receiver
from noticing import QUIET
from seeded import TWO_APPLICATIONS, account, put_findings, put_pull, put_remediation, put_run, put_snapshot

from governance.channels import KindName
from governance.notices import KINDS, compose, one_line
from governance.tables import Campaign, MappingVersion, Notice, ReviewItem
from jobs import remind as reminding

pytestmark = QUIET
DAY = timedelta(days=1)
CHANNELS = [
    {"name": "mail", "kind": "mail", "url": {"env": "MAIL"}, "from": "lw@example.com"},
    {"name": "hook", "kind": "webhook", "url": {"env": "HOOK"}, "hmac": {"env": "KEY"}},
]
SUBJECT = {"identity_id": "hr:4711", "identity_name": "Jan Kowalski", "username": "jkowalski", "account_id": "acc-4711"}
NEVER = re.compile(
    r"jan|kowalski|4711|\bleft\b|\bleave|leaver|terminat|dismiss|fired|resign|retire|contract|employ|\bended\b|engagement"
    r"|former|ghost|orphan|stale|\bill\b|sick|parental|reason",
    re.IGNORECASE,
)


@pytest.fixture
def everything(make_house):
    """A house in which every kind of notice is due, each about the same leaver."""
    house = make_house({**TWO_APPLICATIONS, "notify": {"channel": CHANNELS}})
    why = "Jan Kowalski was terminated: contract ended on 4 Nov 2026, he left"
    put_run(
        house,
        NOW,
        [account("crm", "acc-4711", owner_id="hr:4711", owner_name="Jan Kowalski", owner_state="ended")],
        [{"identity_id": "hr:4711", "display_name": "Jan Kowalski", "email": "jan@example.com", "state": "ended"}],
    )
    put_findings(house, NOW, {**SUBJECT, "reason": why})
    told = {**SUBJECT, "application": "crm", "reason": why, "rule": "ghost"}
    given = {**told, "status": "executing", "action": "manual"}
    put_remediation(house, "R1", NOW, **told)
    put_remediation(house, "R2", NOW, **told, approved_by="boss@example.com", approved_at=NOW - 2.6 * DAY)
    put_remediation(house, "R3", NOW, **given, executing_at=NOW)
    put_remediation(house, "R4", NOW, **given, executing_at=NOW - 4 * DAY)
    put_snapshot(house, "crm", NOW, status="held", sha256="a" * 64, held_why="3 of 60 left: Jan Kowalski, …")
    for number in range(3):
        put_pull(house, "hr", number, NOW, "failed", error="line 7: Jan Kowalski, terminated")
    with house.store.write() as session:
        session.add(MappingVersion(id="V1", application="crm", number=2, status="waiting", at=NOW, reason=why))
        for id, status, launched in (
            ("C1", "running", NOW - 2 * DAY),
            ("C2", "running", NOW - 20 * DAY),
            ("C3", "closed", NOW - 9 * DAY),
        ):
            session.add(
                Campaign(
                    id=id, title="Quarter 4", status=status, created_by="chief@example.com", created_at=launched,
                    launched_at=launched, due_at=launched + 10 * DAY, closed_at=NOW if status == "closed" else None,
                )
            )  # fmt: skip
            session.add(
                ReviewItem(campaign=id, number=1, application="crm", reviewer="ana@example.com", employment="ended",
                           because=why, **SUBJECT)
            )  # fmt: skip
    return house


def test_no_kind_of_notice_says_who_it_is_about_or_why(everything):
    with MailServer() as mail, Receiver() as hook:
        environ = {"MAIL": mail.url, "HOOK": hook.url, "KEY": KEY}
        reminding.run(everything, "test", environ, NOW)
        reminding.run(everything, "test", environ, NOW + 6 * DAY)  # the first reminder of the younger review
        kinds = {section["kind"] for told in hook.taken for section in told["sections"]}
        assert kinds == set(KINDS)
        for one in mail.mails:
            said = f"{one['Subject']}\n{one.get_body(('plain',)).get_content()}"
            assert not NEVER.search(said), said
        for told in hook.taken:
            assert re.fullmatch(r"[0-9a-f]{32}", told["id"]), "drawn at random, so that it may contain any number"
            assert not NEVER.search(str({**told, "id": ""})), told
    assert len(mail.mails) > 8


def test_the_names_of_the_kinds_are_those_of_the_settings():
    assert set(KINDS) == set(KindName.__args__)


@pytest.mark.parametrize("name", sorted(KINDS))
def test_a_title_fits_one_and_many_for_a_person_and_in_a_room(name):
    kind = KINDS[name]
    for room in (False, True):
        one, many = kind.title(1, room=room), kind.title(1234, room=room)
        assert "{" not in one + many
        assert "1,234" in many
        assert len(many) < 80
        assert not NEVER.search(one + many + kind.about)
        if room and kind.in_room:
            assert "you" not in one + many, "a room is nobody in particular"


def notice(number: int, kind: str, body: str, link: str) -> Notice:
    return Notice(
        id=f"N{number}", key=str(number), to="ana@example.com", kind=kind, about=f"A{number}", body=body, link=link,
        made_at=NOW, due_at=NOW,
    )  # fmt: skip


def test_a_digest_has_a_section_for_each_kind_the_most_urgent_first():
    found = compose(
        [
            notice(1, "review_opened", "Quarter 4: 12 items to decide", "my_reviews?campaign=C1"),
            notice(2, "approval_waiting", "Wiki", "approvals?id=A2"),
            notice(3, "approval_waiting", "Wiki", "approvals?id=A3"),
            notice(4, "guard_held", "HR file: two releases are needed", "jobs"),
        ],
        "https://lw.example.com",
    )
    assert found.title == "A guard holds a change until it is released, and 3 more"
    assert found.text == (
        "A guard holds a change until it is released\n"
        "  HR file: two releases are needed\n"
        "  https://lw.example.com/jobs\n\n"
        "2 approvals wait for you\n"
        "  Wiki: 2 accounts\n"
        "  https://lw.example.com/approvals\n\n"
        "1 access review waits for you\n"
        "  Quarter 4: 12 items to decide\n"
        "  https://lw.example.com/my_reviews?campaign=C1\n\n"
        "Opening a link decides nothing: you decide on the page, after you have signed in.\n"
        "When and how you are told: https://lw.example.com/notifications\n"
    )


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("Quarter 4\r\nBcc: everybody@example.com", "Quarter 4 Bcc: everybody@example.com"),
        ("\u202eevil\u200b title\x00", "evil title"),
        ("  much \t space ", "much space"),
        ("x" * 500, "x" * 119 + "…"),
    ],
)
def test_what_people_typed_stands_on_one_line_and_hides_nothing(typed, shown):
    assert one_line(typed) == shown
