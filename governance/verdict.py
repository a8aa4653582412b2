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
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import narwhals as nw
import polars as pl

from governance import declaration, lines, score, wording
from governance.declaration import SEVERITIES, SIGNALS, Rule, Subject, told, told_of_identities
from governance.estate import Estate
from governance.settings import Settings
from governance.wording import Words

Frame = nw.LazyFrame[Any]
# application (or source) -> rule -> reason -> how many accounts (or identities)
NotEvaluable = dict[str, dict[str, dict[str, int]]]

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
NOTHING: Final = pl.DataFrame(schema=BARE)
WORDS: Final[dict[str, Any]] = {"reason": pl.String, "evidence": pl.String, "search": pl.String}
FINDING: Final = BARE | WORDS
INSTANT: Final = pl.Datetime("us", "UTC")
# What sentences and facts may draw on, whatever the rule keeps as evidence.
ROW: Final[dict[str, Any]] = {
    **dict.fromkeys(("application", "account_id", "username", "email", "employee_id", "external_id"), pl.String),
    **dict.fromkeys(("kind", "criticality", "match", "match_key", "candidates"), pl.String),
    **dict.fromkeys(("owner_kind", "owner_department", "owner_title"), pl.String),
    **dict.fromkeys(("active", "privileged", "last_seen_known", "mfa", "password"), pl.Boolean),
    "credentials": pl.Int64,
    **dict.fromkeys(("identity_id", "identity_name", "state", "ended_why"), pl.String),
    **dict.fromkeys(("last_seen_at", "ended_at"), INSTANT),
}
FOR_THE_SCORE: Final = ("mfa", "password", "credentials", "owner_kind", "owner_department", "owner_title")


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
    concerned: Mapping[str, Mapping[str, int]]  # application (or source) -> rule -> whom the rule is about
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
        chosen = [held for held in self.held if held.bare.height]
        if fingerprints is not None:
            chosen = [held.among(fingerprints) for held in chosen] if fingerprints.len() else []
        return _ordered([held.worded(words) for held in chosen], FINDING)

    def unjudged(self, rule: str, about: pl.DataFrame) -> pl.DataFrame:
        """Which of these subjects this rule cannot judge now, and the reason; columns: the subject's and `reason`.

        `about` has the columns of the rule's subject (SUBJECT). A finding on one that cannot be judged stays as it was.
        An account known to be inactive is judged, unless the rule looks at inactive accounts too; so is one that is no
        longer there.
        """
        found = self.rules.get(rule)
        keys = SUBJECT[found.subject if found else "account"]
        if found is None or not found.needs or about.is_empty() or not set(keys) <= set(about.columns):
            return pl.DataFrame(schema=dict.fromkeys((*keys, "reason"), pl.String))
        about = about.select(keys).unique()
        accounts = found.counted == "accounts"
        signals = told(self.estate.settings) if accounts else told_of_identities()
        relevant = applies(found, self.estate.settings) if accounts else found.applies(self.estate.settings)
        if accounts and "account.active" in found.needs:
            relevant = relevant & nw.col("active").fill_null(True)
        reason: nw.Expr = nw.lit(None, nw.String)
        for signal in reversed(found.needs):
            reason = nw.when(signals[signal]).then(reason).otherwise(nw.lit(SIGNALS[signal]))
        frame = self.estate.accounts if accounts else self.estate.identities
        # As a column: a rule that is about everybody says so with one value for all of them, and none filters by that.
        frame = frame.with_columns(relevant=relevant).filter(nw.col("relevant"))
        if accounts and found.subject == "identity":
            frame = frame.filter(~nw.col("owner_id").is_null()).with_columns(identity_id=nw.col("owner_id"))
        if "application" in keys:
            frame = frame.filter(nw.col("application").is_in(about["application"].unique().to_list()))
        if about.height <= 1_000:
            frame = frame.filter(nw.col(keys[-1]).is_in(about[keys[-1]].unique().to_list()))
        frame = frame.select(*keys, reason=reason).filter(~nw.col("reason").is_null())
        lacking = collected([frame])[0].join(about, on=keys, how="semi")
        return lacking.sort(*keys, "reason").unique(keys, keep="first", maintain_order=True)


SUBJECT: Final[dict[Subject, list[str]]] = {
    "account": ["application", "account_id"],
    "identity": ["identity_id"],
    "application": ["application"],
}


def hold(rule: Rule, rows: pl.DataFrame, words: Words, now: datetime) -> Held:
    """The rows a rule fires on as its findings: one a fingerprint, whatever the order of the rows."""
    if rows.is_empty():  # most rules, on most estates
        return Held(rule, rows, NOTHING)
    rows = rows.with_columns(pl.lit(None, kind).alias(name) for name, kind in ROW.items() if name not in rows.columns)
    parts = score.parts(rule.severity, now)
    points = rows.select(score.total(parts)).to_series()
    rows = rows.with_columns(**{f"score_{name}": column for name, column in parts.items()})
    # Told for the score alone, which is in the digest: what is not evidence must not change the finding.
    unseen = [name for name in FOR_THE_SCORE if name not in rule.evidence]
    rows = rows.with_columns(pl.lit(None, ROW[name]).alias(name) for name in unseen)
    if "last_seen_at" not in rule.evidence:  # or everybody who goes on working would change the finding every day
        rows = rows.with_columns(pl.lit(None, INSTANT).alias("last_seen_at"))
    bare = rows.select(
        fingerprints(rule, rows),
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


def fingerprints(rule: Rule, rows: pl.DataFrame) -> pl.Series:
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
    return sorted(_mark(file) for file in {*its, wording.__file__, lines.__file__, declaration.__file__})


@functools.cache
def _mark(file: str) -> str:
    """The digest of a file as this process read it first; nothing for code that comes from no file."""
    path = Path(file)
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def applies(rule: Rule, settings: Settings) -> nw.Expr:
    """The accounts a rule is about; while no source of truth was read, that is nobody's account and so everybody's."""
    its = rule.applies(settings).fill_null(False)
    return its | ~nw.col("source_read") if "source.read" in rule.needs else its


def collected(frames: Sequence[Frame]) -> list[pl.DataFrame]:
    """Compute frames of either engine, one after another.

    On Polars all at once would share scans and takes as long, but two thirds more memory (1 M accounts: 2.5 GiB).
    """
    return [_collected(frame) for frame in frames]


def _collected(frame: Frame) -> pl.DataFrame:
    native = nw.to_native(frame)
    if isinstance(native, pl.LazyFrame):
        # As the rules write them: reordered joins of grants multiply rows (3.7 s instead of 0.2 s on 1 M accounts).
        return native.collect(engine="streaming", optimizations=pl.QueryOptFlags(join_order=False))
    table: pl.DataFrame = frame.collect("polars").to_native()
    return table.with_columns(pl.col(pl.Datetime).cast(INSTANT), pl.col(pl.Int32).cast(pl.Int64))
