"""Okta's log: every event in our words, none lost or told twice, read on from where it ended."""

import contextlib
from datetime import timedelta

import pytest

from connectors.kit.okta_log import KINDS
from connectors.sandbox.faults import Faults
from governance.errors import IncompleteFeed
from tests.okta_org import APP, checked_org
from tests.sandbox_company import NOW


@pytest.fixture
def org():
    with checked_org() as made:
        yield made


class TestTheLog:
    def test_kinds(self, org):
        org.application.events.clear()
        org.holds(APP, "Figma", "application")
        org.holds("rol" + "R" * 17, "Super Administrator", "role", type="SUPER_ADMIN")
        ada, bruno = org.id("ada"), org.id("bruno")
        at = NOW - timedelta(hours=1)
        for kind, target in (
            ("created", None), ("updated", None), ("deactivated", None), ("reactivated", None), ("deleted", None),
            ("granted", org.contractors), ("granted", APP), ("granted", "rol" + "R" * 17), ("revoked", org.contractors),
            ("provisioned", "figma"), ("sso", "figma"), ("sign_in", None),
        ):  # fmt: skip
            org.application.record(kind, bruno, ada, at=at, target=target)
        org.application.record("sign_in_failed", bruno, bruno, at=at, success=False)
        org.application.record("sign_in_failed", None, None, at=at, success=False)
        events, _, reading = org.told()
        assert [(e.kind, e.target) for e in events] == [
            ("created", None), ("updated", None), ("deactivated", None), ("reactivated", None), ("deleted", None),
            ("granted", org.contractors), ("granted", APP), ("granted", "SUPER_ADMIN"), ("revoked", org.contractors),
            ("provisioned", "figma"), ("sso", "figma"), ("sign_in", None), ("sign_in_failed", None),
            ("sign_in_failed", None),
        ]  # fmt: skip
        assert {e.account_id for e in events[:-1]} == {bruno}
        assert events[-1].account_id is None
        assert events[0].actor == ada
        assert [e.success for e in events[-3:]] == [True, False, False]
        assert {e.at for e in events} == {at}
        assert reading.notes == []

    def test_which_attributes_were_changed_from_what_to_what(self, org):
        org.application.events.clear()
        ada, bruno = org.id("ada"), org.id("bruno")
        changes = [("title", None, "Lead"), ("department", "Sales", "Finance")]
        org.application.record("updated", bruno, ada, changes=changes)
        org.application.record("provisioned", bruno, target="figma", changes=changes[1:])
        org.application.record("updated", bruno, ada)
        told = [event.changes for event in org.told()[0]]
        assert told == [
            '[["department","Sales","Finance"],["title",null,"Lead"]]',
            '[["department","Sales","Finance"]]',
            None,
        ]

    def test_only_wanted_events_are_asked_for(self, org):
        org.told()
        [first, *_] = org.asked("/logs")
        assert all(f'"{name}"' in first.query["filter"] for name in KINDS)

    def test_goes_on_where_it_ended(self, org):
        first, mark, _ = org.told()
        again, same, _ = org.told(mark=mark)
        assert again == []
        new = org.application.record("sign_in", org.id("ada"), org.id("ada"), at=NOW)
        late = org.application.record("sign_in", org.id("ada"), org.id("ada"), at=NOW - timedelta(days=3))
        second, later, _ = org.told(mark=same)
        assert [e.event_id for e in second] == [new.id, late.id]  # in the order they were kept, lost is none
        assert later != mark
        assert len(first) == 8

    def test_many_pages(self, org):
        for _ in range(2500):
            org.application.record("sign_in", org.id("ada"), org.id("ada"), at=NOW)
        events, mark, _ = org.told()
        assert len(events) == len({e.event_id for e in events}) == 2508
        assert org.told(mark=mark)[0] == []

    @pytest.mark.parametrize("mark", ["gone", "https://other.example/api/v1/logs?after=3", "no link at all"])
    def test_a_mark_that_leads_nowhere_counts_as_none(self, org, mark):
        if mark == "gone":
            _, mark, _ = org.told()
            org.sandbox.faults["org"] = Faults(fail_status=400, times=1, paths="/logs")
        events, _, _ = org.told(mark=mark)
        assert len(events) == 8

    def test_a_mark_for_other_events_counts_as_none(self, org):
        _, mark, _ = org.told()
        events, _, _ = org.told(mark=mark.replace("user.session.start", "user.session.end"))
        assert len(events) == 8

    def test_a_log_longer_than_the_time_is_read_in_several_goes(self, org):
        for _ in range(8000):
            org.application.record("sign_in", org.id("ada"), org.id("ada"), at=NOW)
        org.sandbox.faults["org"] = Faults(delay_s=0.5, paths="/logs")
        seen, mark, goes = [], None, 0
        while len(seen) < 8008:
            with org.connect(write=False, deadline_s=4.0) as connector:
                fresh = list(connector.events(NOW - timedelta(days=30), mark))
                mark = connector.mark
            assert fresh
            seen += [e.event_id for e in fresh]
            goes += 1
            if len(seen) < 8008:
                assert any("the log goes on" in note for note in connector.reading.notes)
        assert goes > 1
        assert len(set(seen)) == len(seen)

    def test_an_endless_page_ends(self, org):
        org.sandbox.faults["org"] = Faults(repeat_page=True, paths="/logs")
        with contextlib.suppress(IncompleteFeed):
            org.told()
        assert len(org.asked("/logs")) <= 3
