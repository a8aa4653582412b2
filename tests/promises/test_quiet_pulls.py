"""What one undisturbed pull of any connector promises: everybody once, in the right state, and nothing changed."""

from __future__ import annotations

from datetime import timedelta

from connectors.kit.contract import connector_class
from connectors.sandbox.model import SandboxCredential
from governance.records import Account, Credential, Entitlement, Grant
from tests.sandbox_company import NOW
from tests.tenancy import listed, on, pulled, small, specified, standing


class TestAQuietPull:
    def test_reads_every_account_once_and_tells_whether_it_can_sign_in(self, tenant, readings):
        application, outcome, _, _ = readings(tenant)
        assert outcome.error is None
        assert outcome.doubles == []
        assert {found: on(record) for found, record in outcome.kept.items()} == listed(tenant, application)

    def test_leaves_evidence_that_adds_up(self, tenant, readings):
        _, outcome, _, _ = readings(tenant)
        reading = outcome.connector.reading
        assert reading.rows_read == reading.kept + len(reading.rejected) + reading.duplicates
        assert reading.kept == len(outcome.kept)
        assert len(reading.sha256) == 64
        assert reading.source.startswith(tenant.source)

    def test_changes_nothing_and_uses_no_credential_that_could(self, tenant, ground, readings):
        application, _, requests, before = readings(tenant)
        assert standing(ground, application) == before
        if tenant.secrets(application).keys() & {"write_token"}:
            assert {seen.credential for seen in requests} <= {"token", "other", None}

    def test_speaks_as_the_vendor_s_specification_says(self, tenant, readings):
        _, _, requests, _ = readings(tenant)
        assert specified(tenant).problems(requests) == []

    def test_tells_only_whole_grants(self, tenant, readings):
        _, outcome, _, _ = readings(tenant)
        known = {e.entitlement_id for e in outcome.records if isinstance(e, Entitlement)}
        grants = [(g.account_id, g.entitlement_id) for g in outcome.records if isinstance(g, Grant)]
        assert len(grants) == len(set(grants))
        assert {account for account, _ in grants} <= outcome.kept.keys()
        assert {entitlement for _, entitlement in grants} <= known

    def test_reads_every_kind_it_declares(self, tenant, readings):
        application, outcome, _, _ = readings(tenant)
        covers = connector_class(tenant.connector).covers
        assert covers, "a connector says which kinds of accounts it reads and which it does not"
        by_word = {
            "guest": "Hana", "invitation": "Farid", "pending": "Farid", "deactivated": "Esra", "suspended": "Dmitri",
            "bot": "Build", "service": "Backup", "shared": "Front", "locked": "Gwen",
        }  # fmt: skip
        ids = {account.given: tenant.account_of(account.id) for account in application.accounts.values()}
        for line in covers:
            what, _, answer = line.partition(":")
            if answer.strip().casefold().startswith("yes"):
                for word, given in by_word.items():
                    if word in what.casefold():
                        assert ids[given] in outcome.kept, f"{line!r}, but {given} was not read"

    def test_tells_department_and_title_where_it_declares_so_and_never_another(self, tenant, readings):
        application, outcome, _, _ = readings(tenant)
        there = {tenant.account_of(account.id): account for account in application.accounts.values()}
        for found, record in outcome.kept.items():
            assert record.department in (None, there[found].department)
            assert record.title in (None, there[found].title)
        declared = connector_class(tenant.connector).tells & {"account.attributes", "owner.attributes"}
        told = {(record.department, record.title) for record in outcome.kept.values()}
        assert ("Sales", "Account Executive") in told if declared else told == {(None, None)}

    def test_never_says_of_somebody_unseen_that_they_were(self, tenant, readings):
        application, outcome, _, _ = readings(tenant)
        for account in application.accounts.values():
            record = outcome.kept.get(tenant.account_of(account.id))
            if isinstance(record, Account):
                assert account.last_seen_at or record.last_seen_at is None
                assert record.last_seen_at is None or record.last_seen_at <= NOW
                assert record.last_seen_at is None or record.last_seen_known

    def test_a_clock_that_is_ahead_makes_nobody_seen_tomorrow(self, tenant, ground):
        application = small(tenant, ground)
        for account in application.accounts.values():
            if account.last_seen_at:
                account.last_seen_at = NOW + timedelta(days=1)
            account.created_at = min(account.created_at, NOW - timedelta(days=300))
        outcome = pulled(tenant, ground, application)
        assert outcome.error is None
        seen = [r.last_seen_at for r in outcome.kept.values() if isinstance(r, Account) and r.last_seen_at]
        assert all(at <= NOW + timedelta(minutes=1) for at in seen)

    def test_tells_tokens_of_whom_it_saw_some_and_of_nobody_that_there_are_none(self, tenant, ground):
        application = small(tenant, ground)
        ada, bruno = (a for a in application.accounts.values() if a.given in ("Ada", "Bruno"))
        made, used = NOW - timedelta(days=90), NOW - timedelta(days=3)
        application.credentials = [
            SandboxCredential("tok1", ada.id, "token", "nightly export", made, used),
            SandboxCredential("tok2", ada.id, "token", "reports", made, used),
            SandboxCredential("tok3", bruno.id, "token", "over", made, used, NOW - timedelta(days=1)),
        ]
        outcome = pulled(tenant, ground, application)
        assert outcome.error is None
        told = {a.account_id: a.credentials for a in outcome.kept.values() if isinstance(a, Account)}
        kind = connector_class(tenant.connector)
        lists = "account.credentials" in kind.tells and kind.family != "protocol"
        theirs = {tenant.account_of(ada.id): 2} if lists else {}
        if tenant.vendor == "salesforce":  # it tells no end of a token: there is none
            theirs[tenant.account_of(bruno.id)] = 1
        assert {found: count for found, count in told.items() if count is not None} == theirs
        listed = [(c.account_id, c.last_used_at) for c in outcome.records if isinstance(c, Credential)]
        assert {found for found, _ in listed} <= {tenant.account_of(ada.id)}
        assert len(listed) in ((0, 2) if lists else (0,))
