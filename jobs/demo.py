"""`leaverwatch demo`: an invented company of 500 people, read twice, judged, and shown with worker and dashboard."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from governance.errors import ConfigurationError, LeaverwatchError
from jobs import home, work
from jobs.up import free_port

if TYPE_CHECKING:
    from connectors.sandbox.company import Company
    from connectors.sandbox.scim_server import ScimSandbox
    from governance.house import House

FOLDER: Final = ".leaverwatch-demo"
MARK: Final = "truth.json"  # only a folder that the demo wrote holds it
WIKI_PORT: Final = 5080
Say = Callable[[str], None]


def folder_of(environ: Mapping[str, str]) -> Path:
    """Where the demo lives: LEAVERWATCH_HOME, else `./.leaverwatch-demo`."""
    return Path(environ.get("LEAVERWATCH_HOME") or FOLDER).expanduser().absolute()


def clear(folder: Path) -> None:
    """Remove what an earlier demo left; ConfigurationError for a folder that is not a demo's."""
    if folder.exists() and any(folder.iterdir()) and not (folder / MARK).exists():
        raise ConfigurationError(f"{folder} holds something that is not the demo: name another LEAVERWATCH_HOME")
    shutil.rmtree(folder, ignore_errors=True)


def prepare(folder: Path, environ: Mapping[str, str], say: Say) -> tuple[House, ScimSandbox]:
    """The demo's house with everything read and judged, and the running SCIM application. Kept between runs."""
    from connectors.sandbox.company import build

    started = time.monotonic()
    now = home.clock()
    port = free_port(WIKI_PORT)
    if (folder / MARK).exists():
        say(f"the demo in {folder} goes on (--fresh begins anew)")
        wiki = serve_wiki(folder, port)
        _point_at(folder, wiki.url)
        house = home.open_house(folder, environ, now)
    else:
        clear(folder)
        folder.mkdir(mode=0o700, parents=True)
        say("inventing 500 people and their accounts")
        company = build(folder, now, wiki_port=port)
        house = home.open_house(folder, environ, now)
        _before(house, company, environ, say)
        wiki = serve_wiki(folder, port)
    try:
        _read_and_judge(house, environ, say)
    except BaseException:
        wiki.stop()
        raise
    say(f"ready after {time.monotonic() - started:.1f} s")
    return house, wiki


def _read_and_judge(house: House, environ: Mapping[str, str], say: Say) -> None:
    home.announce(house, home.clock())
    for result in work.pull(house, work.feed_names(house), "demo", environ=environ, progress=say):
        if result.error:
            say(f"{result.feed}: {result.error}")
    say(work.detect(house, "demo").sentence)


def serve_wiki(folder: Path, port: int) -> ScimSandbox:
    """The demo's SCIM application, answering in a thread until `stop()`."""
    from connectors.sandbox.scim_server import serve

    try:
        return serve(folder / "wiki.json", token=(folder / "wiki.token").read_text(encoding="ascii").strip(), port=port)
    except OSError as error:
        raise LeaverwatchError(f"the demo's SCIM application could not start on port {port}: {error}") from error


def _point_at(folder: Path, url: str) -> None:
    """The SCIM application may be on another port than last time: its address in the file follows."""
    file = folder / "leaverwatch.toml"
    lines = file.read_text(encoding="utf-8").splitlines(keepends=True)
    told = [f'base_url = "{url}"\n' if line.startswith("base_url") and "127.0.0.1" in line else line for line in lines]
    file.write_text("".join(told), encoding="utf-8")


def _before(house: House, company: Company, environ: Mapping[str, str], say: Say) -> None:
    """Read the same feeds from older files, so that movers and the missing are known."""
    from dataclasses import replace

    def earlier(feed: Any) -> Any:
        path = company.earlier.get(feed.name)
        return feed if path is None else feed.model_copy(update={"path": str(path)})

    settings = house.settings.model_copy(
        update={
            "source": tuple(map(earlier, house.settings.source)),
            "application": tuple(map(earlier, house.settings.application)),
        }
    )
    say(f"reading what the files said on {company.earlier_at:%Y-%m-%d}")
    names = [name for name in work.feed_names(house) if name in company.earlier]
    results = work.pull(replace(house, settings=settings), names, "demo", at=company.earlier_at, environ=environ)
    for result in results:
        if result.status != "published":
            raise LeaverwatchError(f"the demo's earlier {result.feed} could not be read: {result.error}")
