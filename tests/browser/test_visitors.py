"""What the tests rest on: a browser that is used again knows nothing of who used it."""

from __future__ import annotations

import pytest

KEEP = """async () => {
    localStorage.mine = 1; sessionStorage.mine = 1; document.cookie = 'mine=1; max-age=600';
    const opened = indexedDB.open('mine', 1);
    await new Promise((done) => { opened.onsuccess = done; });
    await (await caches.open('mine')).put('/mine', new Response('mine'));
    await (await navigator.storage.getDirectory()).getFileHandle('mine', { create: true });
}"""
KEPT = """async () => {
    const files = [];
    for await (const name of (await navigator.storage.getDirectory()).keys()) files.push(name);
    return [localStorage.length, sessionStorage.length, document.cookie.includes('mine'),
        (await indexedDB.databases()).length, (await caches.keys()).length, files.length];
}"""
NOTHING = [0, 0, False, 0, 0, 0]


@pytest.fixture
def place(server):
    """Of a server that is there anyway: no script of a page runs in it."""
    return f"{server.address}/_stcore/health"


def test_who_comes_next_is_somebody_new_in_the_same_browser(visitors, place):
    with visitors.one() as first:
        page = first.context.new_page()
        page.goto(place)
        assert page.evaluate(KEPT) == NOTHING
        page.evaluate(KEEP)
        assert page.evaluate(KEPT) == [1, 1, True, 1, 1, 1]
        first.context.set_offline(offline=True)
        first.context.grant_permissions(["geolocation"])
    with visitors.one() as second:
        assert second is first
        assert second.context.cookies() == []
        page = second.context.new_page()
        page.goto(place)
        assert page.evaluate(KEPT) == NOTHING
        assert page.evaluate("navigator.permissions.query({name: 'geolocation'}).then((it) => it.state)") != "granted"


def test_two_at_once_are_two(visitors, place):
    with visitors.one() as one, visitors.one() as other:
        page = one.context.new_page()
        page.goto(place)
        page.evaluate(KEEP)
        page = other.context.new_page()
        page.goto(place)
        assert page.evaluate(KEPT) == NOTHING
