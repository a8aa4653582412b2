"""The list of findings and the evidence of one: paged by keys, searched, counted once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from governance import findings
from governance.views import evidence, tallies
from governance.views import findings as listed
from governance.views.actors import finder
from governance.views.paging import CAP, SIZE, Cursor, capped
from tests import seeded
from tests.listing import actor, walk
from tests.seeded import put_findings, put_snapshot

DAY = timedelta(days=1)


@pytest.fixture
def settings():
    return seeded.TWO_APPLICATIONS


def test_a_cursor_survives_the_address_and_a_strange_one_means_the_first_page():
    cursor = Cursor(50, (85, "abc/ü"), back=True)
    assert Cursor.decode(cursor.encode(), (int, str)) == cursor
    for strange in (None, "", "x", "WzFd", Cursor(0, ("a", "b")).encode(), Cursor(-1, (1, "a")).encode(), "%%%"):
        assert Cursor.decode(strange, (int, str)) is None


def test_counts_stop_at_the_cap_and_say_so():
    assert (capped(CAP), capped(CAP + 1)) == ("10,000", "10,000+")


def test_every_finding_stands_on_exactly_one_page_the_most_severe_first(house, now):
    rows = [{"rule": ("ghost", "stale", "over_privileged")[n % 3], "account_id": f"a{n}"} for n in range(3 * SIZE + 7)]
    put_findings(house, now, *rows)
    pages = walk(lambda at: listed.page(house, listed.Filters(), at), listed.KEY)
    seen = [row["fingerprint"] for page in pages for row in page.rows]
    assert len(seen) == len(set(seen)) == len(rows)
    scores = [row["score"] for page in pages for row in page.rows]
    assert scores == sorted(scores, reverse=True)
    assert [page.said for page in pages[:2]] == ["1 to 50 of 157", "51 to 100 of 157"]


def test_the_way_back_leads_over_the_same_pages(house, now):
    put_findings(house, now, *({"account_id": f"a{n}"} for n in range(2 * SIZE + 3)))
    pages = walk(lambda at: listed.page(house, listed.Filters(), at), listed.KEY)
    back = pages[-1]
    for before in reversed(pages[:-1]):
        back = listed.page(house, listed.Filters(), Cursor.decode(back.previous, listed.KEY))
        assert [r["fingerprint"] for r in back.rows] == [r["fingerprint"] for r in before.rows]
        assert back.first == before.first
    assert back.previous is None


def test_filters_narrow_the_list_to_what_the_tally_counts(house, now):
    put_findings(
        house,
        now,
        {"rule": "ghost"},
        {"rule": "ghost", "application": "wiki"},
        {"rule": "stale"},
        {"rule": "stale", "status": "excluded"},
        {"rule": "login_after_leaving", "status": "resolved"},
    )
    counted = tallies.tally(house)
    for narrowed in (
        {},
        {"rule": "ghost"},
        {"application": "wiki"},
        {"severity": "critical"},
        {"severity": "medium"},
        {"rule": "ghost", "application": "crm"},
        {"status": "excluded"},
        {"status": "resolved", "severity": "critical"},
    ):
        found = listed.page(house, listed.Filters(**narrowed))
        assert len(found.rows) == found.total == counted.of(**{"status": "open", **narrowed}), narrowed
    assert counted.grid() == {("crm", "ghost"): 1, ("wiki", "ghost"): 1, ("crm", "stale"): 1}


def test_a_decision_shows_in_the_counts_at_once(house, now):
    [first, *_] = put_findings(house, now, {}, {})
    assert tallies.tally(house).of("open") == 2
    findings.exclude(house, actor(house), now, first, now + DAY, "agreed")
    counted = tallies.tally(house)
    assert (counted.of("open"), counted.of("excluded")) == (1, 1)


def test_a_row_says_briefly_what_does_not_stand_beside_it(now):
    row = {"reason": "Ann left on 4 Nov 2026; the account a.n in CRM is still active and was used after that, last on 5 Nov 2026.",
           "username": "a.n", "account_id": "1"}  # fmt: skip
    assert listed.short(row, "CRM", now) == "Ann left on 4 Nov; still active, used since, last on 5 Nov."


def test_evidence_names_the_source_and_the_age_of_every_fact(house, now):
    put_snapshot(house, "hr", now - timedelta(minutes=14))
    lines = [
        {"text": "HR file: last working day 4 Nov 2026", "source": "hr", "at": None},
        {"text": "Matched by employee id 7", "source": "correlation", "at": None},
        {"text": "Policy: 24 h", "source": "policy", "at": None},
    ]
    [print_] = put_findings(house, now, {"evidence": {"facts": lines, "values": {}}})
    seen = evidence.detail(house, actor(house), now, print_)
    assert [(fact.source, fact.age) for fact in seen.facts] == [
        ("HR file", "14 min old"),
        ("Correlation", "age unknown"),
        ("Policy", ""),
    ]


def test_who_may_approve_leaves_out_the_actor_and_those_without_the_right(house, now):
    [print_] = put_findings(house, now, {"application": "crm"})
    seen = evidence.detail(house, actor(house), now, print_)
    assert seen.approvers == ["Bea Boss (approver)", "Olga Owner (application owner)"]


def person(id: str, email: str, **values: str) -> dict[str, str]:
    return {"identity_id": f"hr:{id}", "email": email, "email_key": email, "state": "current"} | values


def test_who_may_approve_are_those_the_verb_takes_under_whichever_address_they_are_written(house, now):
    crm, wiki = house.settings.application
    crm = crm.model_copy(update={"owner": "O.Owner@example.com"})
    house = replace(house, settings=house.settings.model_copy(update={"application": (crm, wiki)}))
    olga = person("olga", "owner@example.com", former_emails="o.owner@example.com")
    bea = person("bea", "boss@example.com", state="ended")
    seeded.put_run(house, now, identities=[olga, bea])
    [print_, own] = put_findings(
        house, now, {"application": "crm"}, {"application": "crm", "account_id": "7", "identity_id": "hr:olga"}
    )
    assert evidence.detail(house, actor(house), now, print_).approvers == ["Olga Owner (application owner)"]
    assert evidence.detail(house, actor(house), now, own).approvers == [], "one left, for the other it is her own"


def test_an_owner_who_is_no_longer_named_is_none_at_once(house, now):
    owner = finder(house)("owner@example.com", ())
    assert owner.applications == {"crm"}
    crm, wiki = house.settings.application
    crm = crm.model_copy(update={"owner": "else@example.com"})
    house = replace(house, settings=house.settings.model_copy(update={"application": (crm, wiki)}))
    assert finder(house)("owner@example.com", ()).applications == frozenset()


def test_who_may_approve_by_a_group_is_told_by_the_group(house, now):
    groups = {"Okta-Approvers": ("approver",), "Okta-Auditors": ("auditor",), "Managers": ("manager",)}
    sign_in = house.settings.sign_in.model_copy(update={"groups": groups})
    house = replace(house, settings=house.settings.model_copy(update={"sign_in": sign_in}))
    [print_] = put_findings(house, now, {"application": "crm"})
    seen = evidence.detail(house, actor(house), now, print_)
    assert seen.approvers[-1] == "anybody in Okta-Approvers (approver)"
    assert len(seen.approvers) == 3, "auditors have no right to, and of managers only the person's own"


def test_a_finding_that_no_deactivation_closes_says_what_does(house, now):
    [source, ambiguous, ghost] = put_findings(
        house,
        now,
        {"rule": "contradictory_source", "application": "hr", "account_id": None},
        {"rule": "ambiguous_owner"},
        {},
    )
    told = {print_: evidence.detail(house, actor(house), now, print_) for print_ in (source, ambiguous, ghost)}
    assert (told[source].proposable, told[ambiguous].proposable, told[ghost].proposable) == (False, True, True)
    assert "source itself" in told[source].instead
    assert "pin it" in told[ambiguous].instead
    assert told[ghost].instead is None
