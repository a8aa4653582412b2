"""In a house: a pull of any connector that fails leaves the last good snapshot, and read credentials are enough."""

from __future__ import annotations

import copy
import logging
from datetime import timedelta

import jobs.detect
import jobs.pull
from connectors.sandbox.faults import Faults
from governance.snapshots.keeping import believed
from tests.grounds import Ground
from tests.sandbox_company import NOW
from tests.tenancy import many, small, standing

FAULTS = {
    "html": Faults(html_with_200=True),
    "half-body": Faults(half_body=True),
    "401": Faults(unauthorized=True),
    "gone": Faults(fail_status=404),
}


class TestInTheHouse:
    def test_a_failed_pull_leaves_the_snapshot_before_and_no_secret(
        self, tenant, ground, make_house, monkeypatch, caplog, tmp_path
    ):
        caplog.set_level(logging.DEBUG)
        application = many(tenant, ground, 30)
        secrets = tenant.secrets(application)
        for name, value in secrets.items():
            monkeypatch.setenv(f"A_{name.upper()}", value)
        feed = {"name": "one", "connector": tenant.connector, "limit_share": 1.0}
        feed |= {name: {"env": f"A_{name.upper()}"} for name in secrets}
        house = make_house({tenant.kind: [feed | tenant.options(ground.url(application.name))]})
        [good] = jobs.pull.pull(house, ["one"], NOW)
        assert (good.status, good.error) == ("published", None)
        meant = [faults for name, faults in FAULTS.items() if name not in tenant.without]
        assert len(meant) >= 3
        for number, faults in enumerate(meant):
            ground.faults[application.name] = copy.deepcopy(faults)
            bad = self._pull(house, ground, application, NOW + timedelta(hours=1 + number))
            assert (bad.status, bad.snapshot) == ("failed", None)
            with house.store.read() as session:
                assert believed(session, "one").id == good.snapshot
        kept = caplog.text.encode() + b"".join(p.read_bytes() for p in tmp_path.rglob("*") if p.is_file())
        for name, value in secrets.items():
            assert value.encode() not in kept, f"{name} leaked"

    def test_a_lost_page_is_noticed_or_held_by_the_guard(self, tenant, ground, make_house, monkeypatch):
        application = many(tenant, ground, 30)
        house = self._house(tenant, ground, application, make_house, monkeypatch, tenant.secrets(application), 10)
        [good] = jobs.pull.pull(house, ["one"], NOW)
        assert (good.status, good.error) == ("published", None)
        ground.faults[application.name] = Faults(lose_page=True, paths=tenant.list_path)
        second = self._pull(house, ground, application, NOW + timedelta(hours=1))
        # Where there is one page only, or a lost one is asked for again, everybody is there.
        assert second.status in ("failed", "held") or second.kept == good.kept
        if second.status != "published":
            with house.store.read() as session:
                assert believed(session, "one").id == good.snapshot

    def test_reads_and_judges_with_credentials_that_may_only_read(self, tenant, ground, make_house, monkeypatch):
        application = small(tenant, ground)
        before = standing(ground, application)
        secrets = {name: value for name, value in tenant.secrets(application).items() if name != "write_token"}
        house = self._house(tenant, ground, application, make_house, monkeypatch, secrets)
        [outcome] = jobs.pull.pull(house, ["one"], NOW)
        assert (outcome.status, outcome.error) == ("published", None)
        assert jobs.detect.detect(house, NOW).stored
        assert standing(ground, application) == before
        assert {seen.credential for seen in ground.asked(application.name)} <= {"token", "other", None}

    def _pull(self, house, ground, application, at):
        if isinstance(ground, Ground):
            ground.show(application)
        [outcome] = jobs.pull.pull(house, ["one"], at)
        return outcome

    def _house(self, tenant, ground, application, make_house, monkeypatch, secrets, page=None):
        for name, value in secrets.items():
            monkeypatch.setenv(f"A_{name.upper()}", value)
        feed = {"name": "one", "connector": tenant.connector, "limit_share": 1.0}
        feed |= {name: {"env": f"A_{name.upper()}"} for name in secrets}
        feed |= tenant.options(ground.url(application.name))
        if page is not None and tenant.page_option:
            feed[tenant.page_option] = page
        return make_house({tenant.kind: [feed]})
