"""What the rules hold against an estate, and what they could not judge.

A finding is first its bare columns: fingerprint, score and digest are computed for whole columns at once. Its words are
made when somebody asks for them; a run that finds what was known already asks for none.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import narwhals as nw
import polars as pl

from governance import declaration, wording
from governance.declaration import CLOCKS_DIFFER_BY, SEVERITIES, SIGNALS, Rule, Severity, told
from governance.estate import Estate
from governance.settings import Settings
from governance.wording import Words

Frame = nw.LazyFrame[Any]
NotEvaluable = dict[str, dict[str, tuple[int, str]]]  # application -> rule -> how many accounts, and why

BASE_SCORE: Final[dict[Severity, int]] = {"critical": 80, "high": 60, "medium": 40, "low": 20}
BARE: Final[dict[str, Any]] = {
    "fingerprint": pl.String,
    "rule": pl.String,
    "severity": pl.String,
    "score": pl.Int64,
    "application": pl.String,
    "account_id": pl.String,
    "username": pl.String,
    "identity_id": pl.String,
    "identity_name": pl.String,
    "digest": pl.String,
}
WORDS: Final[dict[str, Any]] = {"reason": pl.String, "evidence": pl.String, "search": pl.String}
FINDING: Final = BARE | WORDS
INSTANT: Final = pl.Datetime("us", "UTC")
# What sentences and facts may draw on, whatever the rule keeps as evidence.
ROW: Final[dict[str, Any]] = {
    **dict.fromkeys(("application", "account_id", "username", "email", "employee_id", "external_id"), pl.String),
    **dict.fromkeys(("kind", "criticality", "match", "match_key", "candidates"), pl.String),
    **dict.fromkeys(("active", "privileged", "last_seen_known"), pl.Boolean),
    **dict.fromkeys(("identity_id", "identity_name", "state", "ended_why"), pl.String),
    **dict.fromkeys(("last_seen_at", "ended_at"), INSTANT),
}


@dataclass(frozen=True)
class Held:
    """The findings of one rule: what its frame says of each, and their bare columns in the same order."""

    rule: Rule
    rows: pl.DataFrame
    bare: pl.DataFrame

    def among(self, fingerprints: pl.Series) -> Held:
        """Only the findings with these fingerprints."""
        chosen = self.bare["fingerprint"].is_in(fingerprints.implode())
        return Held(self.rule, self.rows.filter(chosen), self.bare.filter(chosen))

    def worded(self, words: Words) -> pl.DataFrame:
        """The findings with their words; columns: FINDING."""
        said = [words.said(self.rule, row) for row in self.rows.iter_rows(named=True)]
        return self.bare.hstack(pl.DataFrame(said, schema=WORDS, orient="row")).select(*FINDING)


@dataclass(frozen=True)
class Verdict:
    """What the rules hold against an estate, and what they could not judge."""

    held: Sequence[Held]
    not_evaluable: NotEvaluable
    checks: int  # accounts not known to be inactive x rules; rules about identities count identities
    estate: Estate
    rules: Mapping[str, Rule]

    @functools.cached_property
    def bare(self) -> pl.DataFrame:
        """Every finding without its words, most severe first; columns: BARE."""
        return _ordered([held.bare for held in self.held], BARE)

    @functools.cached_property
    def findings(self) -> pl.DataFrame:
        """Every finding with its words, most severe first; columns: FINDING."""
        return self.worded()

    def worded(self, fingerprints: pl.Series | None = None) -> pl.DataFrame:
        """The findings with these fingerprints, or all, with their words; columns: FINDING."""
        words = Words(self.estate.settings)
        chosen = self.held if fingerprints is None else [held.among(fingerprints) for held in self.held]
        return _ordered([held.worded(words) for held in chosen], FINDING)

    def unjudged(self, rule: str, accounts: pl.DataFrame) -> pl.DataFrame:
        """Which of these accounts (application, account_id) this rule cannot judge now, and the reason.

        A finding on one of them stays as it was. An account known to be inactive is judged, unless the rule looks at
        inactive accounts too; so is one that is no longer there.
        """
        found = self.rules.get(rule)
        keys = accounts.select("application", "account_id").unique()
        if found is None or not found.needs or not about_accounts(found) or keys.is_empty():
            return pl.DataFrame(schema={"application": pl.String, "account_id": pl.String, "reason": pl.String})
        signals = told(self.estate.settings)
        relevant = applies(found, self.estate.settings)
        if "account.active" in found.needs:
            relevant = relevant & nw.col("active").fill_null(True)
        reason: nw.Expr = nw.lit(None, nw.String)
        for signal in reversed(found.needs):
            reason = nw.when(signals[signal]).then(reason).otherwise(nw.lit(SIGNALS[signal]))
        frame = self.estate.accounts.filter(
            nw.col("application").is_in(keys["application"].unique().to_list()), relevant
        )
        if keys.height <= 1_000:
            frame = frame.filter(nw.col("account_id").is_in(keys["account_id"].unique().to_list()))
        frame = frame.select("application", "account_id", reason=reason).filter(~nw.col("reason").is_null())
        return collected([frame])[0].join(keys, on=["application", "account_id"], how="semi")


def hold(rule: Rule, rows: pl.DataFrame, words: Words) -> Held:
    """The rows a rule fires on as its findings: one a fingerprint, whatever the order of the rows."""
    rows = rows.with_columns(pl.lit(None, kind).alias(name) for name, kind in ROW.items() if name not in rows.columns)
    points = rows.select(_score(rule.severity)).to_series()
    if "last_seen_at" not in rule.evidence:  # or everybody who goes on working would change the finding every day
        rows = rows.with_columns(pl.lit(None, INSTANT).alias("last_seen_at"))
    bare = rows.select(
        _fingerprints(rule, rows),
        pl.lit(rule.name).alias("rule"),
        pl.lit(rule.severity).alias("severity"),
        points,
        *("application", "account_id", "username", "identity_id", "identity_name"),
        _digests(rule, rows, points, words),
    )
    if bare["fingerprint"].n_unique() < bare.height:
        placed = bare.with_row_index("place").sort("score", "digest", descending=[True, False])
        first = placed.unique("fingerprint", keep="first", maintain_order=True)["place"]
        rows, bare = rows[first], bare[first]
    return Held(rule, rows, bare)


def _ordered(tables: Sequence[pl.DataFrame], schema: Mapping[str, Any]) -> pl.DataFrame:
    table = pl.concat([pl.DataFrame(schema=schema), *tables])
    rank = pl.col("severity").replace_strict(list(SEVERITIES), list(range(len(SEVERITIES))), return_dtype=pl.Int64)
    return table.sort(rank, "score", "fingerprint", descending=[False, True, False])


def _score(severity: Severity) -> pl.Expr:
    """How urgent a finding is, 0 to 100; the same tomorrow if nothing happens."""
    used_after_leaving = (pl.col("state") == "ended") & (
        pl.col("last_seen_at") > pl.col("ended_at") + pl.lit(CLOCKS_DIFFER_BY)
    )
    reasons = ((10, pl.col("privileged")), (5, pl.col("criticality") == "high"), (5, used_after_leaving))
    points = [weight * reason.fill_null(False).cast(pl.Int64) for weight, reason in reasons]
    return pl.sum_horizontal(pl.lit(BASE_SCORE[severity]), *points).clip(upper_bound=100).alias("score")


def _fingerprints(rule: Rule, rows: pl.DataFrame) -> pl.Series:
    """What makes a finding the same finding: rule and identity values."""
    identities = zip(*(rows[column].to_list() for column in rule.identity), strict=True)
    texts = ("\x1f".join((rule.name, *map(str, values))) for values in identities)
    return pl.Series("fingerprint", [hashlib.sha256(text.encode()).hexdigest()[:16] for text in texts], pl.String)


def _digests(rule: Rule, rows: pl.DataFrame, points: pl.Series, words: Words) -> pl.Series:
    """What changes whenever a finding would read differently: everything its words are made of, no time of reading."""
    where = pl.col("application").replace(words.feeds)
    source = pl.col("identity_id").str.extract("^([^:]*)").replace(words.feeds)
    made_of = pl.struct(row=pl.struct(rows.columns), score=pl.lit(points), where=where, source=source)
    first = hashlib.sha256("\x1f".join((*_written_in(rule), rule.severity, rule.title)).encode())
    digests = []
    for text in rows.select(made_of.struct.json_encode()).to_series().to_list():
        digest = first.copy()
        digest.update(text.encode())
        digests.append(digest.hexdigest())
    return pl.Series("digest", digests, pl.String)


def _written_in(rule: Rule) -> list[str]:
    """Marks of the files that make the words of a rule's findings: a changed sentence is a changed finding."""
    its = {function.__code__.co_filename for function in (rule.judge, rule.sentence) if inspect.isfunction(function)}
    return sorted(_mark(file) for file in {*its, wording.__file__, declaration.__file__})


@functools.cache
def _mark(file: str) -> str:
    """The digest of a file as this process read it first; nothing for code that comes from no file."""
    path = Path(file)
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def about_accounts(rule: Rule) -> bool:
    """Whether the rule's findings are on accounts; else they are on identities."""
    return "account_id" in rule.identity


def applies(rule: Rule, settings: Settings) -> nw.Expr:
    """The accounts a rule is about; while no source of truth was read, that is nobody's account and so everybody's."""
    its = rule.applies(settings).fill_null(False)
    return its | ~nw.col("source_read") if "source.read" in rule.needs else its


def collected(frames: Sequence[Frame]) -> list[pl.DataFrame]:
    """Compute frames of either engine; on Polars all at once, so that scans are shared."""
    natives = [nw.to_native(frame) for frame in frames]
    if all(isinstance(native, pl.LazyFrame) for native in natives):
        # As the rules write them: reordered joins of grants multiply rows (3.7 s instead of 0.2 s on 1 M accounts).
        return pl.collect_all(natives, engine="streaming", optimizations=pl.QueryOptFlags(join_order=False))
    return [_from_spark(frame.collect("polars").to_native()) for frame in frames]


def _from_spark(table: pl.DataFrame) -> pl.DataFrame:
    return table.with_columns(pl.col(pl.Datetime).cast(INSTANT), pl.col(pl.Int32).cast(pl.Int64))
