"""Whose is each account: match keys, and the ladder that tries them from strong to weak.

Pure narwhals over lazy frames: the same functions run on Polars and on Spark. Keys are text columns made when a
snapshot is written (`fold`, `skeleton`), because neither engine folds Unicode.
"""

from __future__ import annotations

import functools
import re
import unicodedata
from collections.abc import Mapping
from typing import Any, Final

import narwhals as nw

from governance.settings import Domain

Frame = nw.LazyFrame[Any]

_GIVEN_ON: Final = ("email", "alias", "former_email")  # what one person had may be another's later; a number is not
MOST_CANDIDATES: Final = 5
# What of an account is looked up in each table, in the order in which it is tried: a pin goes before all of them, and a
# name is none, as it only suggests.
_RUNGS: Final = (
    ("external_id", "external_id"),
    ("employee_id", "employee_id"),
    ("email", "email_key"),
    ("alias", "email_key"),
    ("alias", "login_key"),
    ("former_email", "email_key"),
)
_SUGGESTING: Final = ("email_skeleton", "name_key")
# For each lookup, which keys of accounts are looked up in it, and which keys of people it is made of: any of them.
ASKED: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "external_id": (("external_id",), ("identity_id",)),
    "employee_id": (("employee_id",), ("employee_id",)),
    "email": (("email_key",), ("email_key",)),
    "alias": (("email_key", "login_key"), ("alias_keys",)),
    "former_email": (("email_key",), ("former_email_keys",)),
    "shared": (("email_key",), ("email_key", "former_email_keys")),
    **{name: ((name,), (name,)) for name in _SUGGESTING},
}
# What NFC alone would turn into ASCII: Greek question mark, Greek varia, KELVIN SIGN.
_COMPOSED_TO_ASCII: Final = re.compile("([\u037e\u1fef\u212a])")


def fold(text: str | None) -> str | None:
    """A match key: case and surrounding space do not count, everything else does.

    Characters that only look like ASCII (KELVIN SIGN, LONG S, full-width letters, İ) stay as they are, so that a
    look-alike address never equals a real one. Source: Unicode TR39, and FAULTS.md section 3.
    """
    if text is None:
        return None
    stripped = text.strip()
    if not stripped:
        return None
    if stripped.isascii():
        return stripped.lower()
    parts = _COMPOSED_TO_ASCII.split(stripped)
    composed = "".join(p if _COMPOSED_TO_ASCII.fullmatch(p) else unicodedata.normalize("NFC", p) for p in parts)
    return "".join(map(_fold_character, composed))


@functools.lru_cache(maxsize=4096)
def _fold_character(character: str) -> str:
    if character.isascii():
        return character.lower()
    folded = character.lower()
    return character if any(c.isascii() for c in folded) else folded


def skeleton(text: str | None) -> str | None:
    """What a key looks like to a reader: every look-alike character replaced by the Latin one (Unicode TR39)."""
    key = fold(text)
    if key is None or key.isascii():
        return key
    return "".join(_look_alike(c) for c in unicodedata.normalize("NFKC", key)).lower()


@functools.lru_cache(maxsize=4096)
def _look_alike(character: str) -> str:
    if character.isascii():
        return character
    from confusable_homoglyphs import confusables

    found = confusables.is_confusable(character, greedy=True, preferred_aliases=["latin"])
    if not found:
        return character
    latin = [glyph["c"] for glyph in found[0]["homoglyphs"] if glyph["c"].isascii()]
    return latin[0] if latin else character


def addressed(frame: Frame, domains: tuple[Domain, ...]) -> Frame:
    """The frame with the addresses among its keys brought to one form a mailbox, as the `[[domain]]` settings say."""
    if not domains:
        return frame
    there = frame.collect_schema().names()
    return frame.with_columns(_one_form(nw.col(name), domains).alias(name) for name in _ADDRESSES if name in there)


_ADDRESSES: Final = ("email_key", "login_key", "alias_keys", "former_email_keys")


def _one_form(keys: nw.Expr, domains: tuple[Domain, ...]) -> nw.Expr:
    """One key or several, joined by `;`: each that ends in such a domain in the form that stands for its mailbox."""
    for domain in domains:
        name = domain.name.lower()
        for other in domain.same_as:
            keys = keys.str.replace_all(f"@{re.escape(other.lower())}(;|$)", f"@{name}$1")
        if domain.plus == "tag":
            keys = keys.str.replace_all(rf"\+[^@;]*@{re.escape(name)}(;|$)", f"@{name}$1")
    return keys


def lookups(identities: Frame, known_as: str = "identity_id") -> dict[str, Frame]:
    """The tables that keys of accounts are looked up in; they follow from people alone.

    `identities` needs the keys that snapshots write and state, present, hire_at_s, ended_at_s. `known_as`: the column
    with the identity_id in its own source, where `identity_id` is that of the person.
    """
    gone = nw.col("state").is_in(["ended", "missing"]).fill_null(False) | ~nw.col("present").fill_null(True)
    identities = identities.with_columns(past=gone.cast(nw.Int64))
    span, past = ("identity_id", "hire_at_s", "ended_at_s", "past", "readdressed_at_s"), nw.col("past").max()
    by_number = identities.select(*span, key=nw.col("employee_id"))
    by_either = nw.concat([by_number, identities.select(*span, key=nw.col(known_as))], how="vertical")
    now_held = identities.select(*span, key=nw.col("email_key")).with_columns(current=nw.lit(1))
    once_held = _exploded(identities, "former_email_keys").with_columns(
        past=nw.lit(1).cast(nw.Int64), current=nw.lit(0)
    )
    held = nw.concat([now_held, once_held], how="vertical")
    addresses = _holders_by_key(held, nw.col("current").max(), past, given_up_s=nw.col("readdressed_at_s").max())
    looks = {name: identities.select(*span, key=nw.col(name)) for name in _SUGGESTING}
    return {
        "external_id": _holders_by_key(by_either),
        "employee_id": _holders_by_key(by_number),
        "email": addresses.filter(nw.col("current") == 1).drop("current"),
        "alias": _holders_by_key(_exploded(identities, "alias_keys"), past),
        "former_email": addresses.filter(nw.col("current") == 0).drop("current"),
        "shared": _shared(held),
        **{name: _holders_by_key(rows) for name, rows in looks.items()},
    }


def owners(accounts: Frame, tables: Mapping[str, Frame]) -> Frame:
    """The accounts with their owner: adds owner_id, match, match_key, candidates and address_holders.

    `accounts` needs the keys that snapshots write and created_at_s; `tables` are the lookups, as many of them as can
    match anything (ASKED), and `pins`: application, account_id, pinned_id. `candidates` is `;`-joined identity_ids: of
    an ambiguous match all it could be (at most five), of an unmatched account whom its name or its looks suggest.
    Memory counts: an address that two people ever held binds an account only to the one who worked here when the
    account was created, and one that somebody gave up binds none that was created after that. Adds address_holders
    too: everybody who holds or held its address or alias, where they are several and one of them gave it up, left or
    vanished.
    """
    rungs = [(rung, column) for rung, column in _RUNGS if rung in tables]
    if "pins" in tables:
        result = accounts.join(tables["pins"], on=["application", "account_id"], how="left")
    else:
        result = accounts.with_columns(pinned_id=nw.lit(None, nw.String))
    for place, (rung, column) in enumerate(rungs):
        answer = (nw.col(name).alias(f"{name}_{place}") for name in _answer(rung))
        table = tables[rung].select(nw.col("key").alias(column), *answer)
        result = result.join(table, on=column, how="left")
    if "shared" in tables:
        decided = _decided_by_validity(accounts, tables["shared"])
        result = result.join(decided, on=["application", "account_id"], how="left")
    else:
        result = result.with_columns(decided_id=nw.lit(None, nw.String))
    return _suggested(_first_rung(result, [rung for rung, _ in rungs]), tables)


def _answer(rung: str) -> tuple[str, ...]:
    """What a rung tells of a key; of what can be given on, also whether one of its holders gave it up or left.

    Of a former address also when it was given up at the latest.
    """
    given_on = ("past",) if rung in _GIVEN_ON else ()
    return ("holders", "first", "everybody", *given_on, *(("given_up_s",) if rung == "former_email" else ()))


def _exploded(identities: Frame, column: str) -> Frame:
    """One row for each key in a `;`-joined column."""
    told = identities.filter(~nw.col(column).is_null())
    spans = told.select(
        *("identity_id", "hire_at_s", "ended_at_s", "past", "readdressed_at_s"), key=nw.col(column).str.split(";")
    )
    return spans.explode("key")


def _holders_by_key(rows: Frame, *more: nw.Expr, **named: nw.Expr) -> Frame:
    """For each key: how many identities hold it, the first of them, and everybody where they are several."""
    held = rows.filter(~nw.col("key").is_null())
    single = held.group_by("key").agg(
        nw.col("identity_id").n_unique().alias("holders"), nw.col("identity_id").min().alias("first"), *more, **named
    )
    shared = held.join(single.filter(nw.col("holders") > 1).select("key"), on="key", how="semi")
    numbered = (
        shared.select("key", "identity_id")
        .unique(["key", "identity_id"])
        .with_columns(one=nw.lit(1))
        .with_columns(place=nw.col("one").cum_sum().over("key", order_by="identity_id"))
    )
    places = [f"place_{number}" for number in range(1, MOST_CANDIDATES + 1)]
    spread = numbered.select(
        "key",
        *(
            nw.when(nw.col("place") == number).then(nw.col("identity_id")).alias(name)
            for number, name in enumerate(places, start=1)
        ),
    )
    together = spread.group_by("key").agg(*(nw.col(name).max() for name in places))
    everybody = together.select("key", nw.concat_str(*places, separator=";", ignore_nulls=True).alias("everybody"))
    return single.join(everybody, on="key", how="left")


def _shared(held: Frame) -> Frame:
    """Addresses that several people ever held, with all of these people."""
    keys = held.filter(~nw.col("key").is_null()).group_by("key").agg(nw.col("identity_id").n_unique().alias("holders"))
    return held.join(keys.filter(nw.col("holders") > 1).select("key"), on="key", how="semi")


def _decided_by_validity(accounts: Frame, shared: Frame) -> Frame:
    """Of addresses that several people held: the accounts created while exactly one of them worked here."""
    dated = accounts.filter(~nw.col("created_at_s").is_null()).select(
        "application", "account_id", "created_at_s", key=nw.col("email_key")
    )
    began = ~nw.col("hire_at_s").is_null() & (nw.col("hire_at_s") <= nw.col("created_at_s"))
    lasted = nw.col("ended_at_s").is_null() | (nw.col("ended_at_s") > nw.col("created_at_s"))
    fitting = dated.join(shared, on="key", how="inner").filter(began & lasted)
    counted = fitting.group_by("application", "account_id").agg(
        nw.col("identity_id").n_unique().alias("fitting"), nw.col("identity_id").min().alias("decided_id")
    )
    return counted.filter(nw.col("fitting") == 1).drop("fitting")


def _first_rung(joined: Frame, rungs: list[str]) -> Frame:
    """Keep what the strongest rung with an answer says."""
    owner, key, everybody = nw.lit(None, nw.String), nw.lit(None, nw.String), nw.lit(None, nw.String)
    for place in reversed(range(len(rungs))):
        answered = ~nw.col(f"holders_{place}").is_null()
        of_several = nw.col("decided_id") if rungs[place] == "email" else nw.lit(None, nw.String)
        single, possible = nw.col(f"holders_{place}") == 1, nw.col(f"everybody_{place}")
        if rungs[place] == "former_email":  # made after it was given up: for whoever has it now, if anybody knows whom
            later = (nw.col("created_at_s") > nw.col(f"given_up_s_{place}")).fill_null(False)
            possible = nw.when(single & later).then(nw.col(f"first_{place}")).otherwise(possible)
            single = single & ~later
        only = nw.when(single).then(nw.col(f"first_{place}")).otherwise(of_several)
        owner = nw.when(answered).then(only).otherwise(owner)
        key = nw.when(answered).then(nw.lit(rungs[place])).otherwise(key)
        everybody = nw.when(answered).then(possible).otherwise(everybody)
    pinned = ~nw.col("pinned_id").is_null()
    chosen = joined.with_columns(
        owner_id=nw.when(pinned).then(nw.col("pinned_id")).otherwise(owner),
        match_key=nw.when(pinned).then(nw.lit("pinned")).otherwise(key),
        candidates=nw.when(pinned).then(nw.lit(None, nw.String)).otherwise(everybody),
        address_holders=nw.coalesce(
            nw.lit(None, nw.String),
            *(
                nw.when((nw.col(f"holders_{place}") > 1) & (nw.col(f"past_{place}") == 1)).then(
                    nw.col(f"everybody_{place}")
                )
                for place, rung in enumerate(rungs)
                if rung in _GIVEN_ON
            ),
        ),
    )
    spent = [f"{name}_{place}" for place, rung in enumerate(rungs) for name in _answer(rung)]
    return chosen.with_columns(
        match=nw.when(pinned)
        .then(nw.lit("pinned"))
        .otherwise(
            nw.when(~nw.col("owner_id").is_null())
            .then(nw.lit("matched"))
            .otherwise(nw.when(~nw.col("match_key").is_null()).then(nw.lit("ambiguous")).otherwise(nw.lit("unmatched")))
        )
    ).drop(*spent, "pinned_id", "decided_id")


def _suggested(matched: Frame, tables: Mapping[str, Frame]) -> Frame:
    """Name and looks only suggest: candidates for accounts that no rung matched."""
    unmatched = nw.col("match") == "unmatched"
    result, suggested = matched, []
    for column in (name for name in _SUGGESTING if name in tables):
        suggestion = tables[column].select(
            nw.col("key").alias(f"by_{column}"),
            nw.when(nw.col("holders") == 1)
            .then(nw.col("first"))
            .otherwise(nw.col("everybody"))
            .alias(f"suggested_{column}"),
        )
        result = result.with_columns(
            nw.when(unmatched).then(nw.col(column)).otherwise(nw.lit(None, nw.String)).alias(f"by_{column}")
        ).join(suggestion, on=f"by_{column}", how="left")
        suggested.append(column)
    either = nw.coalesce(nw.lit(None, nw.String), *(f"suggested_{column}" for column in suggested))
    return result.with_columns(candidates=nw.when(unmatched).then(either).otherwise(nw.col("candidates"))).drop(
        *(f"{word}_{column}" for column in suggested for word in ("by", "suggested"))
    )
