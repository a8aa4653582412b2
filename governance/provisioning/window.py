"""How long after a sign-on an application makes an account: fitted from what is seen there, not one constant.

An account that single sign-on made (JIT) appears within seconds of the sign-on, so the differences pile up in one sharp
peak. Where the peak lies tells how far the two clocks are apart, its width how long the making takes, and what lies
outside it how often a sign-on is near by chance. The measure is whole seconds, as the twins of instants are.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

NEAR: Final = 900  # seconds: how far apart a sign-on and a making may be and still be looked at, skewed clocks included
WIDE: Final = 300  # the window where too few are seen to fit one
FEW: Final = 4  # accounts in the peak: fewer show no window
SURE: Final = 0.99  # nothing that is inferred is surer
_MANY: Final = 6  # sign-ons near to makings: of more, a peak would stand out if they made accounts
UNFITTED: Final = 0.7  # how sure a sign-on within the wide window makes: of few, one may be there by chance
_SLICE: Final = 5  # seconds that are looked at together
_BROAD: Final = 60  # seconds to either side of the peak that do not count as chance
_SHARP: Final = 30  # seconds: what spreads wider is people who sign in soon after they were told to, not a making
_STANDS_OUT: Final = 3.0  # times what chance would put there


@dataclass(frozen=True, slots=True)
class Window:
    """From `low` to `high` seconds after the sign-on, both included; negative where the clocks are apart.

    `pushed`: how many seconds the making lies after the entry of its push there, mostly; None where too few tell.
    `accounts`: how many lie in it. `by_chance`: how many of them a sign-on would be near to without having made them.
    """

    low: int = -WIDE
    high: int = WIDE
    accounts: int = 0
    by_chance: float = 0.0
    fitted: bool = False
    pushed: int | None = None

    @property
    def flat(self) -> bool:
        """Whether many sign-ons lie near to makings and none of them stands out: they are there by chance."""
        return not self.fitted and self.accounts > _MANY

    @property
    def confidence(self) -> float:
        """How sure an account in it was made by the sign-on: by Laplace's rule, so that few never make sure."""
        if not self.fitted:
            return UNFITTED
        return max(UNFITTED, min(SURE, 1 - (self.by_chance + 1) / (self.accounts + 2)))


def fit(seen: Mapping[int, int]) -> Window:
    """The window of one application; `seen`: seconds from a sign-on to the making -> how many such pairs."""
    counts = {delta: n for delta, n in seen.items() if abs(delta) <= NEAR and n > 0}
    if not counts:
        return Window()
    peak = max(sorted(counts, key=abs), key=lambda at: _within(counts, at, at + _SLICE - 1))
    outside = sum(n for delta, n in counts.items() if abs(delta - peak) > _BROAD)
    rate = outside / (2 * (NEAR - _BROAD))
    stands = _STANDS_OUT * (rate * _SLICE + math.sqrt(rate * _SLICE))
    if _within(counts, peak, peak + _SLICE - 1) < max(FEW, stands):
        return Window(accounts=sum(n for delta, n in counts.items() if abs(delta) <= WIDE))
    low = _edge(counts, peak, -1, stands)
    high = _edge(counts, peak + _SLICE - 1, 1, stands)
    inside = [delta for delta in counts if low <= delta <= high]
    low, high = min(inside) - 1, max(inside) + 1  # of times in whole seconds either may be one off
    if high - low > _SHARP:
        return Window(accounts=sum(n for delta, n in counts.items() if abs(delta) <= WIDE))
    return Window(low, high, _within(counts, low, high), rate * (high - low + 1), fitted=True)


def typical(seen: Mapping[int, int]) -> int | None:
    """The median of what is seen (a difference -> how often); None of few."""
    count = sum(seen.values())
    if count < FEW:
        return None
    ahead = 0
    for delta in sorted(seen):
        ahead += seen[delta]
        if ahead * 2 >= count:
            return delta
    return None


def _within(counts: Mapping[int, int], low: int, high: int) -> int:
    return sum(counts.get(delta, 0) for delta in range(low, high + 1))


def _edge(counts: Mapping[int, int], start: int, step: int, stands: float) -> int:
    """Where the peak ends on one side: before the first slice that holds no more than chance puts there."""
    at = start
    while abs(at - start) < _BROAD:
        near, far = at + step, at + step * _SLICE
        if _within(counts, min(near, far), max(near, far)) <= stands:
            return at
        at = far
    return at
