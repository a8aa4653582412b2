"""The pages: one file each, found by walking this folder."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from types import ModuleType
from typing import Final

from governance.access import Actor
from governance.house import House

ADMIN: Final = "admin"
SECURITY: Final = "security"
MANAGER: Final = "manager"
OWNER: Final = "application_owner"
APPROVER: Final = "approver"
AUDITOR: Final = "auditor"
EVERYBODY: Final = frozenset({ADMIN, SECURITY, MANAGER, OWNER, APPROVER, AUDITOR})
EVERYTHING: Final = EVERYBODY - {MANAGER, OWNER}  # who may read about everybody, not only about their own
GROUPS: Final = ("Operate", "Review", "Decide", "Admin")


@dataclass(frozen=True)
class Page:
    """How a page declares itself: title, sign, group of the sidebar, place in it, and whom it is shown to.

    Hiding is no protection: every verb checks the actor's rights itself.
    """

    title: str
    icon: str
    group: str
    order: int
    roles: frozenset[str] = EVERYBODY


Render = Callable[[House, Actor, datetime], None]


def all_pages() -> dict[str, tuple[Page, Render]]:
    """Every page by its file's name, in the order of the sidebar."""
    found = {}
    for module in pkgutil.iter_modules(__path__):
        if not module.name.startswith("_"):
            loaded: ModuleType = importlib.import_module(f"{__name__}.{module.name}")
            found[module.name] = (loaded.PAGE, loaded.render)
    return dict(sorted(found.items(), key=lambda item: (GROUPS.index(item[1][0].group), item[1][0].order)))
