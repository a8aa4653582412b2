"""Team access: one's own reports and nobody else's, unusual things first, and asking for a removal."""

from __future__ import annotations

from datetime import timedelta

import pytest
from conftest import NOW as THEN
from reviews import TOLD, actor, reviewed
from sqlmodel import select

from governance import campaigns, remediation
from governance.errors import DecisionError, FourEyesRequired, NotAllowed
from governance.tables import AuditEntry, Remediation
from governance.views.team import team
from tests.screen import NOW, show, text_of

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning:streamlit")


@pytest.fixture
def settings():
    lea = {"email": "lea@x.example", "name": "Lea Bach", "roles": ["manager"]}  # whom the page lets a visitor be
    return TOLD | {"actor": [*TOLD["actor"], lea]}


@pytest.fixture
def company(house):
    return reviewed(house, NOW - timedelta(hours=1))


@pytest.fixture
def then(house):
    """The company on a day that stays the same: what is unused depends on it."""
    return reviewed(house, THEN - timedelta(hours=1))


def test_a_manager_sees_exactly_their_own_reports(then):
    assert [member.name for member in team(then, actor(then, "lea"), THEN)] == ["Joe Main", "Ida Fern", "Sue Hart"]
    assert {m.name for m in team(then, actor(then, "eva"), THEN)} == {"Max Orth", "Lea Bach"}
    assert team(then, actor(then, "sec"), THEN) == []


def test_unusual_access_stands_first_with_its_reason(then):
    [joe, *_] = team(then, actor(then, "lea"), THEN)
    assert (joe.name, joe.privileged, joe.held[0].facts["entitlement"]) == ("Joe Main", 1, "Admin")
    assert joe.held[0].advice == ("change", "Privileged, and the role mapping does not give it")


def test_the_page_shows_the_team_and_one_of_them(company):
    app = show(company, "team", "lea@x.example")
    assert not app.exception
    assert [name in text_of(app) for name in ("Joe Main", "Sue Hart", "Ann Roth")] == [True, True, False]
    app = show(company, "team", "lea@x.example", person="hr:8")
    assert not app.exception
    assert "Privileged, and the role mapping does not give it" in text_of(app).replace("\\", "")


def test_a_removal_is_asked_for_once_and_approved_by_somebody_else(company):
    lea = actor(company, "lea")
    r = campaigns.ask_removal(company, lea, NOW, "crm", "c8", "Admin", "He writes no rules any more")
    assert (r.status, r.action, r.entitlement_id, r.proposed_by) == ("proposed", "manual", "Admin", "lea@x.example")
    with pytest.raises(DecisionError, match="under way already"):
        campaigns.ask_removal(company, lea, NOW, "crm", "c8", "Admin", "again")
    with pytest.raises(FourEyesRequired):
        remediation.approve(company, lea, NOW, [r.id], "yes")
    remediation.approve(company, actor(company, "sec"), NOW, [r.id], "agreed")
    with company.store.read() as session:
        assert session.exec(select(Remediation.status)).all() == ["approved"]
        verbs = session.exec(select(AuditEntry.verb).where(AuditEntry.actor == "lea@x.example")).all()
    assert verbs == ["propose", "removal.ask"]


@pytest.mark.parametrize(
    ("who", "account", "held", "refusal"),
    [
        ("lea", "c4", "Reader", NotAllowed),  # of another team
        ("max", "c2", "Reader", NotAllowed),  # one's own: nobody manages themselves
        ("audit", "c8", "Admin", NotAllowed),
        ("boss", "c8", "Admin", NotAllowed),
        ("lea", "c8", "Nothing", DecisionError),
        ("owner", "c10", "Admin", DecisionError),  # a program's
    ],
)
def test_what_may_not_be_asked_for(company, who, account, held, refusal):
    with pytest.raises(refusal):
        campaigns.ask_removal(company, actor(company, who), NOW, "crm", account, held, "because")
    with company.store.read() as session:
        assert session.exec(select(Remediation)).all() == []


def test_what_was_asked_for_is_said_where_it_was_asked(company):
    app = show(company, "team", "lea@x.example", person="hr:8")
    before = len(app.get("popover"))
    campaigns.ask_removal(company, actor(company, "lea"), NOW, "crm", "c8", "Admin", "because")
    app = show(company, "team", "lea@x.example", person="hr:8")
    assert "Removal: waiting for approval" in text_of(app)
    assert len(app.get("popover")) == before - 1, "nothing is asked for twice"


def test_asked_removals_are_no_reviews(company):
    from governance.views import campaigns as views

    campaigns.ask_removal(company, actor(company, "lea"), NOW, "crm", "c8", "Admin", "because")
    assert views.cards(company, actor(company, "sec")) == []
    app = show(company, "approvals", "sec@x.example")
    assert not app.exception
    assert "Lea Bach asked to remove Admin of Joe Main: because" in text_of(app).replace("*", "").replace("\\", "")
