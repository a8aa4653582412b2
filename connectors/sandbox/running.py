"""The invented company on its feet: built or loaded, served over HTTP, its files written, its changes kept."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from connectors.sandbox import feeds, happenings, keeping, planting, showing
from connectors.sandbox.control import PORT_FILE, switchboard
from connectors.sandbox.model import SandboxApplication
from connectors.sandbox.people import EARLIER_DAYS
from connectors.sandbox.samples import write_samples
from connectors.sandbox.serving import Sandbox
from connectors.sandbox.simulation import Company
from connectors.sandbox.truth import truth

MARK: Final = "truth.json"  # only a folder that the sandbox wrote holds it
STATE: Final = "sandbox"


class Running:
    """One company in one folder. `clock` is the wall's; the company's may be ahead of it."""

    def __init__(self, company: Company, folder: Path, clock: Callable[[], datetime]) -> None:
        self.company, self.folder = company, folder
        company.clock = clock
        self.sandbox: Sandbox | None = None

    @classmethod
    def build(cls, folder: Path, clock: Callable[[], datetime], seed: int = planting.SEED) -> Running:
        """A new company; it has lived up to forty days ago."""
        now = clock()
        company = planting.found(now, seed)
        feeds.furnish(company)
        happenings.live(company, company.built_at - timedelta(days=EARLIER_DAYS))
        company.ahead = company.at - now
        running = cls(company, folder, clock)
        running.write()
        return running

    @classmethod
    def resume(cls, folder: Path, clock: Callable[[], datetime]) -> Running:
        """The company of that folder, and what happened since."""
        running = cls(keeping.load(folder / STATE), folder, clock)
        running.catch_up()
        return running

    def serve(self, port: int) -> Sandbox:
        """Answer on that port; writes the configuration that points there."""
        board = switchboard(lambda: sandbox, self.advance)
        sandbox = Sandbox(showing.serving(self.company), port, remember=False, extra=board, changed=self.keep)
        self.sandbox = sandbox.start()
        (self.folder / PORT_FILE).write_text(str(sandbox.port), encoding="ascii")
        if (self.folder / "leaverwatch.toml").exists():
            feeds.point_at(self.folder, sandbox.port)
        else:
            feeds.write_configuration(self.company, self.folder, sandbox.port)
        return sandbox

    def stop(self) -> None:
        """Answer no more; twice is the same as once."""
        if self.sandbox is not None:
            self.sandbox.stop()
            (self.folder / PORT_FILE).unlink(missing_ok=True)

    def catch_up(self) -> None:
        """Live up to the company's clock."""
        company = self.company
        assert company.clock is not None
        happenings.live(company, company.clock() + company.ahead)
        self.write()

    @property
    def earlier(self) -> bool:
        """Whether the company's clock still stands where it was built."""
        return self.company.ahead < timedelta(0)

    def come_to_now(self) -> None:
        """From the day the company was built up to the wall's clock."""
        self.company.ahead = timedelta(0)
        self.catch_up()

    def advance(self, by: timedelta) -> dict[str, Any]:
        """Move the company's clock and live through the days in between."""
        self.company.ahead += by
        self.catch_up()
        return {"now": self.company.at.isoformat(), "people": len(self.company.people)}

    def write(self) -> None:
        """State, files and truth, as they stand now."""
        keeping.save(self.company, self.folder / STATE)
        showing.write_files(self.company, self.folder)
        write_samples(self.company, self.folder)
        if self.sandbox is not None and "people" in self.sandbox.applications:
            self.sandbox.applications["people"].settings["people"] = showing.people_abroad(self.company)
        told = json.dumps(truth(self.company), ensure_ascii=False, indent=1)
        (self.folder / MARK).write_text(told + "\n", encoding="utf-8")

    def keep(self, application: SandboxApplication) -> None:
        """An application was changed from outside: before that is answered, it is on the disk."""
        if application.name in self.company.applications:
            keeping.save_application(application, self.folder / STATE)
