"""Visitors of the pages, none of whom knows anything of another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from playwright.sync_api import Browser, BrowserContext, CDPSession

KEPT = "cookies,local_storage,indexeddb,cache_storage,service_workers,file_systems"


@dataclass
class Visitor:
    """Somebody's browser, and what it asked for."""

    context: BrowserContext
    forgetting: CDPSession
    asked: list[str] = field(default_factory=list)

    def forget(self) -> None:
        """Be new: of all that pages may keep in a browser nothing is left.

        The scripts of Streamlit are: whoever loads and compiles them again takes twice as long for a page.
        """
        first, *others = self.context.pages
        for page in others:
            page.close()
        assert first.url == "about:blank"
        self.context.set_offline(offline=False)
        self.context.clear_permissions()
        self.context.clear_cookies()
        for origin in {f"{url.scheme}://{url.netloc}" for url in map(urlsplit, self.asked) if url.netloc}:
            self.forgetting.send("Storage.clearDataForOrigin", {"origin": origin, "storageTypes": KEPT})
        self.asked.clear()


@dataclass
class Visitors:
    """All of one file of tests; who left comes again as somebody new."""

    browser: Browser
    gone: dict[str, list[Visitor]] = field(default_factory=dict)

    @contextmanager
    def one(self, **how: Any) -> Iterator[Visitor]:
        """Somebody new with a browser like that (see `Browser.new_context`), until the block ends."""
        waiting = self.gone.setdefault(repr(how), [])
        visitor = waiting.pop() if waiting else self._made(how)
        yield visitor
        visitor.forget()
        waiting.append(visitor)

    def _made(self, how: dict[str, Any]) -> Visitor:
        context = self.browser.new_context(**{"viewport": {"width": 1440, "height": 1000}, **how})
        visitor = Visitor(context, context.new_cdp_session(context.new_page()))
        context.on("request", lambda request: visitor.asked.append(request.url))
        return visitor
