"""Entra's logs: every event in our words and none lost, over many pages, in several goes, and where they are closed."""

import json
import re
from datetime import timedelta

import pytest

from connectors.sandbox.faults import Faults
from tests.entra_directory import APP, ROLE, checked_directory
from tests.sandbox_company import NOW


@pytest.fixture
def directory():
    with checked_directory() as made:
        yield made


class TestTheLogs:
    def test_kinds(self, directory):
        directory.application.events.clear()
        directory.holds(APP, "Figma", "application")
        directory.holds(ROLE, "User Administrator", "role")
        ada, bruno, then = directory.id("ada"), directory.id("bruno"), NOW - timedelta(hours=1)
        for number, (kind, target) in enumerate(
            [("created", None), ("updated", None), ("deactivated", None), ("reactivated", None), ("deleted", None),
             ("granted", directory.contractors), ("granted", APP), ("revoked", ROLE), ("provisioned", "figma"),
             ("sso", "Figma"), ("sign_in", None)]
        ):  # fmt: skip
            directory.application.record(kind, bruno, ada, at=then + timedelta(seconds=number), target=target)
        directory.application.record("sign_in_failed", bruno, bruno, at=NOW, success=False)
        events, _, reading = directory.told()
        assert [(e.kind, e.target) for e in events] == [
            ("created", None), ("updated", None), ("deactivated", None), ("reactivated", None), ("deleted", None),
            ("granted", f"group:{directory.contractors}"), ("granted", f"app:{APP}"), ("revoked", f"role:{ROLE}"),
            ("provisioned", "figma"), ("sso", "Figma"), ("sign_in", None), ("sign_in_failed", None),
        ]  # fmt: skip
        assert {e.account_id for e in events} == {bruno}
        assert events[0].actor == ada
        assert [e.success for e in events[-2:]] == [True, False]
        assert reading.notes == []

    def test_which_attributes_were_changed_from_what_to_what(self, directory):
        directory.application.events.clear()
        ada, bruno, then = directory.id("ada"), directory.id("bruno"), NOW - timedelta(hours=1)
        changes = [("Department", "Sales", "Finance"), ("JobTitle", None, "Lead")]
        directory.application.record("updated", bruno, ada, at=then, changes=changes)
        directory.application.record("provisioned", bruno, ada, at=then, target="figma", changes=changes)
        directory.application.record("updated", bruno, ada, at=then)
        told = [(event.kind, event.changes) for event in directory.told()[0]]
        text = '[["Department","Sales","Finance"],["JobTitle",null,"Lead"]]'
        assert sorted(told, key=str) == [("provisioned", text), ("updated", text), ("updated", None)]

    def test_goes_on_two_hours_before_its_end_so_that_what_comes_late_is_told(self, directory):
        first, mark, _ = directory.told()
        assert json.loads(mark) == dict.fromkeys(
            ("auditLogs/directoryAudits", "auditLogs/provisioning", "auditLogs/signIns"), "2026-11-23T06:12:00Z"
        )
        late = directory.application.record("sign_in", directory.id("ada"), at=NOW - timedelta(hours=1))
        new = directory.application.record("sign_in", directory.id("ada"), at=NOW + timedelta(minutes=1))
        second, _, _ = directory.told(mark, now=NOW + timedelta(minutes=15))
        assert [e.event_id for e in second] == [late.id, new.id]
        assert len(first) == 8

    def test_comes_oldest_first_also_over_many_pages(self, directory):
        for minute in range(2500):
            directory.application.record("sign_in", directory.id("ada"), at=NOW - timedelta(minutes=minute))
        events, _, _ = directory.told()
        times = [e.at for e in events if e.kind in ("sign_in", "sso", "sign_in_failed")]
        assert len(events) == 2508
        assert times == sorted(times)

    def test_a_very_long_log_is_read_in_stretches(self, directory, monkeypatch):
        monkeypatch.setattr("connectors.kit.entra_log._MANY", 1)
        monkeypatch.setattr("connectors.entra.Entra.limits", ())
        for minute in range(0, 40_000, 10):
            directory.application.record("sign_in", directory.id("ada"), at=NOW - timedelta(minutes=minute))
        events, _, _ = directory.told()
        assert len([e for e in events if e.kind == "sign_in"]) == 4002
        assert len({e.event_id for e in events}) >= 4008
        assert len(directory.asked("/signIns")) > 4

    def test_a_log_longer_than_the_time_is_read_in_several_goes(self, directory, monkeypatch):
        monkeypatch.setattr("connectors.kit.entra_log._MANY", 1)
        monkeypatch.setattr("connectors.entra.Entra.limits", ())
        for minute in range(0, 40_000, 8):
            directory.application.record("sign_in", directory.id("ada"), at=NOW - timedelta(minutes=minute))
        directory.sandbox.faults["directory"] = Faults(delay_s=0.25, paths="/signIns")
        seen, mark, goes = set(), None, 0
        while goes < 10:
            events, mark, reading = directory.told(mark, deadline_s=3.0)
            seen |= {e.event_id for e in events}
            goes += 1
            if not any("goes on" in note for note in reading.notes):
                break
        assert 1 < goes < 10
        assert len(seen) == 5008

    def test_without_p1_the_audit_log_is_still_told(self, directory):
        directory.application.settings["premium"] = False
        events, mark, reading = directory.told()
        assert {e.kind for e in events} == {"created", "deactivated", "granted", "revoked"}
        assert "sign-ins are unknown: the directory has no Entra ID P1 licence" in reading.notes
        assert "auditLogs/signIns" not in json.loads(mark)

    def test_without_the_audit_log_changes_of_users_stand_in(self, directory):
        directory.application.settings["forbidden"] = "/auditLogs/"
        events, mark, reading = directory.told()
        assert events == []
        assert any("AuditLog.Read.All is missing" in note for note in reading.notes)
        directory.application.set_status(directory.id("bruno"), "deactivated")
        directory.application.set_status(directory.id("ada"), "deleted")
        events, later, _ = directory.told(mark)
        assert {(e.kind, e.account_id) for e in events} == {
            ("updated", directory.id("bruno")), ("deleted", directory.id("ada")),
        }  # fmt: skip
        again, _, _ = directory.told(mark)
        assert {e.event_id for e in again} == {e.event_id for e in events}  # told twice it is the same
        assert directory.told(later)[0] == []

    def test_a_link_that_is_too_old_begins_anew(self, directory):
        directory.application.settings["forbidden"] = "/auditLogs/"
        _, mark, _ = directory.told()
        old = re.sub(r"deltatoken=\d+", "deltatoken=99", mark)
        assert old != mark
        events, fresh, reading = directory.told(old)
        assert (events, fresh) == ([], mark)
        assert any("gone" in note for note in reading.notes)

    @pytest.mark.parametrize("mark", ["no json", "[1]", '{"auditLogs/signIns": "yesterday"}'])
    def test_a_mark_that_is_none_of_ours_counts_as_none(self, directory, mark):
        assert len(directory.told(mark)[0]) == 8
