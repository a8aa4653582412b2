"""What any connector changes, it reads back; what vanished, went off and is on are three things (FAULTS.md C8)."""

from __future__ import annotations

import contextlib
from datetime import timedelta

import pytest

from connectors.kit.contract import CanDeactivate, CanReactivate, CanReadOne, TellsEvents
from connectors.sandbox.faults import Faults
from governance.correlation import fold
from governance.errors import LeaverwatchError, RemediationError
from governance.records import EVENT_KINDS
from tests.sandbox_company import NOW
from tests.tenancy import capable, connected, listed, on, pulled, small, specified, standing


class TestActing:
    def test_without_leave_to_write_nothing_is_asked(self, tenant, ground):
        capable(tenant, CanDeactivate, "deactivate")
        application = small(tenant, ground)
        target = tenant.account_of(next(iter(application.accounts)))
        before = standing(ground, application)
        with connected(tenant, ground, application, write=False) as connector, pytest.raises(RemediationError):
            connector.deactivate(target)
        assert standing(ground, application) == before
        assert [seen for seen in ground.asked(application.name) if seen.credential == "write_token"] == []

    def test_off_twice_and_on_again_is_read_back_each_time(self, tenant, ground):
        kind = capable(tenant, CanDeactivate, "deactivate")
        application = small(tenant, ground)
        target = tenant.account_of([*application.accounts][tenant.subject])
        with connected(tenant, ground, application, write=True) as connector:
            assert on(connector.account(target)) is True
            connector.deactivate(target)
            assert on(connector.account(target)) is False
            receipt = connector.deactivate(target)
            assert receipt.call
            assert on(connector.account(target)) is False
            if issubclass(kind, CanReactivate):
                connector.reactivate(target)
                assert on(connector.account(target)) is True
        assert specified(tenant).problems(ground.asked(application.name)) == []

    def test_read_alone_it_has_the_names_of_the_list(self, tenant, ground):
        """Else the last look before a call would take it for another one (FAULTS.md D8)."""
        capable(tenant, CanReadOne, "read_one")
        application = small(tenant, ground)
        told = pulled(tenant, ground, application)
        assert told.error is None
        with connected(tenant, ground, application) as connector:
            for account_id, listed_one in told.kept.items():
                alone = connector.account(account_id)
                for name in ("username", "email"):
                    one, other = getattr(listed_one, name), getattr(alone, name) if alone else None
                    assert one is None or other is None or fold(one) == fold(other), (account_id, name)

    def test_a_lie_is_found_out_by_reading_again(self, tenant, ground):
        capable(tenant, CanDeactivate, "deactivate")
        application = small(tenant, ground)
        target = tenant.account_of([*application.accounts][tenant.subject])
        ground.faults[application.name] = Faults(lie=True)
        with connected(tenant, ground, application, write=True) as connector:
            with contextlib.suppress(LeaverwatchError):  # some vendors' answers show the lie at once
                connector.deactivate(target)
            assert on(connector.account(target)) is True

    def test_gone_off_and_on_are_three_things(self, tenant, ground):
        application = small(tenant, ground)
        pulled(tenant, ground, application)
        ada, bruno, *_ = application.accounts.values()
        application.set_status(ada.id, "deactivated")
        application.set_status(bruno.id, "deleted")
        outcome = pulled(tenant, ground, application)
        assert outcome.error is None
        after = {found: on(record) for found, record in outcome.kept.items()}
        assert after == listed(tenant, application)
        assert after.get(tenant.account_of(bruno.id)) in (None, False)


class TestEvents:
    def test_none_is_lost_between_two_readings(self, tenant, ground):
        capable(tenant, TellsEvents, "events")
        application = small(tenant, ground)
        since = NOW - timedelta(days=30)
        with connected(tenant, ground, application) as connector:
            first = list(connector.events(since, None))
            mark = connector.mark
        assert first, "the twelve have done something"
        assert {event.kind for event in first} <= set(EVENT_KINDS)
        ada, bruno, *_ = application.accounts.values()
        for about in (ada, bruno):
            application.record("sign_in", about.id, about.id, at=NOW + timedelta(minutes=5))
            application.record("deactivated", about.id, ada.id, at=NOW + timedelta(minutes=6))
        later = NOW + timedelta(minutes=10)
        with connected(tenant, ground, application, now=later) as connector:
            second = list(connector.events(since, mark))
        with connected(tenant, ground, application, now=later) as connector:
            whole = {event.event_id for event in connector.events(since, None)}
        assert {e.event_id for e in (*first, *second)} >= whole
        assert whole - {e.event_id for e in first}, "what happened in between is told"
