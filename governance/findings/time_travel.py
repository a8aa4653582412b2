"""Who had what on an earlier day, as known then or as known now. Stores nothing; no rule is run."""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

from ulid import ULID

from governance.errors import ConfigurationError
from governance.estate import Estate, Facts
from governance.findings.evaluation import link, picture, with_providers
from governance.house import House
from governance.snapshots import engine_of, on_disk

Known = Literal["then", "now"]


@dataclass(frozen=True)
class Lookback:
    """The correlated picture of one instant."""

    as_of: datetime
    folder: Path  # of the estate
    facts: Facts
    estate: Estate


def known_at(known: Known | None, as_of: datetime, now: datetime) -> datetime | None:
    """Until when what was published, pinned and said counts; None leaves it to the snapshots of that day."""
    if known is None:
        return None
    if as_of > now:
        raise ConfigurationError(f"{as_of:%Y-%m-%d %H:%M}Z has not come yet: nobody has known anything then")
    return as_of if known == "then" else now


@contextlib.contextmanager
def looked_back(house: House, as_of: datetime, known: datetime | None = None) -> Iterator[Lookback]:
    """The estate as of an instant, in a folder of its own that goes afterwards. `known`: see `snapshots.facts`."""
    folder = house.snapshots / "estates" / f".{ULID.from_datetime(as_of)}"
    try:
        with on_disk(folder):
            settings = with_providers(house, house.settings)
            said, estate = picture(house, as_of, folder, engine_of(settings.engine), settings, known)
            link(house, said, folder)
        yield Lookback(as_of, folder, said, estate)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
