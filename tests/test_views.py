"""Read models: one for every number, paged by keys, unknown stays unknown."""

from __future__ import annotations

import csv
import io
from datetime import datetime, timedelta

import pytest
from sqlmodel import select

from governance import audit, exports, findings
from governance.access import Actor, find_actor
from governance.errors import NotAllowed
from governance.tables import AuditEntry, Finding
from governance.views import (
    accounts,
    applications,
    approvals,
    closures,
    evidence,
    freshness,
    identities,
    jobs,
    lifecycle,
    overview,
    population,
    runs,
    tallies,
    trail,
    words,
)
from governance.views import findings as listed
from governance.views.paging import CAP, SIZE, Cursor, capped
from tests import seeded
from tests.seeded import account, put_findings, put_pull, put_remediation, put_run, put_snapshot

DAY = timedelta(days=1)


@pytest.fixture
def settings():
    return seeded.TWO_APPLICATIONS


def actor(house, email="sec@example.com"):
    return find_actor(house.settings, email)


def walk(turn, types):
    """Every page of a list, forward, and the cursors between."""
    pages, at = [], None
    while True:
        page = turn(at)
        pages.append(page)
        if page.next is None:
            return pages
        at = Cursor.decode(page.next, types)


# --- Paging -----------------------------------------------------------------------------------------------------------


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


# --- Findings ---------------------------------------------------------------------------------------------------------


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


def test_search_finds_every_word_and_takes_signs_as_they_are(house, now):
    put_findings(
        house, now, {"search": "marta lindqvist m.lindqvist@x"}, {"search": "marta 100% _done"}, {"search": "yusuf"}
    )
    for text, hits in (
        ("marta", 2),
        ("MARTA Lind", 1),
        ("100%", 1),
        ("_done", 1),
        ("%", 1),
        ("marta yusuf", 0),
        ("'", 0),
    ):
        assert listed.page(house, listed.Filters(text=text)).total == hits, text


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


# --- Before anything was read -----------------------------------------------------------------------------------------


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


# --- Freshness --------------------------------------------------------------------------------------------------------


def test_a_feed_is_outdated_by_its_own_limit_and_stands_first(house, now):
    for feed in ("hr", "crm", "wiki"):
        put_snapshot(house, feed, now - timedelta(hours=3))
    feeds = freshness.freshness(house, now)
    assert [(f.name, f.state) for f in feeds] == [("wiki", "outdated"), ("hr", "fresh"), ("crm", "fresh")]
    assert feeds[0].said == "Wiki 3 h, outdated"


def test_a_failed_or_held_pull_leaves_the_last_good_facts_and_says_so(house, now):
    for feed in ("hr", "crm", "wiki"):
        put_snapshot(house, feed, now - timedelta(minutes=5))
    put_pull(house, "crm", 1, now, "failed", error="no such file", error_kind="IncompleteFeed")
    put_snapshot(house, "hr", now, "held", held_why="too many removed")
    said = {feed.name: feed for feed in freshness.freshness(house, now)}
    assert (said["crm"].state, said["crm"].failed, said["crm"].sound) == ("fresh", "no such file", False)
    assert (said["hr"].held, said["hr"].age) == (True, timedelta(minutes=5))
    assert said["wiki"].sound


def test_only_the_newest_pull_decides_whether_a_feed_failed(house, now):
    put_snapshot(house, "crm", now)
    put_pull(house, "crm", 1, now - DAY, "failed", error="x")
    put_pull(house, "crm", 2, now, "ok")
    put_pull(house, "crm", 3, now, "running")
    assert {f.name: f.failed for f in freshness.freshness(house, now)}["crm"] is None


def test_the_population_states_rows_read_on_both_sides(house, now):
    for feed in ("hr", "crm", "wiki"):
        put_snapshot(house, feed, now - timedelta(minutes=4))
    put_pull(house, "hr", 1, now, rows_read=503, duplicates=1, rejected=2)
    put_pull(house, "crm", 2, now, rows_read=40)
    put_pull(house, "wiki", 3, now, rows_read=60, duplicates=3)
    put_run(
        house,
        now,
        summary={
            "accounts": 97,
            "identities": 500,
            "unmatched": 9,
            "ambiguous": 3,
            "checks": 1000,
            "not_evaluable": 65,
        },
        not_evaluable={"crm": {"stale": "60 accounts: not told"}, "wiki": {"stale": "5 accounts: not told"}},
    )
    drawn = population.population(house, now)
    assert drawn.looked_at == "97 accounts and 500 identities in 2 applications"
    assert drawn.unjudged == "65 of 1,000 checks (6.5 %) could not be judged, most of them in Customer CRM and Wiki"
    assert drawn.read == (
        "Read: 503 rows about people (1 duplicate, 2 rejected) and 100 rows about accounts (3 duplicate, 0 rejected);"
        " 9 unmatched, 3 ambiguous; data up to 4 min old"
    )


# --- Accounts and identities ------------------------------------------------------------------------------------------


def many_accounts(number):
    kinds = (
        {"owner_state": "ended"},
        {"match": "unmatched", "owner_id": None, "owner_name": None, "owner_state": None, "match_key": None},
        {"privileged": True},
        {},
        {"active": False},
        {"owner_state": "ended", "privileged": True},
        {"present": False},
    )
    return [account(("crm", "wiki")[n % 2], f"a{n:04}", **kinds[n % 7]) for n in range(number)]


def test_accounts_come_by_how_much_they_should_worry_each_on_one_page(house, now):
    put_run(house, now, many_accounts(210))
    pages = walk(lambda at: accounts.page(house, accounts.Filters(), now, at), accounts.KEY)
    rows = [row for page in pages for row in page.rows]
    assert len({(row["application"], row["account_id"]) for row in rows}) == len(rows) == 180, (
        "vanished ones are not listed"
    )
    ranks = [row["rank"] for row in rows]
    assert ranks == sorted(ranks)
    assert (rows[0]["owner_state"], rows[0]["privileged"], rows[-1]["active"]) == ("ended", True, False)
    back = accounts.page(house, accounts.Filters(), now, Cursor.decode(pages[1].previous, accounts.KEY))
    assert [r["account_id"] for r in back.rows] == [r["account_id"] for r in pages[0].rows]


@pytest.mark.parametrize(
    ("scope", "number"),
    [("all", 180), ("leavers", 60), ("unmatched", 30), ("privileged", 60), ("inactive", 30), ("unused", 0)],
)
def test_scopes_of_accounts_hold_what_they_say(house, now, scope, number):
    put_run(house, now, many_accounts(210))
    assert accounts.page(house, accounts.Filters(scope=scope), now).total == number


def test_an_account_whose_last_use_is_unknown_is_not_called_unused(house, now):
    put_run(
        house,
        now,
        [
            account("crm", "old", last_seen_at=now - 100 * DAY, last_seen_known=True),
            account("crm", "untold"),
            account("crm", "never", last_seen_known=True),
        ],
    )
    assert [r["account_id"] for r in accounts.page(house, accounts.Filters(scope="unused"), now).rows] == ["old"]


def test_search_in_accounts_takes_signs_as_they_are(house, now):
    put_run(house, now, [account("crm", "a.b"), account("crm", "aXb", owner_name="Zoë (ext)")])
    for text, hits in (("a.b", 1), ("(EXT)", 1), (".*", 0), ("[", 0), ("zoë", 1)):
        assert accounts.page(house, accounts.Filters(text=text), now).total == hits, text


def test_an_account_shows_its_worst_open_finding(house, now):
    put_run(house, now, [account("crm", "a0"), account("crm", "a1"), account("wiki", "a0")])
    put_findings(
        house,
        now,
        {"account_id": "a0", "rule": "stale"},
        {"account_id": "a0", "rule": "ghost"},
        {"account_id": "a1", "status": "resolved"},
    )
    found = {
        (r["application"], r["account_id"]): r["finding"] for r in accounts.page(house, accounts.Filters(), now).rows
    }
    assert (found["crm", "a0"]["rule"], found["crm", "a0"]["count"]) == ("ghost", 2)
    assert found["crm", "a1"] is None
    assert found["wiki", "a0"] is None


def people(number, **values):
    return [
        {"identity_id": f"hr:{n:03}", "display_name": f"Person {n}", "state": "current", "present": True, **values}
        for n in range(number)
    ]


def test_identities_stand_once_at_their_worst_finding(house, now):
    put_run(house, now, identities=people(80))
    rows = [
        {"identity_id": f"hr:{n % 60:03}", "rule": ("stale", "ghost")[n % 2], "account_id": f"a{n}"} for n in range(150)
    ]
    put_findings(house, now, *rows)
    pages = walk(lambda at: identities.page(house, identities.Filters(), at), identities.BY_FINDING)
    seen = [row["identity_id"] for page in pages for row in page.rows]
    assert len(seen) == len(set(seen)) == pages[0].total == 60
    scores = [row["score"] for page in pages for row in page.rows]
    assert scores == sorted(scores, reverse=True)
    first = pages[0].rows[0]
    assert first["findings"] == sum(row["identity_id"] == first["identity_id"] for row in rows)


def test_leavers_come_by_when_they_left_the_last_first(house, now):
    left = [{**row, "state": "ended", "ended_at": now - n * DAY} for n, row in enumerate(people(60))]
    put_run(house, now, identities=[*left, *people(3, identity_id="hr:x")[:1]])
    pages = walk(lambda at: identities.page(house, identities.Filters(scope="ended"), at), identities.BY_END)
    assert [r["identity_id"] for p in pages for r in p.rows] == [f"hr:{n:03}" for n in range(60)]


def test_one_identity_knows_what_was_closed_since_it_was_read(house, now):
    mine = {"owner_id": "hr:0", "owner_state": "ended", "as_of_s": int((now - timedelta(hours=1)).timestamp())}
    put_run(
        house,
        now,
        [account("wiki", "a0", **mine), account("crm", "a1", **mine), account("crm", "a2", **{**mine, "active": None})],
        [{"identity_id": "hr:0", "display_name": "Person 0", "state": "ended", "ended_at": now - DAY, "present": True}],
    )
    [print_] = put_findings(
        house, now, {"identity_id": "hr:0", "application": "wiki", "account_id": "a0", "status": "resolved"}
    )
    put_remediation(house, "r1", now, finding=print_, status="verified", verified_at=now)
    whole = identities.one(house, "hr:0")
    assert [a["account_id"] for a in whole.live] == ["a1"], "closed since: not live; not told: not called active"
    lanes = {lane.label: lane for lane in lifecycle.lifecycle(whole, {"wiki": "Wiki"}, now).lanes}
    assert (lanes["Wiki"].open, lanes["Wiki"].closed_how) == (False, "closed and verified")


# --- Overview ---------------------------------------------------------------------------------------------------------


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
        summary={"by_application": {"crm": {"accounts": 4}}},
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
    assert closures.coverage(house) == closures.Coverage(held=5, closed=2, open=2, excluded=0, unknown=1)
    put_findings(
        house,
        now,
        {
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


def audit_something(house, now):
    with house.store.write() as session:
        audit.append(session, now=now, actor="test", verb="note", object="x/1")


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


# --- Applications, approvals, jobs, audit -----------------------------------------------------------------------------


def test_an_application_says_what_happens_when_somebody_leaves(house, now):
    seeded.put_connectors(house)
    said = {card.name: (*applications.leaving(card), card.closing.how) for card in applications.cards(house, now)}
    assert said["wiki"] == ("Deactivated after approval, by the API, and read again to prove it.", "good", "call")
    assert said["crm"][0].startswith("Nothing happens by itself. A task goes to owner@example.com")
    assert said["crm"][2] == "task"
    assert applications.closing(house, "wiki").call == "Deactivate through SCIM 2.0 (write Users)"


def test_a_tick_is_what_was_told_not_what_was_promised(house, now):
    seeded.put_connectors(house)
    put_run(house, now, [account("crm", "a", last_seen_known=True), account("wiki", "b", mfa=False, privileged=None)])
    ticks = {card.name: dict(card.ticks) for card in applications.cards(house, now)}
    assert ticks["crm"] == {"Last use": True, "MFA": False, "Deactivate": False, "Entitlements": True}
    assert ticks["wiki"] == {"Last use": False, "MFA": True, "Deactivate": True, "Entitlements": False}


def test_pulls_stand_oldest_first_and_end_after_thirty(house, now):
    for n in range(35):
        put_pull(house, "crm", n, now, "failed" if n == 34 else "ok")
    card = next(card for card in applications.cards(house, now) if card.name == "crm")
    assert (len(card.pulls), card.pulls[-1], card.last.status) == (30, "failed", "failed")


@pytest.mark.parametrize(
    ("email", "values", "bar"),
    [
        ("boss@example.com", {}, None),
        ("sec@example.com", {}, "own proposal"),
        ("boss@example.com", {"approved_by": "boss@example.com"}, "own approval"),
        ("admin@example.com", {}, "no right"),
    ],
)
def test_an_approver_is_told_why_they_may_not_decide(house, now, email, values, bar):
    put_remediation(house, "r1", now, **values)
    [card] = approvals.waiting(house, actor(house, email), now)
    assert card.bar == bar
    assert bool(card.others) == (bar is not None)


def test_nobody_decides_about_their_own_account(house, now):
    put_remediation(house, "r1", now, identity_id="hr:7")
    own = Actor("x@example.com", "X", frozenset({"approver"}), identity_id="hr:7")
    assert [card.bar for card in approvals.waiting(house, own, now)] == ["own account"]


def test_the_page_looks_again_only_while_something_moves(house, now):
    put_remediation(house, "r1", now, status="executing", action="manual", executing_at=now)
    assert not approvals.moving(approvals.under_way(house), now), "a person needs days, not seconds"
    put_remediation(house, "r2", now, status="approved", approved_at=now)
    assert approvals.moving(approvals.under_way(house), now)
    assert not approvals.moving(approvals.under_way(house), now + timedelta(hours=1)), "it is stuck: no use in looking"


def test_undo_is_offered_for_thirty_days_and_only_for_what_was_done_from_here(house, now):
    done = {"status": "verified", "executing_at": now, "attempts": 1}
    r = put_remediation(house, "r1", now, **done)
    assert approvals.can_undo(r, now + 30 * DAY)
    assert not approvals.can_undo(r, now + 31 * DAY)
    assert not approvals.can_undo(put_remediation(house, "r2", now, **{**done, "attempts": 0}), now)
    assert not approvals.can_undo(put_remediation(house, "r3", now, **{**done, "action": "manual"}), now)


def test_jobs_are_listed_newest_first_and_planned_by_when_they_are_due(house, now):
    from governance.tables import JobRun

    with house.store.write() as session:
        for n in range(60):
            session.add(
                JobRun(
                    id=f"{n:026}", job="pull", feed="crm", started_at=now - (60 - n) * timedelta(minutes=1), status="ok"
                )
            )
    pages = walk(lambda at: jobs.page(house, cursor=at), jobs.KEY)
    assert [row["id"] for page in pages for row in page.rows] == [f"{n:026}" for n in reversed(range(60))]
    assert [plan.feed for plan in jobs.planned(house)][:2] == ["hr", "wiki"], "never read is due first"
    assert jobs.today(house, now).runs == 60


def test_the_audit_is_listed_and_searched(house, now):
    with house.store.write() as session:
        for n in range(70):
            audit.append(
                session,
                now=now,
                actor=f"p{n % 2}@example.com",
                verb=("propose", "verified")[n % 2],
                object=f"remediation/{n}",
            )
    pages = walk(lambda at: trail.page(house, trail.Filters(), at), trail.KEY)
    assert [row["seq"] for page in pages for row in page.rows] == list(range(70, 0, -1))
    assert trail.page(house, trail.Filters(scope="decisions")).total == 35
    assert trail.page(house, trail.Filters(text="P1@example remediation/3")).total == 6
    assert len(trail.export(house, trail.Filters())) == 70
    assert trail.chain(house, now).today == 70


def test_what_was_remembered_goes_with_what_it_was_made_of(house, now):
    put_run(house, now, summary={"accounts": 1})
    assert runs.last_run(house).number("accounts") == 1
    put_run(house, now, summary={"accounts": 2}, id="01M80000000000000000000000")
    assert runs.last_run(house).number("accounts") == 2


# --- Exports ----------------------------------------------------------------------------------------------------------

LIVE = [
    f"{lead}{body}"
    for lead in ("", " ", "\t", "\r", "\n", "\0")
    for body in (
        "=1+1",
        "+1",
        "-1+2",
        "@SUM(A1)",
        '=HYPERLINK("http://x","y")',
        "=cmd|' /C calc'!A0",
        "-2+3+cmd",
        "+A1",
        "\t=1",
        "\r@x",
    )
]


def test_sixty_formulas_are_text_in_every_export():
    assert len(LIVE) == 60
    text = exports.csv_text([{"name": payload, "other": 'a,b\n"c"'} for payload in LIVE], ["name", "other"])
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert len(rows) == 60
    for payload, row in zip(LIVE, rows, strict=True):
        assert row["name"].startswith("'"), payload
        assert row["name"][1:].strip() == payload.replace("\0", "").strip(), "nothing else was changed"
        assert row["other"] == 'a,b\n"c"'


def test_harmless_cells_stay_as_they_are(now):
    cells = [
        ("Zoë-Ann", "Zoë-Ann"),
        (5, "5"),
        (-5, "-5"),
        (None, ""),
        (True, "true"),
        (now, "2026-11-23T12:00:00Z"),
        ("", ""),
    ]
    for value, expected in cells:
        assert exports.cell(value) == expected


def test_an_export_needs_the_right_and_leaves_an_audit_entry(house, now):
    put_findings(house, now, {}, {})
    rows = listed.export(house, listed.Filters())
    with pytest.raises(NotAllowed):
        exports.export(house, actor(house), now, "findings", rows, listed.COLUMNS)
    text = exports.export(house, actor(house, "audit@example.com"), now, "findings", rows, listed.COLUMNS)
    assert len(text.splitlines()) == 3
    with house.store.read() as session:
        [entry] = session.exec(select(AuditEntry)).all()
    assert (entry.actor, entry.verb, entry.object) == ("audit@example.com", "export", "list/findings")


# --- Words ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("length", "said"),
    [
        (timedelta(seconds=8), "8 s"),
        (timedelta(minutes=14), "14 min"),
        (timedelta(hours=2, minutes=10), "2 h 10 min"),
        (timedelta(days=1, hours=4), "1 d 4 h"),
        (timedelta(days=19, hours=5), "19 d"),
        (timedelta(seconds=-5), "0 s"),
    ],
)
def test_spans_are_said_in_two_units_at_most(length, said):
    assert words.span(length) == said


def test_unknown_has_a_sign_of_its_own(now):
    assert (words.day(None, now), words.moment(None, now), words.share(1, 0)) == ("–", "–", "–")
    assert words.day(datetime(2025, 3, 1, tzinfo=now.tzinfo), now) == "1 Mar 2025"


def test_every_finding_has_a_status_that_the_pages_know(house, now):
    put_findings(house, now, *({"status": status} for status in words.STATUSES))
    with house.store.read() as session:
        assert set(session.exec(select(Finding.status))) == set(words.STATUSES)
