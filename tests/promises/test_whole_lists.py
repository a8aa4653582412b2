"""Lists of any length from any connector: everybody or nobody, and no token to anybody else (FAULTS.md C)."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from connectors.sandbox.faults import Faults
from governance.errors import FeedError
from tests.tenancy import PAGE, listed, many, on, promised, pulled, small
from tests.wild_server import WildServer, says

EVIL = 12


class TestPages:
    @pytest.mark.parametrize(("pages", "more"), [(0, 0), (0, 1), (1, -1), (1, 0), (1, 1), (2, 1)])
    def test_everybody_is_read_or_nobody(self, tenant, ground, pages, more):
        application = many(tenant, ground, pages * (PAGE if tenant.page_option else tenant.piece) + more)
        outcome = pulled(tenant, ground, application, page=PAGE)
        expected = listed(tenant, application)
        if expected:
            assert outcome.error is None
            assert {found: on(record) for found, record in outcome.kept.items()} == expected
            assert outcome.doubles == []
        else:
            assert outcome.error is None or isinstance(outcome.error, FeedError)
            assert outcome.kept == {}

    def test_a_page_that_comes_for_ever_ends_the_pull(self, tenant, ground):
        promised(tenant, "pages")
        application = many(tenant, ground, 2 * PAGE + 1)
        quiet = pulled(tenant, ground, application, page=PAGE)
        usual = _asked(ground, tenant, application)
        before = len(ground.asked(application.name))
        ground.faults[application.name] = Faults(repeat_page=True, paths=tenant.list_path)
        outcome = pulled(tenant, ground, application, page=PAGE)
        assert outcome.seconds < 10
        asked = _asked(ground, tenant, application, before)
        if usual and max(usual.values()) > 1:  # there is more than one page
            assert isinstance(outcome.error, FeedError)
            assert max(asked.values()) <= 3, "the first page and two repeats"
        else:
            assert outcome.kept.keys() == quiet.kept.keys()

    def test_a_page_that_is_lost_is_noticed(self, tenant, ground):
        promised(tenant, "pages")
        if not tenant.counted:
            return  # the list without one page looks whole: only the guard can stop it, see test_kept_snapshots
        application = many(tenant, ground, 2 * PAGE + 1)
        ground.faults[application.name] = Faults(lose_page=True, paths=tenant.list_path)
        outcome = pulled(tenant, ground, application, page=PAGE)
        assert isinstance(outcome.error, FeedError)

    def test_a_next_link_never_leads_the_token_elsewhere(self, tenant, ground):
        promised(tenant, "links")
        with WildServer(says({})) as listener:
            if not tenant.follows_links:  # then nothing in an answer is a place to go to, whatever stands there
                application = many(tenant, ground, 2 * PAGE + 1)
                elsewhere = _pointing(f"http://127.0.0.1:{listener.port}/users")
                ground.faults[application.name] = Faults(mutate=elsewhere)
                pulled(tenant, ground, application, page=PAGE, deadline_s=3.0)
                assert ground.asked(application.name)
                assert listener.connections == 0
                return
            for trick in _elsewhere(listener.port):
                application = many(tenant, ground, 2 * PAGE + 1)
                ground.faults[application.name] = Faults(evil_next=lambda link, to=trick: to(link))
                outcome = pulled(tenant, ground, application, page=PAGE, deadline_s=3.0)
                assert isinstance(outcome.error, FeedError)
            assert listener.heads == []

    def test_a_redirect_never_leads_the_token_elsewhere(self, tenant, ground):
        promised(tenant, "redirects")
        with WildServer(says({})) as listener:
            for status in (301, 302, 307, 308):
                application = small(tenant, ground)
                ground.faults[application.name] = Faults(
                    redirect_to=f"http://127.0.0.1:{listener.port}", redirect_status=status
                )
                outcome = pulled(tenant, ground, application, deadline_s=3.0)
                assert isinstance(outcome.error, FeedError)
            assert listener.heads == []


def _asked(ground, tenant, application, after=0) -> Counter:
    """How often each list of accounts was asked for, since so many requests."""
    return Counter(
        f"{seen.method} {seen.path} {seen.query.get('filter', '')} {seen.query.get('q', '')}"
        for seen in ground.asked(application.name)[after:]
        if re.search(tenant.list_path, seen.path)
    )


def _pointing(url: str):
    """Makes everything in an answer that could lead on into an address of somebody else."""

    def point(value, name=""):
        if isinstance(value, dict):
            return {key: point(inner, key) for key, inner in value.items()}
        if isinstance(value, list):
            return [point(inner, name) for inner in value]
        return url if re.search(r"(?i)next|cursor|link|href|url|self|base|pagetoken", name) else value

    return lambda path, data: point(data)


def _elsewhere(port: int):
    """Twelve ways of leading a client to another listener."""
    other = f"127.0.0.1:{port}"
    whole = r"^(https?)://([^/]+)"
    made = [
        lambda link: re.sub(whole, rf"\1://{other}", link),
        lambda link: re.sub(whole, rf"\1://\2@{other}", link),
        lambda link: re.sub(whole, rf"\1://\2.{other}", link),
        lambda link: re.sub(whole, rf"\1://localhost:{port}", link),
        lambda link: re.sub(whole, rf"HTTP://{other}", link),
        lambda link: re.sub(whole, rf"https://{other}", link),
        lambda link: re.sub(whole, rf"http://[::ffff:127.0.0.1]:{port}", link),
        lambda link: re.sub(whole, rf"http://2130706433:{port}", link),
        lambda link: re.sub(whole, rf"//{other}", link),
        lambda link: re.sub(whole, rf"\\\\\\\\{other}", link),
        lambda link: re.sub(whole, rf"http:/\\\\{other}", link),
        lambda link: re.sub(whole, rf"http://①②⑦.0.0.1:{port}", link),
    ]
    assert len(made) == EVIL
    # A relative link is made absolute first, or nothing would be changed.
    return [lambda link, to=to: to(link if "://" in link else f"http://127.0.0.1:1{link}") for to in made]
