"""What is known of a last use, and what follows: never, unknown and a date are three things (FAULTS.md C10, C11)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import polars as pl
import pytest
from estates import ACCOUNT_COLUMNS, NOW, account, estate, frame

from governance.rulebook import all_rules, run
from governance.snapshots.frames import schema
from governance.snapshots.happened import with_last_use

RULES = {name: all_rules()[name] for name in ("stale", "never_used")}
UNTOLD = {"last_seen_at": None, "last_seen_known": False}
NEVER = {"last_seen_at": None, "last_seen_known": True}
DAY = timedelta(days=1)


def ago(days: float) -> datetime:
    return NOW - days * DAY


def seen(days: float) -> dict[str, Any]:
    return {"last_seen_at": ago(days), "last_seen_known": True}


def made(days: float | None) -> dict[str, Any]:
    return {"created_at": None if days is None else ago(days)}


def event(kind: str, days: float, *, success: bool | None = True, target: str | None = None) -> dict[str, Any]:
    return {"application": "crm", "account_id": "a1", "event_id": f"{kind}{days}", "kind": kind, "at": ago(days)} | {
        "success": success,
        "target": target,
    }


def failed(days: float) -> dict[str, Any]:
    return event("sign_in_failed", days, success=False)


def judged(told: dict[str, Any], happened: list[dict[str, Any]]) -> tuple[str | float, str | None]:
    """The last use as it is known once the events are counted (never, unknown or days ago), and what is found."""
    rows = frame(ACCOUNT_COLUMNS, [account(**told)])
    known = with_last_use(rows.lazy(), frame(schema("events"), happened).lazy()).collect().row(0, named=True)
    row = {name: value for name, value in known.items() if not name.endswith("_s")}
    verdict = run(estate([row]), estate().settings.policy, NOW, RULES)
    last = row["last_seen_at"]
    state = (NOW - last) / DAY if last else "never" if row["last_seen_known"] else "unknown"
    found = verdict.findings["rule"].to_list()
    assert not (found and verdict.not_evaluable), "found and not evaluable at once"
    return state, found[0] if found else "not evaluable" if verdict.not_evaluable else None


# The first three are users as CIPP-API 1119 has them: one who signed in, one without any sign-in activity, and one
# whose interactive sign-in is empty while a token of theirs is used.
SAMPLES: list[tuple[str, dict[str, Any], list[dict[str, Any]], str | float, str | None]] = [
    ("signed in lately", seen(3), [], 3, None),
    ("no activity is told", UNTOLD, [], "unknown", "not evaluable"),
    ("no interactive sign-in, a token is used", UNTOLD, [event("token_used", 2)], 2, None),
    ("never, made long ago", NEVER | made(400), [], "never", "never_used"),
    ("never, made yesterday", NEVER | made(1), [], "never", None),
    ("never, made a second before the grace ends", NEVER | made(14 - 1 / 86_400), [], "never", None),
    ("never, made as the grace ends", NEVER | made(14), [], "never", "never_used"),
    ("never, creation not told", NEVER | made(None), [], "never", "not evaluable"),
    ("never, but its events prove a use", NEVER | made(400), [event("sign_in", 5)], 5, None),
    ("never, and only failures", NEVER | made(400), [failed(1), failed(2)], "never", "never_used"),
    ("unknown, and only failures", UNTOLD, [failed(1)], "unknown", "not evaluable"),
    ("unknown, made yesterday", UNTOLD | made(1), [], "unknown", "not evaluable"),
    (
        "unknown, a sign-in whose end is not told",
        UNTOLD,
        [event("sign_in", 1, success=None)],
        "unknown",
        "not evaluable",
    ),
    ("unknown, a sign-in that was refused", UNTOLD, [event("sign_in", 1, success=False)], "unknown", "not evaluable"),
    ("unknown, an old sign-in among its events", UNTOLD, [event("sign_in", 89)], 89, None),
    ("unknown, a sign-in to something else", UNTOLD, [event("sign_in", 1, target="wiki")], "unknown", "not evaluable"),
    ("long ago", seen(200), [], 200, "stale"),
    ("long ago, failures since", seen(200), [failed(1), failed(30)], 200, "stale"),
    ("long ago, a token since", seen(200), [event("token_used", 10)], 10, None),
    ("long ago, changed since", seen(200), [event("updated", 1)], 200, "stale"),
    ("as long ago as is allowed", seen(90), [], 90, "stale"),
    ("a second less", seen(90 - 1 / 86_400), [], 90 - 1 / 86_400, None),
    ("an older sign-in changes nothing", seen(10), [event("sign_in", 50)], 10, None),
]


@pytest.mark.parametrize(("told", "happened", "state", "found"), [s[1:] for s in SAMPLES], ids=[s[0] for s in SAMPLES])
def test_twenty_three_samples_of_a_last_use(told, happened, state, found):
    assert len(SAMPLES) == 23
    known, verdict = judged(told, happened)
    assert known == pytest.approx(state) if isinstance(state, float | int) else known == state
    assert verdict == found


def test_what_is_not_told_is_never_stale_and_never_never_used():
    found = [judged(told, happened) for _, told, happened, _, _ in SAMPLES]
    assert {verdict for state, verdict in found if state == "unknown"} == {"not evaluable"}
    assert all(verdict != "stale" for state, verdict in found if isinstance(state, str))


# --- clocks --------------------------------------------------------------------------------------------------------

SKEWS = [timedelta(minutes=-5), timedelta(minutes=5), -DAY, DAY]


@pytest.mark.parametrize("skew", SKEWS)
@pytest.mark.parametrize("days", [0, 60, 88.9, 91.1, 200])
def test_a_clock_that_is_off_changes_no_verdict_within_its_skew(days, skew):
    """Whoever is further from the threshold than the clock is off is judged alike."""
    right, off = (judged({"last_seen_at": at, "last_seen_known": True}, [])[1] for at in (ago(days), ago(days) + skew))
    assert off == right == ("stale" if days > 90 else None)


@pytest.mark.parametrize("skew", SKEWS)
@pytest.mark.parametrize("limit", [90, 14])
def test_at_the_threshold_a_clock_decides_by_as_much_as_it_is_off(limit, skew):
    told = seen(limit) if limit == 90 else NEVER | made(limit)
    name = "last_seen_at" if limit == 90 else "created_at"
    assert judged({**told, name: told[name] + skew}, [])[1] == (
        ("stale" if limit == 90 else "never_used") if skew < timedelta(0) else None
    )


@pytest.mark.parametrize("skew", [timedelta(minutes=5), DAY])
def test_no_rule_says_anything_of_a_use_or_a_creation_that_lies_ahead(skew):
    """The feeds clamp what lies ahead; what a stored snapshot may still hold gives no negative age."""
    assert judged({"last_seen_at": NOW + skew, "last_seen_known": True}, [])[1] is None
    assert judged(NEVER | {"created_at": NOW + skew}, [])[1] is None
    ahead = [account(account_id="a1", last_seen_at=NOW + skew), account(account_id="a2", created_at=NOW + skew)]
    said = run(estate(ahead), estate().settings.policy, NOW).findings["reason"].to_list()
    assert not [sentence for sentence in said if "-" in sentence.replace("m.lindqvist", "")], said


def test_the_score_counts_a_use_that_lies_ahead_as_recent_and_no_more():
    rows = [
        account(account_id=f"a{n}", privileged=True, mfa=False, last_seen_at=NOW + skew)
        for n, skew in enumerate((timedelta(0), timedelta(minutes=5), DAY))
    ]
    found = run(estate(rows), estate().settings.policy, NOW, {"a": all_rules()["admin_without_mfa"]}).findings
    assert found.height == 3
    assert found["score"].n_unique() == 1
    assert found.select(pl.col("score").is_between(0, 100).all()).item()
