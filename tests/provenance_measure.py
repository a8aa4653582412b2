"""How well it is told how accounts came to be: against the truth of the invented company, as read and with harm done."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import narwhals as nw
import polars as pl

from connectors.sandbox.feeds import account_id as told_id
from connectors.sandbox.landscape import landscape
from governance.estate import Facts, correlate, known
from governance.settings import Settings

KEY = ["application", "account_id"]
Harm = Callable[[pl.DataFrame, pl.DataFrame], tuple[pl.DataFrame, pl.DataFrame]]


@dataclass(frozen=True)
class Score:
    """Of the accounts that were made within the reach of the logs. `unknown` is neither right nor wrong."""

    accounts: int
    right: int
    unknown: int
    sure: int  # said with a confidence of 0.9 or more
    sure_and_wrong: int
    calibration: dict[str, tuple[int, int]]  # band of confidence -> said, of them right

    @property
    def accuracy(self) -> float:
        """Right, of all that were made within reach: an unknown one counts against it."""
        return self.right / self.accounts

    @property
    def wrong(self) -> int:
        return self.accounts - self.right - self.unknown


def truth_of(company: Any) -> pl.DataFrame:
    """application, account_id, made_at and how it was truly made, as the simulation knows."""
    rows = []
    for (name, account_id), _ in company.minds.items():
        account = company.applications[name].accounts.get(account_id)
        if account is not None and account.status != "deleted":
            rows.append((name, told_id(landscape()[name], account), account.created_at, account.managed_by))
    schema = {"application": pl.String, "account_id": pl.String, "made_at": pl.Datetime("us", "UTC"), "made": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def told(said: Facts, settings: Settings, now: datetime, harm: Harm | None = None) -> pl.DataFrame:
    """What the estate says of every account, after the harm."""
    accounts, events = said.accounts.collect("polars").to_native(), said.events.collect("polars").to_native()
    if harm is not None:
        accounts, events = harm(accounts, events)
    said = replace(said, accounts=nw.from_native(accounts.lazy()), events=nw.from_native(events.lazy()))
    around = known(said, settings, now, lambda _, frame: nw.from_native(nw.to_native(frame).collect().lazy()))
    found: pl.DataFrame = correlate(said, settings, now, around).collect("polars").to_native()
    return found


def score(found: pl.DataFrame, truth: pl.DataFrame, since: datetime) -> Score:
    """How right it is, over what was made since then."""
    both = truth.filter(pl.col("made_at") >= since).join(found, on=KEY, how="inner")
    right, unknown = pl.col("provenance") == pl.col("made"), pl.col("provenance") == "unknown"
    sure = both.filter(pl.col("provenance_confidence") >= 0.9)
    bands = {"below 0.7": (0, 0.7), "0.7 to 0.9": (0.7, 0.9), "0.9 to 0.95": (0.9, 0.95), "0.95 and more": (0.95, 1.01)}
    calibration = {}
    for name, (low, high) in bands.items():
        there = both.filter(pl.col("provenance_confidence") >= low, pl.col("provenance_confidence") < high)
        calibration[name] = (there.height, there.filter(right).height)
    return Score(
        accounts=both.height,
        right=both.filter(right).height,
        unknown=both.filter(unknown).height,
        sure=sure.height,
        sure_and_wrong=sure.filter(~right).height,
        calibration=calibration,
    )


def shifted(seed: int, *, seconds: int = 300, lost: float = 0.2, slow: bool = True, clock_of: str = "okta") -> Harm:
    """Every application's clock is off by up to so many seconds, a share of all events is lost, making takes a while."""
    luck = random.Random(seed)

    def harm(accounts: pl.DataFrame, events: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        names = sorted({*accounts["application"], *events["application"]})
        off = {name: 0 if name == clock_of else luck.randint(-seconds, seconds) for name in names}
        by = pl.col("application").replace_strict(off, return_dtype=pl.Int64)
        took = pl.Series("took", [round(luck.lognormvariate(0.3, 0.6)) if slow else 0 for _ in range(accounts.height)])
        accounts = accounts.with_columns(took, created_at_s=pl.col("created_at_s") + by)
        accounts = accounts.with_columns(created_at_s=pl.col("created_at_s") + pl.col("took")).drop("took")
        kept = pl.Series([luck.random() >= lost for _ in range(events.height)])
        return accounts, events.with_columns(at_s=pl.col("at_s") + by).filter(kept)

    return harm


def without(*kinds: str, but: str = "") -> Harm:
    """No log tells of events of these kinds, but for that of one application."""

    def harm(accounts: pl.DataFrame, events: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
        return accounts, events.filter(~pl.col("kind").is_in(kinds) | (pl.col("application") == but))

    return harm
