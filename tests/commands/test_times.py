"""Other times than now: what is judged, read and refused."""

from __future__ import annotations

import pytest

from jobs.commands.options import moment


class TestLookingBack:
    def test_stores_nothing_and_says_so(self, home):
        home.do("pull", "--at", "2026-03-01")
        home.do("detect")
        answer = home.do("detect", "--as-of", "2026-03-02")
        assert "nothing was stored" in answer.err
        held = home.do("access", "hr:3", "--as-of", "2026-03-02T12:00:00+01:00", "--format", "json")
        assert [row["application"] for row in held.json] == ["crm"]
        assert "As of 2026-03-02 11:00Z" in held.err
        assert home.do("accounts", "--as-of", "2026-02-01", "--format", "json").json == []

    def test_a_time_that_has_not_come_is_judged_but_never_stored_nor_read(self, read_home):
        answer = read_home.do("detect", "--as-of", "2999-01-01")
        assert "as of a time that has not come yet (2999-01-01 00:00Z): nothing was stored" in answer.err
        assert "nothing was stored" not in read_home.do("detect").err, "or no run would ever count again"
        refused = read_home.run("pull", "--at", "2999-01-01")
        assert refused.code == 2
        assert "has not come yet" in refused.err

    def test_a_day_before_the_first_snapshot_is_not_taken_for_an_empty_one(self, home):
        assert "no feed has been read yet: run leaverwatch pull" in home.do("compare", "2026-02-01", "2026-02-02").err
        home.do("pull", "--at", "2026-03-01")
        for answer in (
            home.do("accounts", "--as-of", "2026-02-01"),
            home.do("compare", "2026-02-01", "2026-03-02"),
        ):
            assert "by 2026-02-01 00:00Z; the first snapshot is of 2026-03-01 00:00Z" in answer.err
        assert "first snapshot" not in home.do("accounts", "--as-of", "2026-03-01").err
        home.do("detect")
        for looked in ("detect", "--as-of", "2026-02-01"), ("detect", "--as-of", "2026-02-01", "--known", "then"):
            answer = home.do(*looked)
            assert "by 2026-02-01 00:00Z; the first snapshot is of 2026-03-01 00:00Z" in answer.err
            assert "No source of truth has been read yet" in answer.err
            assert "0 leavers" not in answer.err

    @pytest.mark.parametrize("text", ["0001-01-01", "9999-12-31T23:59:59-12:00", "1969-12-31", "9000-01-01"])
    def test_a_time_that_nothing_can_be_reckoned_with_is_wrong_use(self, home, text):
        for verb, option in (("detect", "--as-of"), ("pull", "--at"), ("accounts", "--as-of")):
            refused = home.run(verb, option, text)
            assert refused.code == 2
            assert f"{option}: '{text}' is outside of what can be reckoned with" in refused.err

    def test_a_dry_run_stores_nothing(self, home):
        home.do("pull")
        assert "nothing was stored" in home.do("detect", "--dry-run").err
        assert home.do("findings", "--format", "json").json == []

    @pytest.mark.parametrize(
        ("text", "means"),
        [
            ("2026-03-31", "2026-03-31T00:00:00+00:00"),
            ("2026-03-31T12:30", "2026-03-31T12:30:00+00:00"),
            ("2026-03-31T12:30:00Z", "2026-03-31T12:30:00+00:00"),
            ("2026-03-31T01:00:00+02:00", "2026-03-30T23:00:00+00:00"),
        ],
    )
    def test_times_are_utc_unless_they_say_otherwise(self, text, means):
        assert moment(text, "--at").isoformat() == means
