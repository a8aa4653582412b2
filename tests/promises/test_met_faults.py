"""Whatever goes wrong while any connector reads: an error of ours within the deadline, or everything (FAULTS.md C)."""

from __future__ import annotations

import copy
import dataclasses
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise

import pytest

from connectors.sandbox.faults import Faults
from governance.errors import AuthenticationFailed, FeedError
from tests.tenancy import PAGE, listed, on, promised, pulled, small
from tests.tenants import SPEAKS_HTTP, Tenant

CHAOS: dict[str, Faults] = {
    "500": Faults(fail_status=500),
    "502": Faults(fail_status=502),
    "503": Faults(fail_status=503, after=1),
    "silence": Faults(delay_s=60),
    "slow-body": Faults(slow_body_s=60),
    "half-body": Faults(half_body=True),
    "half-json": Faults(half_json=True),
    "html": Faults(html_with_200=True),
    "401": Faults(unauthorized=True),
    "403": Faults(forbidden=True),
    "storm": Faults(rate_limit=10**6, retry_after_s=1),
    "teapot": Faults(fail_status=418),
    "gone": Faults(fail_status=404),
}
PATIENT: dict[str, Faults] = {
    "429-seconds": Faults(rate_limit=1, retry_after_s=1, after=1),
    "429-date": Faults(rate_limit=1, retry_after_s=1, retry_style="date", after=1),
    "429-epoch": Faults(rate_limit=1, retry_after_s=1, retry_style="epoch", after=1),
    "500-once": Faults(fail_status=503, times=1, after=1),
    "window": Faults(window=(4, 0.6)),
}
DEADLINE_S = 1.5
# Who is refused ends at the refusal: the deadline is not what ends it. All pulls here run at once, and on a busy machine
# the short one could pass before the refused request was made.
REFUSALS = ("401", "403")


@pytest.fixture(scope="module")
def storms(grounds):
    """Every fault at once, each on an application of its own: most of the time is waiting, so the waits overlap."""
    kept = {}

    def storm(tenant: Tenant):
        if tenant.id not in kept:
            ground = grounds(tenant.ground)
            meant = {**CHAOS, **({} if "waiting" in tenant.without else PATIENT)}
            faults = {name: copy.deepcopy(f) for name, f in meant.items() if name not in tenant.without}
            applications = {name: small(tenant, ground) for name in faults}
            for name, application in applications.items():
                ground.faults[application.name] = faults[name]
            with ThreadPoolExecutor(len(faults)) as pool:
                running = {}
                for name, application in applications.items():
                    deadline = DEADLINE_S if name in CHAOS and name not in REFUSALS else 30.0
                    running[name] = pool.submit(pulled, tenant, ground, application, page=PAGE, deadline_s=deadline)
                outcomes = {name: future.result(60) for name, future in running.items()}
            kept[tenant.id] = outcomes, faults, applications
        return kept[tenant.id]

    return storm


class TestWhenThingsGoWrong:
    @pytest.mark.parametrize("fault", CHAOS)
    def test_a_fault_becomes_an_error_of_ours_within_the_deadline(self, tenant, ground, storms, fault):
        if fault in tenant.without:
            pytest.skip(tenant.without[fault])
        outcomes, faults, applications = storms(tenant)
        outcome = outcomes[fault]
        if faults[fault].requests <= faults[fault].after:  # the whole pull is one request: then it is that one
            at_once = dataclasses.replace(copy.deepcopy(CHAOS[fault]), after=0)
            ground.faults[applications[fault].name] = at_once
            deadline = 30.0 if fault in REFUSALS else DEADLINE_S
            outcome = pulled(tenant, ground, applications[fault], page=PAGE, deadline_s=deadline)
        assert isinstance(outcome.error, FeedError), f"{fault}: ended with {outcome.error!r}"
        assert outcome.seconds < DEADLINE_S + 5
        if fault in REFUSALS:
            assert isinstance(outcome.error, AuthenticationFailed)

    @pytest.mark.parametrize("fault", PATIENT)
    def test_who_waits_as_told_gets_everything(self, tenant, storms, fault):
        promised(tenant, "waiting")
        outcomes, faults, applications = storms(tenant)
        assert outcomes[fault].error is None
        assert outcomes[fault].kept.keys() == listed(tenant, applications[fault]).keys()
        violations = faults[fault].violations
        assert all(later - earlier >= 0.3 for earlier, later in pairwise(violations)), "one in each window at most"

    @pytest.mark.parametrize("refusal", ["unauthorized", "forbidden"])
    def test_a_token_that_ends_at_any_request_ends_the_pull(self, tenant, ground, readings, refusal):
        promised(tenant, "credentials")
        _, outcome, requests, _ = readings(tenant)
        steps = sorted({*range(min(len(requests), 4)), len(requests) // 2, len(requests) - 1})
        applications = [small(tenant, ground) for step in steps]
        for step, application in zip(steps, applications, strict=True):
            ground.faults[application.name] = Faults(after=step, **{refusal: True})
            result = pulled(tenant, ground, application, deadline_s=5.0)
            if step < len(requests) and refusal == "unauthorized":
                assert isinstance(result.error, FeedError), f"after {step} requests"
            elif result.error is None:  # a right that is missing may cost a detail, never an account
                assert result.kept.keys() == outcome.kept.keys(), f"after {step} requests"
                assert all(on(r) in (on(outcome.kept[i]), None) for i, r in result.kept.items())

    def test_a_line_that_breaks_after_any_byte_ends_the_pull_or_loses_nothing(self, tenant, ground):
        if tenant.ground == "sandbox":
            pytest.skip(SPEAKS_HTTP)
        promised(tenant, "line")
        application = small(tenant, ground)
        quiet = pulled(tenant, ground, application)
        whole = ground.fronts.sent[application.name]
        broken = 0
        for cut in sorted({0, 1, 2, *range(7, whole, max(1, whole // 12)), whole - 1, whole}):
            other = small(tenant, ground)
            ground.fronts.cut[other.name] = cut
            outcome = pulled(tenant, ground, other, deadline_s=5.0)
            assert outcome.seconds < 10
            assert isinstance(outcome.error, FeedError) or outcome.kept.keys() == quiet.kept.keys(), (
                f"after {cut} bytes"
            )
            broken += outcome.error is not None
        assert broken >= 10
