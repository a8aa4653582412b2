"""The overview: the same number everywhere, and unknown is never zero."""

from __future__ import annotations

from datetime import timedelta

import pytest

from governance.findings import Coverage
from governance.views import accounts, applications, closures, identities, overview, population, runs
from governance.views import findings as listed
from tests import seeded
from tests.listing import audit_something
from tests.seeded import account, put_findings, put_remediation, put_run

DAY = timedelta(days=1)
BLIND = {
    "stale": {"about": 4, "unjudged": {"the last use is not told": 4}},
    "ghost": {"about": 4, "unjudged": {"x": 1}},
}


@pytest.fixture
def settings():
    return seeded.TWO_APPLICATIONS


def test_nothing_is_zero_before_anything_was_read(house, now):
    seen = overview.overview(house, now)
    assert (seen.run, seen.headline, seen.coverage, seen.checks, seen.closures.median) == (None,) * 5
    assert {cell.count for cell in seen.grid.cells} <= {None}
    drawn = population.population(house, now)
    assert drawn.looked_at == "nothing has been judged yet"
    assert "nothing yet" in drawn.read
    assert drawn.age == "not every feed has been read"
    assert [feed.state for feed in drawn.feeds] == ["never"] * 3
    card = applications.cards(house, now)[0]
    assert (card.accounts, card.active, card.last, card.trouble) == (None, None, None, "never")
    assert accounts.page(house, accounts.Filters(), now).rows == []
    assert identities.page(house, identities.Filters()).rows == []
    assert identities.one(house, "hr:1") is None


def test_the_same_number_is_the_same_everywhere(house, now):
    put_run(
        house,
        now,
        summary={"leavers_30d": 2, "feeds": {"hr": {"kind": "source"}}, "by_application": {"crm": {}, "wiki": {}}},
    )
    put_findings(
        house,
        now,
        {},
        {"application": "wiki"},
        {"rule": "stale"},
        {"status": "in_remediation"},
        {"rule": "stale", "status": "excluded"},
    )
    seen = overview.overview(house, now)
    assert (
        sum(cell.count for cell in seen.grid.cells)
        == seen.tally.of("open")
        == listed.page(house, listed.Filters()).total
        == 3
    )
    assert sum(total for total in seen.grid.totals) == 3
    ghosts = sum(c.count for c in seen.grid.cells if seen.grid.rules[c.rule] == "Ghost")
    assert ghosts == seen.ghosts_open == listed.page(house, listed.Filters(rule="ghost")).total == 2
    assert seen.headline.ghosts == seen.ghosts_open + seen.ghosts_in_remediation


def test_what_could_not_be_judged_is_never_zero(house, now):
    put_run(
        house,
        now,
        summary={"by_application": {"crm": {"accounts": 4}}, "coverage": {"crm": BLIND}},
        not_evaluable={"crm": {"stale": "4 accounts: the last use is not told", "ghost": "1 accounts: x"}},
    )
    put_findings(house, now, {"rule": "ghost"})
    grid = overview.overview(house, now).grid
    cell = {(grid.applications[c.application], grid.rules[c.rule]): c for c in grid.cells}
    assert (cell["Customer CRM", "Stale"].count, cell["Customer CRM", "Stale"].reason) == (
        None,
        "4 accounts: the last use is not told",
    )
    assert (cell["Customer CRM", "Ghost"].count, cell["Customer CRM", "Ghost"].reason) == (1, "1 accounts: x")
    assert {c.count for (name, _), c in cell.items() if name == "Wiki"} == {None}, "never read"
    assert dict(zip(grid.applications, grid.totals, strict=True))["Wiki"] is None
    assert grid.rules[0] == "Ghost"


def test_a_place_is_blind_in_the_map_exactly_where_coverage_says_so(house, now):
    told = {
        **BLIND,
        "never_used": {"about": 4, "unjudged": {"x": 4}},
        "orphaned": {"about": 4, "unjudged": {"x": 3}},
    }
    put_run(
        house,
        now,
        summary={
            "by_application": {"crm": {}, "wiki": {}},
            "coverage": {"crm": told, "hr": {"no_end_date": told["stale"]}},
        },
        not_evaluable={"crm": dict.fromkeys(told, "x")},
    )
    put_findings(house, now, {"rule": "never_used"})
    seen = overview.overview(house, now)
    cells = {(seen.grid.application_names[c.application], seen.grid.rule_names[c.rule]): c for c in seen.grid.cells}
    assert {key for key, cell in cells.items() if cell.count is None} == {("crm", "stale"), ("hr", "no_end_date")}
    assert cells["crm", "orphaned"].count == 0, "one of four was judged, and holds nothing"
    assert cells["crm", "never_used"].count == 1, "known from before it could not be judged any more"
    for state, number in (("not evaluable", 3), ("partly", 2)):
        assert seen.grid.number(state) == seen.judged.number(state) == number


def test_act_first_names_each_account_once_by_its_life(house, now):
    put_findings(
        house, now, {"account_id": "a", "rule": "login_after_leaving", "score": 100}, {"account_id": "a", "rule": "ghost"},
        {"account_id": "b", "rule": "stale"},
    )  # fmt: skip
    assert [(r["account_id"], r["rule"]) for r in overview.overview(house, now).first] == [
        ("a", "ghost"),
        ("b", "stale"),
    ]


def test_coverage_counts_what_leavers_held_and_what_was_proved_closed_since(house, now):
    left = {"owner_state": "ended", "owner_ended_at": now - 5 * DAY}
    put_run(
        house,
        now,
        [
            account("crm", "open", **left),
            account("crm", "verified-since", **left),
            account("crm", "off", **{**left, "active": False}),
            account("crm", "gone", **{**left, "present": False}),
            account("crm", "untold", **{**left, "active": None}),
            account("crm", "long-ago", owner_state="ended", owner_ended_at=now - 50 * DAY),
            account("crm", "current"),
        ],
    )
    assert closures.coverage(house) == Coverage(held=5, closed=2, open=2, excluded=0, unknown=1)
    put_findings(
        house,
        now,
        {
            "account_id": "verified-since",
            "status": "resolved",
            "resolved_why": "verified",
            "resolved_at": now + timedelta(minutes=1),
            "since_at": now - 5 * DAY,
        },
    )
    audit_something(house, now)
    covered = closures.coverage(house)
    assert (covered.closed, covered.open, covered.unknown) == (3, 1, 1)
    assert covered.share == pytest.approx(60)
    assert covered.ghosts == 1


def test_coverage_tells_proof_from_claim_and_takes_every_account_once(house, now):
    names = (
        "off",
        "excluded-off",
        "excluded",
        "no-longer",
        "executed",
        "claimed",
        "begun",
        "one-grant",
        "back",
        "untold",
    )
    inactive = {"active": False}
    told = {"off": inactive, "excluded-off": inactive, "untold": {"active": None}}
    put_run(
        house,
        now,
        [
            account("crm", name, owner_state="ended", owner_ended_at=now - 5 * DAY, **told.get(name, {}))
            for name in sorted(names)
        ],
    )
    left, later = {"since_at": now - 5 * DAY}, {"status": "resolved", "resolved_at": now + timedelta(minutes=1)}
    put_findings(
        house,
        now,
        {"account_id": "excluded-off", "status": "excluded", **left},
        {"account_id": "excluded", "status": "excluded", **left},
        {"account_id": "untold", "status": "excluded", **left},
        {"account_id": "no-longer", "resolved_why": "no_longer_true", **later, **left},
        {"account_id": "off", "resolved_why": "inactive", "status": "resolved", "resolved_at": now - DAY, **left},
        {"account_id": "somebody-else", "resolved_why": "verified", **later, **left},
    )
    in_hand = {
        "executed": {"status": "executed"},
        "claimed": {"status": "executing", "evidence": {"claimed": {"by": "owner@example.com"}}},
        "begun": {"status": "executing"},
        "one-grant": {"status": "executed", "entitlement_id": "Admin"},
        "back": {"status": "undone"},
    }
    for name, values in in_hand.items():
        put_remediation(house, f"r-{name}", now, application="crm", account_id=name, **values)
    assert closures.coverage(house) == Coverage(
        held=10, closed=2, open=4, excluded=1, unknown=1, acknowledged=2, ghosts=1
    )


def test_closures_show_the_tail_that_a_median_hides(house, now):
    hours = (1, 3, 5, 25, 700)
    put_findings(
        house,
        now,
        *(
            {"status": "resolved", "resolved_why": "verified", "resolved_at": now, "since_at": now - timedelta(hours=h)}
            for h in hours
        ),
        {"status": "resolved", "resolved_why": "no_longer_true", "resolved_at": now, "since_at": now - DAY},
        {"status": "resolved", "resolved_why": "gone", "resolved_at": now - 91 * DAY, "since_at": now - 92 * DAY},
    )
    seen = closures.closures(house, now)
    assert (sorted(seen.hours), seen.median, seen.late) == ([1, 3, 5, 25, 700], 5, 2)
    assert dict(seen.histogram())[48] == 1
    assert sum(n for _, n in seen.histogram()) == 5


def test_what_was_remembered_goes_with_what_it_was_made_of(house, now):
    put_run(house, now, summary={"accounts": 1})
    assert runs.last_run(house).number("accounts") == 1
    put_run(house, now, summary={"accounts": 2}, id="01M80000000000000000000000")
    assert runs.last_run(house).number("accounts") == 2
