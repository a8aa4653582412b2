"""Findings remember: they open, stay, resolve and reopen by their fingerprint. An unchanged run writes no finding."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, Final

import narwhals as nw
import orjson
import polars as pl
import sqlalchemy as sa
from sqlmodel import Session, col, select
from ulid import ULID

from governance.findings.coverage import coverage
from governance.findings.evaluation import Evaluation
from governance.findings.headline import LIVE, headline
from governance.findings.kept import table
from governance.findings.listing import write_listing
from governance.house import House
from governance.snapshots import given_back
from governance.store import indexed_together, put_rows, table_of, update_rows
from governance.tables import UNDER_WAY, DetectRun, Exclusion, Finding, Remediation, Snapshot, Written
from governance.verdict import SUBJECT

CHUNK: Final = 5_000
ESTATES_KEPT = 2  # the newest, and the one a page may still be reading
SAID_BY_RUN = (
    "severity",
    "score",
    "application",
    "account_id",
    "username",
    "identity_id",
    "identity_name",
    "reason",
    "search",
    "digest",
)
# What is stored of a finding beside what tells whether a run changes it.
MORE: Final[dict[str, Any]] = {
    "fingerprint": pl.String,
    "rule": pl.String,
    "application": pl.String,
    "account_id": pl.String,
    "identity_id": pl.String,
    "resolved_at": pl.Datetime("us", "UTC"),
    "resolved_why": pl.String,
    "reopened": pl.Int64,
}


def record(house: House, evaluation: Evaluation, now: datetime, finished_at: datetime) -> DetectRun:
    """Store what an evaluation concluded, in one transaction, and keep its estate for the pages to read."""
    estate = f"estates/{ULID.from_datetime(now)}"
    write_listing(evaluation.folder)
    with house.store.write() as session:
        reopened_exclusions = _end_exclusions(session, now)
        before = _known(session)
        changed = _apply(session, evaluation, before)
        changed["exclusions_ended"] = reopened_exclusions
        session.flush()
        first = headline(session, evaluation.as_of, evaluation.summary)
        run = DetectRun(
            id=estate.rpartition("/")[2],
            as_of=evaluation.as_of,
            started_at=now,
            finished_at=finished_at,
            estate=estate,
            snapshots=evaluation.facts.snapshots,
            sentence=first.sentence,
            counts=_counts(evaluation),
            not_evaluable=evaluation.not_evaluable,
            summary=evaluation.summary
            | first.numbers()
            | _held_by_leavers(session, evaluation)
            | {"disconnected": _disconnected(house, session)},
            changed=changed,
        )
        session.add(run)
        outlived = session.exec(
            select(DetectRun).where(DetectRun.estate != "").order_by(col(DetectRun.id).desc()).offset(ESTATES_KEPT)
        ).all()
        folders = [old.estate for old in outlived]
        for old in outlived:
            old.estate = ""
            session.add(old)
        shutil.rmtree(evaluation.folder / "work", ignore_errors=True)
        evaluation.folder.rename(house.snapshots / estate)  # last: a run that fails leaves nothing the pages could read
    for folder in folders:
        shutil.rmtree(house.snapshots / folder, ignore_errors=True)
    return run


def _held_by_leavers(session: Session, evaluation: Evaluation) -> dict[str, Any]:
    accounts = table(evaluation.folder, "accounts")
    return {} if accounts is None else {"held_by_leavers": coverage(session, accounts, evaluation.as_of).numbers()}


def _disconnected(house: House, session: Session) -> dict[str, int]:
    """How many findings live on of each feed that is configured no longer: nothing will be read that ends them."""
    name, status = col(Finding.application), col(Finding.status)
    gone = sa.select(name, sa.func.count()).where(status.in_(LIVE)).group_by(name).order_by(name)
    there = {feed.name for feed in house.settings.feeds}
    return {feed: int(n) for feed, n in session.execute(gone).all() if feed and feed not in there}


def _counts(evaluation: Evaluation) -> dict[str, int]:
    found = dict(evaluation.verdict.bare.group_by("rule").len().iter_rows())
    return {name: int(found.get(name, 0)) for name in sorted(evaluation.verdict.rules)}


def _end_exclusions(session: Session, now: datetime) -> int:
    """Findings whose exclusion has ended are open again."""
    ended = session.exec(select(Exclusion).where(col(Exclusion.ended_at).is_(None), Exclusion.until <= now)).all()
    for exclusion in ended:
        exclusion.ended_at = now
        session.add(exclusion)
        finding = session.get(Finding, exclusion.fingerprint)
        if finding is not None and finding.status == "excluded":
            finding.status = "open"
            session.add(finding)
    session.flush()
    return len(ended)


def _known(session: Session) -> pl.DataFrame:
    """Every finding that was ever stored: what tells whether this run changes it."""
    columns = table_of(Finding).c
    # Through Core: the ORM takes twice as long to make rows that nobody changes.
    rows = session.connection().execute(sa.select(columns.fingerprint, columns.status, columns.digest)).all()
    fingerprints, statuses, digests = zip(*rows, strict=True) if rows else ((), (), ())
    return pl.DataFrame(
        {"fingerprint": fingerprints, "was_status": statuses, "was_digest": digests},
        schema=dict.fromkeys(("fingerprint", "was_status", "was_digest"), pl.String),
    )


def _more(session: Session, fingerprints: pl.Series) -> pl.DataFrame:
    """What else is stored of these findings; columns: MORE."""
    columns = table_of(Finding).c
    wanted = sa.select(*(columns[name] for name in MORE))
    found: list[tuple[Any, ...]] = []
    for start in range(0, fingerprints.len(), CHUNK):
        some = columns.fingerprint.in_(fingerprints[start : start + CHUNK].to_list())
        found += [tuple(row) for row in session.connection().execute(wanted.where(some))]
    return pl.DataFrame(found, schema=MORE, orient="row")


def _apply(session: Session, evaluation: Evaluation, before: pl.DataFrame) -> dict[str, int]:
    """Open, reopen, update and resolve findings; says how many of each."""
    as_of = evaluation.as_of
    found = evaluation.verdict.bare.select("fingerprint", "digest", "application", "account_id")
    fresh = found.join(before, on="fingerprint", how="anti")
    both = found.join(before, on="fingerprint")
    again = both.filter(pl.col("was_status") == "resolved")
    for on, read in _read_at(session, evaluation):
        again = again.join(read, on=on, how="left")
    closed = _more(session, again["fingerprint"]).select("fingerprint", "resolved_at", "resolved_why", "reopened")
    again = again.join(closed, on="fingerprint")
    # A snapshot from before the closure still shows the account active: that is no return.
    since = pl.col("resolved_at") < pl.coalesce(pl.max_horizontal("back_at", "read_at"), pl.lit(as_of))
    again = again.filter(since | pl.col("resolved_why").ne_missing(pl.lit("verified")))
    other = both.filter((pl.col("was_status") != "resolved") & (pl.col("was_digest") != pl.col("digest")))
    # Only what is written gets its words.
    said = evaluation.verdict.worded(pl.concat([table["fingerprint"] for table in (fresh, again, other)]))
    if fresh.height:
        with indexed_together(session):
            put_rows(session, Finding, [_opened(row, as_of) for row in _of(fresh, said)])
    update_rows(session, Finding, "fingerprint", _returned(session, again, said, as_of))
    update_rows(session, Finding, "fingerprint", [_said(row) for row in _of(other, said)])

    absent = before.filter(pl.col("was_status").is_in(LIVE)).join(found, on="fingerprint", how="anti")
    resolved = _resolved(evaluation, _more(session, absent["fingerprint"])) if absent.height else []
    update_rows(
        session,
        Finding,
        "fingerprint",
        [
            {"fingerprint": fingerprint, "status": "resolved", "resolved_at": as_of, "resolved_why": why}
            for fingerprint, why in resolved
        ],
    )
    return {
        "opened": fresh.height,
        "reopened": again.height,
        "updated": other.height,
        "resolved": len(resolved),
        "stayed": absent.height - len(resolved),
    }


def _returned(session: Session, again: pl.DataFrame, said: pl.DataFrame, as_of: datetime) -> list[dict[str, Any]]:
    """Findings that return, as they are written: open, or in remediation where one still waits or runs."""
    anew = {"opened_at": as_of, "resolved_at": None, "resolved_why": None}
    times = dict(again.select("fingerprint", "reopened").iter_rows())
    taken = _under_way(session, again["fingerprint"])
    rows = []
    for row in _of(again, said):
        fingerprint = row["fingerprint"]
        status = "in_remediation" if fingerprint in taken else "open"
        rows.append(_said(row) | anew | {"status": status, "reopened": times[fingerprint] + 1})
    return rows


def _under_way(session: Session, fingerprints: pl.Series) -> set[str]:
    """Those of which a remediation still waits or runs: a second one beside it could open what the other closes."""
    found: set[str] = set()
    for start in range(0, fingerprints.len(), CHUNK):
        some = col(Remediation.finding).in_(fingerprints[start : start + CHUNK].to_list())
        found |= set(session.exec(select(Remediation.finding).where(some, col(Remediation.status).in_(UNDER_WAY))))
    return found


def _read_at(session: Session, evaluation: Evaluation) -> Iterator[tuple[list[str], pl.DataFrame]]:
    """When applications were read, and when single accounts were read back that had been given back since."""
    read = {name: session.get_one(Snapshot, id) for name, id in evaluation.facts.snapshots.items()}
    pulled = [(name, snapshot.pulled_at) for name, snapshot in read.items()]
    back = given_back(session, {name: snapshot.at for name, snapshot in read.items()}, evaluation.as_of)
    text, instant = pl.String(), pl.Datetime("us", "UTC")
    yield ["application"], pl.DataFrame(pulled, orient="row", schema={"application": text, "read_at": instant})
    schema = {"application": text, "account_id": text, "back_at": instant}
    yield ["application", "account_id"], pl.DataFrame([(*key, at) for key, at in back.items()], schema, orient="row")


def _of(findings: pl.DataFrame, said: pl.DataFrame) -> Iterator[dict[str, Any]]:
    return said.join(findings, on="fingerprint", how="semi", maintain_order="left").iter_rows(named=True)


def _said(row: dict[str, Any]) -> dict[str, Any]:
    evidence = row["evidence"]
    # Few facts name the day of leaving; the text of the others need not be read again.
    since = orjson.loads(evidence)["values"].get("owner_ended_at") if '"owner_ended_at"' in evidence else None
    return {
        "fingerprint": row["fingerprint"],
        **{name: row[name] for name in SAID_BY_RUN},
        "evidence": Written(evidence),
        "since_at": _instant(since),
    }


def _instant(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).astimezone(UTC) if text else None


def _opened(row: dict[str, Any], as_of: datetime) -> dict[str, Any]:
    return _said(row) | {
        "rule": row["rule"],
        "status": "open",
        "first_seen": as_of,
        "opened_at": as_of,
        "reopened": 0,
    }


def _resolved(evaluation: Evaluation, absent: pl.DataFrame) -> list[tuple[str, str]]:
    """Which findings that no longer hold are resolved, and why; what could not be judged now stays as it was."""
    read = set(evaluation.facts.snapshots)
    judged = absent.filter(pl.col("application").is_in(read))
    keys = judged.filter(pl.col("account_id").is_not_null()).select("application", "account_id").unique()
    # It is there, and nothing of it could be read since what was known of it was lost.
    blank = nw.col("active").is_null() & (nw.col("last_present_at_s") < nw.col("as_of_s")).fill_null(False)
    wanted = (
        evaluation.estate.accounts.filter(nw.col("account_id").is_in(keys["account_id"].to_list()))
        .select("application", "account_id", "active", blank=blank)
        .collect("polars")
        .to_native()
    )
    now = judged.join(wanted.with_columns(there=pl.lit(True)), on=["application", "account_id"], how="left")
    result: list[tuple[str, str]] = []
    for (name,), rows in now.group_by("rule"):
        keys_of = _subject(rows)
        missing = evaluation.verdict.unjudged(str(name), rows.select("application", "account_id", "identity_id"))
        unjudged = set(missing.select(keys_of).iter_rows()) if missing.height else set()
        for row in rows.iter_rows(named=True):
            on_account = row["account_id"] is not None
            if row["blank"]:
                continue
            if on_account and not row["there"]:
                result.append((row["fingerprint"], "gone"))
            elif on_account and row["active"] is False:
                result.append((row["fingerprint"], "inactive"))
            elif tuple(row[key] for key in keys_of) not in unjudged:
                result.append((row["fingerprint"], "no_longer_true"))
    return result


def _subject(rows: pl.DataFrame) -> list[str]:
    """The columns that say what the findings of one rule are on."""
    if rows["account_id"].null_count() < rows.height:
        return SUBJECT["account"]
    return SUBJECT["identity"] if rows["identity_id"].null_count() < rows.height else SUBJECT["application"]
