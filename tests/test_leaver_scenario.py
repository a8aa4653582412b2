"""What happens when somebody leaves, from real leavers: who closed what, how soon, and what stays."""

from __future__ import annotations

from datetime import timedelta

import pytest
from estates import NOW, account, estate
from radar_scenes import Scene

from governance.provisioning.acts import acts
from governance.provisioning.leaving import Leaving, closing, leaving, restored, sentence, staying

LEFT = NOW - timedelta(days=20)
HOUR = timedelta(hours=1)


def leavers(number, *, open=0, close=None, hours=2, **values):
    """So many who left on one day; `open` of them still have the account, the others' was closed by `close`."""
    scene = Scene(ways=("scim",) if close == "scim" else ())
    scene.person("9")
    for n in range(number):
        still = n < open
        closed = None if still else LEFT + hours * HOUR
        gone = {"owner_state": "ended", "owner_ended_at": LEFT, "active": still, "closed_at": closed}
        scene.person(f"x{n}", made=NOW - timedelta(days=300), **{"sign_on_active": False, **gone, **values})
        if close and not still:
            actor = {"scim": "SCIM", "hand": "crm9", "untold": "somebody"}[close]
            scene.says("deactivated", f"x{n}", LEFT + hours * HOUR, actor=actor)
    return scene


def seen(scene, ours=(), now=NOW) -> Leaving:
    world = scene.estate()
    proved = {("crm", f"crm{n}"): int((LEFT + 5 * HOUR).timestamp()) for n in ours}
    return leaving(world, acts(world, now).collect("polars"), now, proved)["crm"]


@pytest.mark.parametrize(
    ("scene", "what", "by", "tone", "said"),
    [
        (
            leavers(6, close="scim"),
            *("closed", "scim", "good"),
            "SCIM closes the account in CRM: 6 of 6 leavers since 3 Nov 2026, nearly all within 2 h.",
        ),
        (
            leavers(6, close="hand", hours=72),
            *("closed", "hand", "good"),
            "The account in CRM is closed by hand: 6 of 6 leavers since 3 Nov 2026, nearly all within 3 d.",
        ),
        (
            leavers(6, close="untold", open=2),
            *("closed", "untold", "warn"),
            "The account in CRM is closed, by whom is not told: 4 of 6 leavers since 3 Nov 2026, nearly all within 2 h; 2"
            " still have it.",
        ),
        (
            leavers(16, open=14, credentials=1),
            *("login_only", "untold", "bad"),
            "Okta closes the sign-in within 2 h; the account in CRM stays: 14 of 16 leavers since 3 Nov 2026 still have"
            " it, 14 with live tokens.",
        ),
        (
            leavers(4, open=4, sign_on_active=True),
            *("nothing", None, "bad"),
            "Nothing happens in CRM: 4 of 4 leavers since 3 Nov 2026 still have an active account.",
        ),
        (
            leavers(4, active=None, closed_at=None),
            *("unknown", None, "warn"),
            "CRM does not tell whether the accounts of 4 leavers since 3 Nov 2026 are still active.",
        ),
    ],
)
def test_a_plain_statement_of_what_leavers_show(scene, what, by, tone, said):
    found = seen(scene)
    assert (found.what, found.by, found.tone) == (what, by, tone)
    assert sentence(found, "CRM", "Okta", Leaving(9, LEFT, median=2.0)) == said


def test_what_was_closed_from_here_is_not_the_application_s_doing():
    found = seen(leavers(5, open=0), ours=[f"x{n}" for n in range(5)])
    assert (found.closed, found.by, found.tone) == ({"here": 5}, "here", "warn")
    assert sentence(found, "CRM").startswith("The account in CRM is closed from here: 5 of 5 leavers")


def test_what_the_application_closed_before_we_did_is_its_own_doing():
    assert seen(leavers(5, close="scim"), ours=["x0", "x1"]).closed == {"scim": 5}


def test_fewer_than_three_leavers_show_nothing_and_the_last_day_s_do_not_count():
    assert seen(leavers(2, close="scim")).what == "unseen"
    assert seen(leavers(5, close="scim"), now=NOW).leavers == 5
    world = leavers(5, open=5).estate()
    at = LEFT + 23 * HOUR
    assert leaving(world, acts(world, at).collect("polars"), at, {}) == {}


def test_accounts_closed_before_they_were_first_read_tell_no_time():
    found = seen(leavers(4, closed_at=None))
    assert (found.before, found.median, found.latest, found.by) == (4, None, None, None)
    assert sentence(found, "CRM") == "The account in CRM is closed: 4 of 4 leavers since 3 Nov 2026."


def test_only_readings_tell_the_time_where_no_event_does():
    found = seen(leavers(4, hours=48))
    assert (found.median, found.latest) == (None, 48.0)
    assert "half of them read closed within 2 d" in sentence(found, "CRM")


def test_people_count_once_however_many_accounts_they_hold():
    scene = leavers(3, close="scim")
    more = {"owner_state": "ended", "owner_ended_at": LEFT, "created_at": NOW - timedelta(days=300)}
    scene.accounts.append(account(application="crm", account_id="second", owner_id="hr:x0", **more))
    found = seen(scene)
    assert (found.leavers, found.still, found.closed) == (3, 1, {"scim": 2})


def test_an_account_that_is_gone_is_closed_and_one_made_after_leaving_is_not_asked():
    gone = leavers(3, present=False, last_present_at=LEFT)
    assert seen(gone).still == 0
    late = leavers(3, open=3)
    for one in late.accounts:
        one["created_at"] = LEFT + HOUR
    assert leaving(late.estate(), acts(late.estate(), NOW).collect("polars"), NOW, {}) == {}


def test_what_is_kept_comes_back_as_it_was():
    found = seen(leavers(6, close="scim"))
    assert restored(found.kept()) == found


def test_nobody_left_and_nothing_happened():
    world = estate([account()])
    nothing, something = (acts(one, NOW).collect("polars") for one in (world, leavers(3, close="scim").estate()))
    assert (len(nothing), nothing.schema) == (0, something.schema)
    assert leaving(world, acts(world, NOW).collect("polars"), NOW, {}) == {}


def test_who_still_has_an_account_is_told_apart_from_whose_sign_in_and_tokens_are_closed():
    stay = {"leavers": 13, "since": LEFT, "still": 4, "closed": {"scim": 8, "hand": 1}}
    assert staying(Leaving(**stay)) == "4 of 13 leavers still have an account"
    assert staying(Leaving(**stay, sign_in_closed=4, tokens=1)) == (
        "4 of 13 leavers still have an account, 1 with live tokens; single sign-on is closed for all 4 of these"
    )
    assert staying(Leaving(**stay, sign_in_closed=3)).endswith("; single sign-on is closed for 3 of these 4")
    alone = Leaving(1, LEFT, still=1, sign_in_closed=1)
    assert staying(alone) == "1 of 1 leaver still has an account; single sign-on is closed for this one"
    assert closing(Leaving(**stay, median=2.0)) == "9 others closed, mostly by SCIM, half within 2 h"
    assert closing(Leaving(13, LEFT, still=4, closed={"untold": 9})) == "9 others closed, not told by whom"
    assert closing(alone) == ""
