"""What applications and feeds are called where people read of them."""

from __future__ import annotations

from governance.house import House
from governance.notices import one_line


def label(house: House, name: str) -> str:
    """The title of a feed, its name where it has none or is no longer configured."""
    return one_line(next((feed.label for feed in house.settings.feeds if feed.name == name), name))
