"""Who may do what: every verb, every role, one's own and others'."""

from __future__ import annotations

import itertools

import pandas as pd
import polars as pl
import pytest

from governance.access import RIGHTS, Actor, Verb, demand, find_actor, may
from governance.errors import NotAllowed
from governance.settings import Settings, parse

ROLES = ("admin", "security", "manager", "application_owner", "approver", "auditor")
# INTERFACES.md, "Rights", as a table: all, only one's own reports, only one's own applications, or no (".").
TABLE = """
                  admin  security  manager  application_owner  approver  auditor
read              all    all       reports  applications       all       all
export            .      .         .        .                  .         all
configure         all    .         .        .                  .         .
run               all    .         .        .                  .         .
release           all    all       .        .                  .         .
propose           .      all       reports  applications       .         .
approve           .      all       reports  applications       all       .
exclude           .      all       .        .                  .         .
pin               .      all       .        .                  .         .
campaign          .      all       .        .                  .         .
map               all    all       .        .                  .         .
done              all    .         .        applications       .         .
"""
CELLS = [
    (verb, role, reach)
    for verb, *reaches in (line.split() for line in TABLE.strip().splitlines()[1:])
    for role, reach in zip(ROLES, reaches, strict=True)
]
SAID = {
    "read": "read anything",
    "export": "export anything",
    "configure": "configure settings",
    "run": "start a job",
    "release": "release what a guard holds",
    "propose": "propose a removal",
    "approve": "approve or reject a removal",
    "exclude": "exclude a finding",
    "pin": "say whose an account is",
    "campaign": "lead an access review",
    "map": "change a role mapping",
    "done": "note a task as done",
}
SCOPES = {
    "nothing named": {},
    "own report": {"identity_id": "hr:own"},
    "other identity": {"identity_id": "hr:other"},
    "own application": {"application": "crm"},
    "other application": {"application": "erp"},
    "own report in other application": {"identity_id": "hr:own", "application": "erp"},
    "other identity in own application": {"identity_id": "hr:other", "application": "crm"},
    "other identity in other application": {"identity_id": "hr:other", "application": "erp"},
}


def actor(*roles: str, left: bool = False) -> Actor:
    return Actor(
        email="ana@example.com",
        name="Ana",
        roles=frozenset(roles),
        identity_id="hr:ana",
        reports=frozenset({"hr:own"}),
        applications=frozenset({"crm"}),
        left=left,
    )


def expected(verb: str, reach: str, scope: str) -> bool:
    if reach == "all":
        return True
    if verb == "read" and reach != "." and scope == "nothing named":
        return True
    return {"reports": "own report", "applications": "own application", ".": "never"}[reach] in scope


def test_the_table_names_every_verb_and_role() -> None:
    assert [verb for verb, _, _ in CELLS[:: len(ROLES)]] == [verb.value for verb in Verb]
    assert set(RIGHTS) == set(ROLES)
    assert set(ROLES) == set(Settings.model_validate({"actor": [{"email": "a", "roles": ROLES}]}).actor[0].roles)


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize(("verb", "role", "reach"), CELLS, ids=lambda part: str(part))
def test_a_role_may_do_what_the_table_says_and_nothing_else(verb: str, role: str, reach: str, scope: str) -> None:
    allowed = expected(verb, reach, scope)
    assert may(actor(role), Verb(verb), **SCOPES[scope]) is allowed
    if allowed:
        demand(actor(role), Verb(verb), **SCOPES[scope])
    else:
        with pytest.raises(NotAllowed, match=rf"ana@example.com \({role}\) may not {SAID[verb]}[ ;]"):
            demand(actor(role), Verb(verb), **SCOPES[scope])


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(ROLES, 2)))
def test_two_roles_may_what_either_may(first: str, second: str) -> None:
    for verb, scope in itertools.product(Verb, SCOPES.values()):
        both = may(actor(first, second), verb, **scope)
        assert both is (may(actor(first), verb, **scope) or may(actor(second), verb, **scope))


def test_a_leaver_and_an_actor_without_a_role_may_nothing() -> None:
    for verb, scope in itertools.product(Verb, SCOPES.values()):
        assert not may(actor(*ROLES, left=True), verb, **scope)
        assert not may(actor(), verb, **scope)
        assert not may(actor("no such role"), verb, **scope)
    with pytest.raises(NotAllowed, match="has left"):
        demand(actor(*ROLES, left=True), Verb.READ)
    with pytest.raises(NotAllowed, match=r"\(no role\) may not approve or reject a removal for crm; that takes"):
        demand(actor(), Verb.APPROVE, application="crm")


def test_a_refusal_is_a_sentence_that_says_who_may() -> None:
    assert set(SAID) == {verb.value for verb in Verb}
    with pytest.raises(NotAllowed) as refused:
        demand(actor("security"), Verb.DONE, application="crm")
    assert str(refused.value) == (
        "ana@example.com (security) may not note a task as done for crm; that takes the role admin or"
        " application_owner (for own applications)"
    )
    with pytest.raises(NotAllowed, match=r"may not read anything; that takes the role admin, security, manager"):
        demand(actor("manager"), Verb.READ, application="*", identity_id="*")
    with pytest.raises(NotAllowed, match=r"may not export anything; that takes the role auditor$"):
        demand(actor("admin"), Verb.EXPORT)


# --- who an e-mail is


SETTINGS = parse(
    {
        "application": [
            {"name": "crm", "connector": "app_csv", "owner": "Olga@example.com"},
            {"name": "erp", "connector": "app_csv", "owner": "olga@example.com"},
            {"name": "wiki", "connector": "app_csv", "owner": "else@example.com"},
        ],
        "actor": [
            {"email": "ana@example.com", "roles": ["security"], "name": "Ana A."},
            {"email": "olga@example.com", "roles": ["application_owner"]},
            {"email": "per@example.com", "roles": ["application_owner"], "applications": ["wiki"]},
            {"email": "max@example.com", "roles": ["manager"]},
            {"email": "gone@example.com", "roles": ["admin"]},
            {"email": "kim@example.com", "roles": ["admin"]},
        ],
    }
)


def people(*rows: tuple[str, str | None, str | None, str]) -> pl.DataFrame:
    frame = pl.DataFrame(
        [(f"hr:{one}", email, f"hr:{above}" if above else None, state) for one, email, above, state in rows],
        schema=["identity_id", "email", "manager_id", "state"],
        orient="row",
    )
    return frame.with_columns(display_name=pl.col("identity_id").str.to_uppercase())


COMPANY = people(
    ("boss", "boss@example.com", None, "current"),
    ("ana", "ana@example.com", "boss", "current"),
    ("left", "left@example.com", "boss", "ended"),  # was a manager: the boss stands in
    ("bo", "bo@example.com", "left", "current"),
    ("cy", None, "left", "ended"),
    ("di", "di@example.com", "cy", "leave"),
    ("ed", "ed@example.com", "bo", "current"),
    ("gone", "gone@example.com", "boss", "ended"),
    ("old", "new@example.com", "ana", "ended"),  # a recycled address
    ("new", "new@example.com", "boss", "current"),
    ("fay", "fay@example.com", "new", "missing"),
)


def test_a_configured_actor_has_the_roles_of_the_settings() -> None:
    found = find_actor(SETTINGS, " ANA@Example.com ")
    assert (found.email, found.name, found.roles) == ("ana@example.com", "Ana A.", {"security"})
    assert (found.identity_id, found.reports, found.applications) == (None, frozenset(), frozenset())


@pytest.mark.parametrize("email", ["", "  ", "nobody@example.com", "\u212aim@example.com", "bo@example.com "])
def test_whom_nobody_lists_and_who_manages_nobody_is_refused(email: str) -> None:
    with pytest.raises(NotAllowed, match="may act here"):
        find_actor(SETTINGS, email, lambda: COMPANY.filter(pl.col("identity_id") != "hr:ed"))


def test_who_manages_others_is_manager_without_an_entry() -> None:
    found = find_actor(SETTINGS, "Boss@example.com", lambda: COMPANY)
    assert (found.email, found.name, found.roles) == ("boss@example.com", "HR:BOSS", {"manager"})
    assert find_actor(SETTINGS, "ana@example.com", lambda: COMPANY).roles == {"security", "manager"}


def test_reports_are_direct_ones_and_those_of_reports_who_left() -> None:
    boss = find_actor(SETTINGS, "boss@example.com", lambda: COMPANY)
    assert boss.reports == {f"hr:{one}" for one in ("ana", "left", "bo", "cy", "di", "gone", "new")}
    assert find_actor(SETTINGS, "new@example.com", lambda: COMPANY).reports == {"hr:fay"}


def test_a_circle_of_managers_ends_and_nobody_reports_to_themselves() -> None:
    circle = people(
        ("max", "max@example.com", "b", "current"), ("b", "b@x", "c", "ended"), ("c", "c@x", "max", "ended")
    )
    assert find_actor(SETTINGS, "max@example.com", lambda: circle).reports == {"hr:b", "hr:c"}
    alone = people(("max", "max@example.com", "max", "current"))
    assert find_actor(SETTINGS, "max@example.com", lambda: alone).reports == frozenset()


def test_an_actor_who_left_is_known_as_such() -> None:
    assert find_actor(SETTINGS, "gone@example.com", lambda: COMPANY).left
    assert not find_actor(SETTINGS, "gone@example.com").left
    assert not find_actor(SETTINGS, "ana@example.com", lambda: COMPANY).left


def test_of_a_recycled_address_the_one_who_is_here_acts() -> None:
    found = find_actor(SETTINGS, "new@example.com", lambda: COMPANY)
    assert (found.identity_id, found.left) == ("hr:new", False)


def test_of_an_address_given_on_before_its_last_holder_has_left_for_sure_the_one_who_is_here_acts() -> None:
    given_on = people(("1", "kim@example.com", None, "missing"), ("2", "kim@example.com", None, "current"))
    assert find_actor(SETTINGS, "kim@example.com", lambda: given_on).identity_id == "hr:2"
    nobody = people(("1", "kim@example.com", None, "ended"), ("2", "kim@example.com", None, "missing"))
    assert find_actor(SETTINGS, "kim@example.com", lambda: nobody).identity_id == "hr:2"


FURTHER = COMPANY.with_columns(
    aliases=pl.col("identity_id").replace_strict({"hr:gone": "Kim@example.com;k2@example.com"}, default=None),
    former_emails=pl.col("identity_id").replace_strict(
        {"hr:cy": "MAX@example.com", "hr:old": "bo@example.com", "hr:boss": "b@example.com;ana@example.com"},
        default=None,
    ),
)


@pytest.mark.parametrize("frame", [FURTHER, FURTHER.lazy()], ids=["eager", "lazy"])
@pytest.mark.parametrize("email", ["kim@example.com", "max@example.com"], ids=["an alias", "an address that was taken"])
def test_who_left_may_not_act_under_any_other_of_their_addresses_either(frame: pl.DataFrame, email: str) -> None:
    found = find_actor(SETTINGS, email, lambda: frame)
    assert (found.email, found.left) == (email, True)
    assert not may(found, Verb.READ)


def test_an_address_that_is_somebody_s_now_leads_to_nobody_who_had_it() -> None:
    ana = find_actor(SETTINGS, "ana@example.com", lambda: FURTHER)
    assert (ana.identity_id, ana.left) == ("hr:ana", False)
    bo = find_actor(SETTINGS, "bo@example.com", lambda: FURTHER)
    assert (bo.identity_id, bo.left) == ("hr:bo", False)


def test_one_person_is_one_actor_under_all_addresses_that_are_theirs() -> None:
    boss = find_actor(SETTINGS, "B@example.com", lambda: FURTHER)
    assert (boss.email, boss.identity_id) == ("boss@example.com", "hr:boss")
    assert boss.addresses == {"boss@example.com", "b@example.com"}, "one of the two others is somebody else's now"
    assert [boss.is_same(one) for one in ("Boss@example.com", "b@EXAMPLE.com", "ana@example.com", None, " ")] == [
        True, True, False, False, False,
    ]  # fmt: skip
    unknown = find_actor(SETTINGS, "per@example.com", lambda: FURTHER)
    assert unknown.is_same("Per@example.com")
    assert unknown.addresses == frozenset()


def test_an_address_that_two_had_and_nobody_has_now_is_still_each_one_s() -> None:
    both = {"hr:ana": "team@example.com", "hr:bo": "team@example.com"}
    frame = COMPANY.with_columns(former_emails=pl.col("identity_id").replace_strict(both, default=None))
    for email in ("ana@example.com", "bo@example.com"):
        assert find_actor(SETTINGS, email, lambda: frame).is_same("team@example.com")


def test_an_owner_owns_what_is_listed_or_else_what_names_them() -> None:
    assert find_actor(SETTINGS, "olga@example.com").applications == {"crm", "erp"}
    assert find_actor(SETTINGS, "per@example.com").applications == {"wiki"}


def test_an_application_may_name_its_owner_by_any_address_that_is_theirs():
    olga = {"identity_id": "hr:olga", "email": "olga@example.com", "state": "current", "display_name": "Olga"}
    else_ = {"identity_id": "hr:else", "email": "else@example.com", "state": "current", "display_name": "Else"}

    def owned(email: str, **further: str) -> frozenset[str]:
        columns = ("identity_id", "email", "manager_id", "state", "display_name", "aliases", "former_emails")
        frame = pl.DataFrame([olga | further, else_], schema=dict.fromkeys(columns, pl.String))
        settings = parse(
            {
                "application": [
                    {"name": "crm", "connector": "app_csv", "owner": "O.Lga@example.com"},
                    {"name": "erp", "connector": "app_csv", "owner": "else@example.com"},
                ],
                "actor": [{"email": email, "roles": ["application_owner"]}],
            }
        )
        return find_actor(settings, email, lambda: frame).applications

    assert owned("olga@example.com", aliases="ol@example.com;o.lga@example.com") == {"crm"}
    assert owned("olga@example.com", former_emails="o.lga@example.com") == {"crm"}
    assert owned("ol@example.com", aliases="ol@example.com", former_emails="o.lga@example.com") == {"crm"}
    assert owned("olga@example.com", aliases="else@example.com") == frozenset(), "that is somebody else's address"
    assert owned("olga@example.com", former_emails="else@example.com") == frozenset()
    assert owned("else@example.com") == {"erp"}


def test_match_keys_of_snapshots_are_used_and_pandas_works_too() -> None:
    keyed = COMPANY.with_columns(email_key=pl.col("email"), email=pl.col("email").str.to_uppercase())
    for frame in (keyed, keyed.lazy(), pd.DataFrame(keyed.to_dicts()), pd.DataFrame(COMPANY.to_dicts())):
        assert find_actor(SETTINGS, "boss@example.com", lambda frame=frame: frame).identity_id == "hr:boss"  # type: ignore[misc]
