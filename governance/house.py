"""The house: the settings, the store and the snapshots that every verb and page works on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from governance.declaration import Rule
from governance.rulebook import all_rules, own_rules
from governance.settings import Settings
from governance.store import Store
from governance.trial import tried


@dataclass(frozen=True)
class House:
    """Everything the domain needs to work: what the operator decided and where things are kept."""

    home: Path
    settings: Settings
    store: Store
    snapshots: Path  # the folder that holds snapshot and estate folders
    origin: dict[str, str]  # dotted key -> file or environment variable it came from; absent: the default
    key: str | None = field(default=None, repr=False)  # what LEAVERWATCH_KEY says, if it is set; else the file `key`

    @cached_property
    def rules(self) -> dict[str, Rule]:
        """Every rule by name: those shipped, and the operator's own in the folder `rules` of the house.

        ConfigurationError names the file that holds no rule, one that takes a shipped rule's name, or one that cannot
        run over an estate with no row.
        """
        return rules_of(self.home)


def rules_of(home: Path) -> dict[str, Rule]:
    """Every rule by name: those shipped, and those of one's own in the folder `rules` of this home, each tried once."""
    folder = home / "rules"
    own = own_rules(folder) if folder.is_dir() else {}
    return {**all_rules(), **{name: tried(rule, folder / f"{name}.py") for name, rule in own.items()}}


def rules_in_sight() -> Mapping[str, Rule]:
    """The rules of the house the dashboard shows; those shipped where no house is installed."""
    return _installed[0][0].rules if _installed else all_rules()


_installed: list[tuple[House, Callable[[House], House]]] = []


def install(house: House, renew: Callable[[House], House] = lambda house: house) -> None:
    """Make this house the one the dashboard of this process shows; `renew` gives it once its settings were changed."""
    _installed[:] = [(house, renew)]


def installed() -> House:
    """The house the dashboard of this process shows, with the settings that are in force now."""
    house, renew = _installed[0]
    fresh = renew(house)
    if fresh is not house:
        install(fresh, renew)
    return fresh
