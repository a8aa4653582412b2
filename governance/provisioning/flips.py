"""Which attributes two writers keep overwriting: from what to what, who writes last, how often."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

SHOWN: Final = 5  # attributes
_KEY: Final = str.maketrans("", "", " _-.")


@dataclass
class _Flips:
    """What is counted of one attribute."""

    name: str
    accounts: int = 0
    changes: int = 0
    last: Counter[str] = field(default_factory=Counter)  # writer -> on how many accounts it wrote last
    values: Counter[tuple[str | None, str | None]] = field(default_factory=Counter)  # what the last writer overwrote


def attributes(acts: Iterable[tuple[str, str, int, str | None]]) -> list[dict[str, Any]]:
    """The attributes that flip, those of most accounts first: plain values, at most `SHOWN`.

    `acts`: account_id, writer, at_s, changes. An attribute flips on an account where one writer wrote it, another wrote
    it, and the first wrote it again; that both write what is there already is no flip. Each: attribute, accounts,
    changes (how often the writer turned), winner and won (who wrote last, on how many accounts), before and after (what
    the last writer overwrote with what, most often; null where a log names the attribute alone).
    """
    found: dict[str, _Flips] = {}
    for line in _lines(acts).values():
        for name, writes in line.items():
            writes.sort(key=lambda write: write[0])
            turned = [now for before, now in pairwise(writes) if before[1] != now[1]]
            if len(turned) < 2:
                continue
            own = found.setdefault(name, _Flips(writes[0][2]))
            own.accounts += 1
            own.changes += len(turned)
            own.last[turned[-1][1]] += 1
            own.values[turned[-1][3], turned[-1][4]] += 1
    ranked = sorted(found.values(), key=lambda one: (-one.accounts, -one.changes, one.name))
    return [_plain(one) for one in ranked[:SHOWN]]


_Write = tuple[int, str, str, str | None, str | None]  # when, who, what it is called, before, after


def _lines(acts: Iterable[tuple[str, str, int, str | None]]) -> Mapping[str, dict[str, list[_Write]]]:
    """Account -> attribute, however it is spelt -> who wrote it when."""
    lines: dict[str, dict[str, list[_Write]]] = {}
    for account, writer, at, changes in acts:
        for name, before, after in _told(changes):
            write = int(at), str(writer), name, before, after
            lines.setdefault(account, {}).setdefault(name.casefold().translate(_KEY), []).append(write)
    return lines


def _told(changes: str | None) -> Iterator[tuple[str, str | None, str | None]]:
    """The changes of one event; nothing where the text is not of its kind."""
    with suppress(ValueError, TypeError):
        for name, before, after in json.loads(changes or "[]"):
            if isinstance(name, str) and name:
                yield name, before, after


def _plain(one: _Flips) -> dict[str, Any]:
    winner, won = max(sorted(one.last.items()), key=lambda item: item[1])
    before, after = max(sorted(one.values.items(), key=str), key=lambda item: item[1])[0]
    told = {"attribute": one.name, "accounts": one.accounts, "changes": one.changes, "winner": winner, "won": won}
    return {**told, "before": before, "after": after}
