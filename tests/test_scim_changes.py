"""Accounts behind SCIM are switched off and on in every dialect and read back, and nothing else changes."""

import re

import pytest

from connectors.sandbox.manners import Manners
from connectors.sandbox.scim_server import ScimSandbox
from governance.errors import AuthenticationFailed, NotSupported, RateLimited, Unavailable, UnexpectedAnswer
from tests.feeds import NOW, TOKEN, WRITE_TOKEN, scim_connector
from tests.scim_pulls import ENTERPRISE, people, sandbox, shown
from tests.wild_server import WildServer, says, silence


def writer(server, **options):
    return scim_connector(server.url, write_token=WRITE_TOKEN, **options)


class TwoTokens(ScimSandbox):
    """Reads with one token and writes with the other, as the connector must."""

    def _admit(self, headers):
        self.token = TOKEN if self.requests[-1].method == "GET" else WRITE_TOKEN
        super()._admit(headers)


WRITE_MANNERS = [
    Manners(),
    Manners(answer_204_on_patch=True),
    Manners(no_patch=True),
    Manners(active_as_string=True),
    Manners(active_as_string=True, no_patch=True),
    Manners(reject_count=True),
]


class TestChanging:
    @pytest.mark.parametrize("manners", WRITE_MANNERS, ids=shown)
    def test_an_account_is_switched_off_read_back_and_on_again(self, manners):
        with TwoTokens(people(4), manners=manners) as server:
            account_id = next(i for i, u in server.users.items() if u["active"])
            others = {i: dict(u) for i, u in server.users.items() if i != account_id}
            connector = writer(server)
            receipt = connector.deactivate(account_id)
            assert server.users[account_id]["active"] is False
            assert connector.account(account_id).active is False
            assert re.fullmatch(r"(PATCH|PUT) /scim/v2/Users/\S+ active=false", receipt.call)
            assert receipt.answer in ("200", "204")
            assert receipt.at >= NOW
            connector.deactivate(account_id)
            assert connector.account(account_id).active is False
            connector.reactivate(account_id)
            assert connector.account(account_id).active is True
            assert {i: u for i, u in server.users.items() if i != account_id} == others

    def test_put_keeps_everything_else(self):
        person = {"userName": "ada", "active": True, "nickName": "A", ENTERPRISE: {"department": "Finance"}}
        with TwoTokens([person], manners=Manners(no_patch=True)) as server:
            account_id = next(iter(server.users))
            writer(server).deactivate(account_id)
            after = server.users[account_id]
            assert (after["nickName"], after[ENTERPRISE]["department"], after["active"]) == ("A", "Finance", False)
            put = next(r for r in server.requests if r.method == "PUT")
            assert put.if_match == 'W/"1"'
            assert "PATCH" not in {r.method for r in server.requests}  # the server says that it has none

    def test_somebody_else_s_change_is_not_overwritten(self):
        resource = {"id": "1", "active": True, "meta": {"version": 'W/"1"'}}
        newer = {**resource, "title": "New", "meta": {"version": 'W/"2"'}}
        with WildServer(
            says({}, 404), says({}, 501), says(resource), says({}, 412), says(newer), says({**newer, "active": False})
        ) as server:
            assert writer(server).deactivate("1").answer == "200"
            assert b'If-Match: W/"1"' in server.heads[3]
            assert b'If-Match: W/"2"' in server.heads[5]

    def test_endless_conflicts_end(self):
        conflicts = [says({"id": "1"}), says({}, 412)] * 5
        with (
            WildServer(says({}, 404), says({}, 501), *conflicts) as server,
            pytest.raises(Unavailable, match="somebody else"),
        ):
            writer(server).deactivate("1")

    def test_dialects_of_patch_are_tried_and_the_right_one_is_remembered(self):
        with WildServer(says({}, 404), says({}, 400), says({}, 400), says({"id": "1"}), says({"id": "2"})) as server:
            connector = writer(server)
            connector.deactivate("1")
            connector.deactivate("2")
        assert [h.split(b" ")[0] for h in server.heads] == [b"GET", b"PATCH", b"PATCH", b"PATCH", b"PATCH"]

    def test_a_server_with_neither_patch_nor_put_becomes_a_task(self):
        answers = (says({}, 404), says({}, 501), says({"id": "1"}), says({}, 405))
        with WildServer(*answers) as server, pytest.raises(NotSupported):
            writer(server).deactivate("1")

    @pytest.mark.parametrize("status", [404, 410])
    def test_an_account_that_is_gone_cannot_sign_in(self, status):
        with WildServer(says({}, 404), says({}, 404), says({}, status)) as server:
            assert "gone" in writer(server).deactivate("1").answer
        with WildServer(says({}, status)) as server:
            assert writer(server).account("1") is None
        with WildServer(says({}, 404), says({}, 404), says({}, status)) as server, pytest.raises(NotSupported):
            writer(server).reactivate("1")

    @pytest.mark.parametrize(
        "options",
        [{"write_token": None}, {"write_token": WRITE_TOKEN, "write": False}],
        ids=["no token", "not allowed"],
    )
    def test_without_write_access_nothing_is_sent(self, options):
        with sandbox(people(2)) as server:
            connector = scim_connector(server.url, **options)
            for verb in (connector.deactivate, connector.reactivate):
                with pytest.raises(NotSupported, match="read-only"):
                    verb(next(iter(server.users)))
            assert server.requests == []

    def test_a_lie_is_seen_by_reading_back(self):
        with TwoTokens(people(2), manners=Manners(lie=True)) as server:
            account_id = next(i for i, u in server.users.items() if u["active"])
            connector = writer(server)
            assert connector.deactivate(account_id).answer == "200"
            assert connector.account(account_id).active is True

    @pytest.mark.parametrize(
        ("behaviour", "error"),
        [
            (says({}, 401), AuthenticationFailed),
            (says({}, 403), AuthenticationFailed),
            (says({}, 409), UnexpectedAnswer),
            (says({}, 500), Unavailable),
            (says({}, 503), Unavailable),
            (says({}, 429, Retry_After="900"), RateLimited),
            (silence, Unavailable),
            (says(b"<html>", kind="text/html"), UnexpectedAnswer),
            (says({}, 307, Location="http://127.0.0.1:1/"), UnexpectedAnswer),
        ],
    )
    def test_a_change_that_fails_says_so(self, behaviour, error):
        with WildServer(says({}, 404), behaviour) as server, pytest.raises(error):
            writer(server, deadline_s=0.5 if behaviour is silence else 30).deactivate("1")

    def test_a_conflict_is_not_asked_again(self):
        with WildServer(says({}, 404), says({}, 409)) as server:
            with pytest.raises(UnexpectedAnswer):
                writer(server).deactivate("1")
            assert len(server.heads) == 2

    def test_a_passing_failure_is_asked_again(self):
        with WildServer(says({}, 404), says({}, 503), says({"id": "1"})) as server:
            assert writer(server).deactivate("1").answer == "200"

    @pytest.mark.parametrize("account_id", ["a/b", "../Groups", "a?b=c#d", "ü", "a b", "%2e%2e", "1;DELETE"])
    def test_an_id_never_leads_to_another_path(self, account_id):
        with WildServer(says({"id": account_id, "active": True})) as server:
            assert writer(server).account(account_id).account_id == account_id
            path = server.paths()[0]
        assert path.count("/") == 4
        assert "?" not in path

    @pytest.mark.parametrize("account_id", [".", "..", ""])
    def test_an_id_that_is_a_step_in_a_path_is_refused(self, account_id):
        with WildServer(says({})) as server:
            with pytest.raises(NotSupported):
                writer(server).account(account_id)
            assert server.heads == []

    def test_an_answer_about_another_account_is_not_believed(self):
        with WildServer(says({"id": "2", "active": False})) as server, pytest.raises(UnexpectedAnswer):
            writer(server).account("1")

    def test_a_read_of_one_tells_what_the_account_itself_tells(self):
        with WildServer(says({"id": "1", "active": True, "groups": [{"value": "g", "display": "Admins"}]})) as server:
            assert writer(server, privileged=("adm*",)).account("1").privileged is True
        with WildServer(says({"id": "1", "active": True})) as server:
            assert writer(server).account("1").privileged is None
