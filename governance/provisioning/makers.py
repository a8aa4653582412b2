"""Who makes accounts in an application: programs that push, programs that run at sign-ons, people, and people in bulk.

The name a log gives is not enough: a program often bears the name of the person whose token it uses. What became of
most of the accounts it made tells what it is.
"""

from __future__ import annotations

from typing import Any, Final

import narwhals as nw

from governance.provisioning.bursts import MINUTES
from governance.provisioning.traces import by_people

Frame = nw.LazyFrame[Any]
_KEY: Final = ["application", "maker"]
_CROWD: Final = 12  # accounts within minutes, which nobody makes by hand; of nobody's, more are asked: bursts.MANY
_AT_SIGN_ONS: Final = 0.6  # of its accounts, at least: some that people make by hand are near to sign-ons, too
_BY_HAND: Final = 0.4  # of its accounts near to sign-ons, at most
_ENOUGH: Final = 3  # accounts, before what became of most of them tells what a maker is


def people(some: Frame, accounts: Frame) -> Frame:
    """Who made accounts, other than these themselves, and is a person: application, maker, maker_is_person."""
    found = by_people(accounts, _by_others(some).select(*_KEY))
    return found.with_columns(maker_is_person=nw.lit(True))


def with_habits(some: Frame) -> Frame:
    """Adds what the maker of each account mostly does there; null where too few tell.

    pushes_here, signs_here, by_hand_here: whether most of what it made was pushed, was made at sign-ons, or neither.
    in_crowd: whether it made so many within the same minutes as an import does.
    """
    others = _by_others(some)
    pushed = ~nw.col("idp_s").is_null() | ~nw.col("push_s").is_null()
    counted = (
        others.with_columns(pushed=pushed.cast(nw.Int64), signed=(~nw.col("sign_s").is_null()).cast(nw.Int64))
        .group_by(*_KEY)
        .agg(nw.len().cast(nw.Int64).alias("made"), nw.col("pushed").sum(), nw.col("signed").sum())
        .filter(nw.col("made") >= _ENOUGH)
    )
    mostly_pushed = nw.col("pushed") * 2 >= nw.col("made")
    share = nw.col("signed").cast(nw.Float64) / nw.col("made").cast(nw.Float64)
    habits = counted.select(
        *_KEY,
        pushes_here=mostly_pushed,
        signs_here=(share >= _AT_SIGN_ONS) & ~mostly_pushed,
        by_hand_here=(share <= _BY_HAND) & ~mostly_pushed,
    )
    joined = some.join(habits, on=_KEY, how="left")
    for shift in (0, MINUTES * 30):  # a crowd may lie across the end of the minutes that are counted together
        joined = joined.with_columns(minutes=(nw.col("made_s") + shift) // (MINUTES * 60))
        counted = _by_others(joined).group_by(*_KEY, "minutes").agg(nw.len().cast(nw.Int64).alias(f"crowd_{shift}"))
        joined = joined.join(counted, on=[*_KEY, "minutes"], how="left").drop("minutes")
    crowds = [nw.col(f"crowd_{shift}").fill_null(0) >= _CROWD for shift in (0, MINUTES * 30)]
    return joined.with_columns(in_crowd=crowds[0] | crowds[1])


def _by_others(some: Frame) -> Frame:
    return some.filter(~nw.col("maker").is_null(), nw.col("maker") != nw.col("account_id"))
