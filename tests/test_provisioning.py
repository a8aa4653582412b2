"""Signing in: what is asserted is signed and checked, and a mapping decides what it makes."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from connectors.sandbox.signing import (
    Claims,
    IdentityProvider,
    accept_id_token,
    accept_saml,
)
from governance.errors import SignOnError
from governance.provisioning import Assertion, Condition, Known, Line, RoleMap, decide
from governance.provisioning.assertion import EMAIL, PAIRWISE, PERSISTENT, TRANSIENT
from governance.provisioning.claims import fields

NOW = datetime(2026, 11, 23, 8, 12, tzinfo=UTC)
ADA = Claims(
    "00u1",
    "ada@nwl.example",
    {"email": "ada@nwl.example", "firstName": "Ada", "lastName": "Amaral", "department": "Sales"},
    ("sales", "everybody"),
)
SALES = Condition("department", ("Sales",))
MAPPING = RoleMap(
    (Line((SALES,), ("Sales User",)), Line((Condition("groups", ("it-",), "prefix"),), ("Admin",))), ("Viewer",)
)


@pytest.fixture(scope="module")
def idp():
    return IdentityProvider("https://id.nwl.example", NOW)


def asserted(**more):
    told = {"issuer": "i", "audience": "crm", "subject": "00u1", "subject_format": PERSISTENT, "at": NOW}
    return Assertion(**{**told, "email": "ada@nwl.example", "groups": (), "department": "Sales", **more})


class TestSigning:
    def test_saml_says_what_was_signed(self, idp):
        read = accept_saml(idp.saml(ADA, "crm", NOW), idp, "crm", NOW)
        assert (read.subject, read.subject_format, read.verified) == ("00u1", PERSISTENT, True)
        assert (read.email, read.first_name, read.department) == ("ada@nwl.example", "Ada", "Sales")
        assert read.groups == ("sales", "everybody")
        assert read.at == NOW

    def test_an_id_token_says_what_was_signed(self, idp):
        read = accept_id_token(idp.id_token(ADA, "crm", NOW), idp, "crm", NOW)
        assert (read.immutable_id, read.subject_format, read.verified) == ("00u1", PAIRWISE, True)
        assert read.subject != accept_id_token(idp.id_token(ADA, "wiki", NOW), idp, "wiki", NOW).subject
        assert (read.email, read.groups) == ("ada@nwl.example", ("sales", "everybody"))

    @pytest.mark.parametrize("by_email", [False, True])
    def test_a_changed_assertion_is_refused(self, idp, by_email):
        document = idp.saml(ADA, "crm", NOW, by_email=by_email)
        for old, new in ((b"Sales", b"Boss!"), (b"ada@", b"eve@"), (b"crm", b"erp")):
            with pytest.raises(SignOnError):
                accept_saml(document.replace(old, new), idp, "crm", NOW)

    def test_another_key_audience_or_time_is_refused(self, idp):
        stranger = IdentityProvider(idp.issuer, NOW)
        for by, audience, at in (
            (stranger, "crm", NOW), (idp, "erp", NOW), (idp, "crm", NOW + timedelta(minutes=6)),
            (idp, "crm", NOW - timedelta(minutes=6)),
        ):  # fmt: skip
            with pytest.raises(SignOnError):
                accept_saml(by.saml(ADA, "crm", NOW), idp, audience, at)
            with pytest.raises(SignOnError):
                accept_id_token(by.id_token(ADA, "crm", NOW), idp, audience, at)

    def test_a_token_without_signature_is_refused(self, idp):
        _, body, _ = idp.id_token(ADA, "crm", NOW).split(".")
        for header in ("eyJhbGciOiJub25lIn0", "eyJhbGciOiJIUzI1NiJ9"):
            with pytest.raises(SignOnError):
                accept_id_token(f"{header}.{body}.", idp, "crm", NOW)


class TestMapping:
    @pytest.mark.parametrize(
        ("operator", "values", "told", "holds"),
        [
            ("equals", ("Sales",), " sales ", True),
            ("equals", ("Sales",), "Sales EMEA", False),
            ("in", ("Sales", "Legal"), "LEGAL", True),
            ("prefix", ("sales",), "Sales EMEA", True),
            ("regex", (r"Sales( \w+)?",), "Sales EMEA", True),
            ("regex", (r"Sales",), "sales", False),
            ("equals", ("Sales",), None, None),
        ],
    )
    def test_a_condition_fits_fails_or_cannot_be_known(self, operator, values, told, holds):
        assert Condition("department", values, operator).holds(asserted(department=told)) is holds

    def test_any_of_several_values_fits_whatever_its_case_and_blanks(self):
        told = fields([("urn:x:Department", ()), ("Department", ("Legal", " SALES ", ""))], "saml")
        it = asserted(**{**told, "groups": ()})
        assert (it.department, it.values("department")) == ("Legal", ("Legal", " SALES "))
        lines = (Line((SALES,), ("Sales User",)), Line((Condition("department", ("legal",)),), ("Contracts",)))
        assert RoleMap(lines, ("Viewer",)).gives(it).entitlements == ("Sales User", "Contracts")
        assert RoleMap(lines[:1], ("Viewer",)).gives(it).lines == (1,)
        exact = Condition("department", ("sales",), folded=False)
        assert RoleMap((Line((exact,), ("Sales User",)),), ("Viewer",)).gives(it).by_default

    def test_all_lines_give_or_only_the_first(self):
        it = asserted(groups=("it-admins",))
        assert MAPPING.gives(it).entitlements == ("Sales User", "Admin")
        assert replace(MAPPING, matching="first").gives(it).entitlements == ("Sales User",)

    def test_whom_no_line_fits_gets_the_default_and_it_is_said(self):
        given = MAPPING.gives(asserted(department="Legal"))
        assert (given.entitlements, given.by_default) == (("Viewer",), True)

    def test_groups_that_are_not_told_are_unknown_and_not_none(self):
        assert MAPPING.gives(asserted(groups=None)).unknown == ("groups",)
        assert MAPPING.gives(asserted(groups=(), groups_overage=True)).unknown == ("groups",)
        assert MAPPING.gives(asserted(groups=())).unknown == ()


class TestDecision:
    def test_a_new_subject_makes_an_account_with_what_the_mapping_gives(self):
        decision = decide(asserted(), [], MAPPING)
        assert (decision.verb, decision.grant) == ("create", ("Sales User",))
        assert decide(asserted(), [], MAPPING, creates=False).verb == "refuse"

    def test_the_strongest_key_meets_the_account(self):
        accounts = [Known("1", key="00u1"), Known("2", username="00u1"), Known("3", email="ada@nwl.example")]
        assert [decide(asserted(), accounts[n:], MAPPING).by for n in range(3)] == ["key", "username", "email"]
        assert "takes" not in str(decide(asserted(), accounts, MAPPING).warnings)
        assert any("address" in w for w in decide(asserted(), accounts[2:], MAPPING).warnings)

    def test_an_account_bound_to_somebody_else_is_never_met_by_its_address(self):
        taken = Known("1", key="00u9", email="ada@nwl.example")
        assert decide(asserted(), [taken], MAPPING).verb == "create"

    def test_two_accounts_with_one_address_are_refused(self):
        decision = decide(asserted(), [Known(n, email="ADA@nwl.example") for n in "12"], MAPPING)
        assert (decision.verb, decision.account_id) == ("refuse", None)

    def test_a_closed_account_stays_closed_unless_signing_in_opens_it(self):
        closed = Known("1", key="00u1", active=False)
        assert decide(asserted(), [closed], MAPPING).verb == "refuse"
        assert decide(asserted(), [closed], MAPPING, reactivates=True).verb == "update"

    @pytest.mark.parametrize(
        ("updates", "grant", "revoke"),
        [
            ("create_only", (), ()),
            ("authoritative", ("Sales User",), ("By hand", "Viewer")),
            ("explicit", ("Sales User",), ("Viewer",)),
        ],
    )
    def test_a_later_sign_in_gives_and_takes_as_the_mapping_updates(self, updates, grant, revoke):
        mover = Known("1", key="00u1", entitlements=frozenset({"Viewer", "By hand"}))
        decision = decide(asserted(), [mover], replace(MAPPING, updates=updates))
        assert (decision.grant, decision.revoke) == (grant, revoke)

    def test_what_will_go_wrong_is_said(self):
        assert any(
            "second account" in w
            for w in decide(asserted(subject="ada@nwl.example", subject_format=EMAIL), [], MAPPING).warnings
        )
        assert any("new person" in w for w in decide(asserted(subject_format=TRANSIENT), [], MAPPING).warnings)
