"""Who made, changed, closed and reopened accounts: the acts of writers, as events tell them.

A writer is `jit` (the sign-in itself), `scim` (a push), `hand` (a person of the application) or `here` (Leaverwatch).
An act is `made`, `wrote`, `closed` or `opened`. What cannot be laid to a writer for certain is left out; of closings
stays when they were, and their writer is `untold`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import narwhals as nw

from governance.declaration import of_a_person
from governance.provisioning.pushes import (
    ACCOUNT,
    CLOCKS,
    PUSHES,
    Picture,
    aimed,
    at_sign_in,
    empty,
    names,
    owned,
    providers,
    remembered,
    settled,
)

Frame = nw.LazyFrame[Any]
ACTS: Final = {
    "created": "made",
    "updated": "wrote",
    "deactivated": "closed",
    "deleted": "closed",
    "reactivated": "opened",
    "provisioned": "wrote",
    "deprovisioned": "closed",
}
COLUMNS: Final = (*ACCOUNT, "writer", "act", "at_s", "changes")
_ACT: Final = (*ACCOUNT, "kind", "at_s", "changes")
# Programs that push in the name of an identity provider, as the logs of applications call them.
_PROGRAMS: Final = ("scim", "provisioning")


def acts(picture: Picture, now: datetime) -> Frame:
    """Every act that can be laid to a writer: application, account_id, writer, act, at_s, changes.

    `changes`: the attributes it wrote, as governance.records.Event tells them; null where that is not told.
    """
    settings = picture.settings
    called, there = names(settings), providers(settings)
    happened = picture.events.filter(
        nw.col("kind").is_in(list(ACTS)), nw.col("success").fill_null(True), ~nw.col("account_id").is_null()
    )
    told = settled(happened.select(*ACCOUNT, "kind", "actor", "target", "at_s", "changes"))
    if not there and empty(told):  # nor did a sign-in make any
        return told.select(*ACCOUNT, nw.col("kind").alias("writer"), nw.col("kind").alias("act"), "at_s", "changes")
    push = nw.col("kind").is_in(PUSHES)
    here = told.filter(push, ~nw.col("application").is_in(there)).select(*_ACT)
    from_there = _of_accounts(picture, aimed(told.filter(push, nw.col("application").is_in(there)), called))
    by_program = told.filter(~push, _is_program()).select(*_ACT)
    scim = settled(nw.concat([here, from_there, by_program], how="vertical"))
    alone = settled(_alone(told.filter(~push, ~_is_program()), scim))
    young = owned(picture).filter(nw.col("created_at_s") >= remembered(settings, now))
    young = settled(_told_of(picture, young, scim)) if there else young.head(0)
    explained = _explained(told.filter(~push, ~_is_program()), scim)
    born = settled(_born(picture, alone, scim, at_sign_in(picture, called, young)))
    signed = _at_own_sign_in(picture, alone.filter(nw.col("kind").is_in(["updated", "reactivated"])), called)
    others = _by_others(picture, alone).join(born.select(*ACCOUNT, by_sign_in=nw.lit(True)), on=ACCOUNT, how="left")
    others = others.filter(~((nw.col("act") == "made") & nw.col("by_sign_in").fill_null(False))).select(*COLUMNS)
    return nw.concat(
        [
            _laid_to("scim", scim),
            _laid_to("scim", explained),
            born.select(*ACCOUNT, nw.lit("jit").alias("writer"), nw.lit("made").alias("act"), "at_s", _no_changes()),
            _laid_to("jit", signed),
            others,
        ],
        how="vertical",
    )


def _told_of(picture: Picture, young: Frame, scim: Frame) -> Frame:
    """They without those of applications that are pushed to, as the settings say, and of which no push is told.

    Whoever was pushed there and signed in at once would look as if the sign-in had made the account.
    """
    silent = [a.name for a in picture.settings.application if "scim" in a.provisioning]
    told = scim.select("application").unique(["application"]).with_columns(told=nw.lit(True))
    joined = young.join(told, on="application", how="left")
    return joined.filter(~nw.col("application").is_in(silent) | nw.col("told").fill_null(False)).drop("told")


def _is_program() -> nw.Expr:
    actor = nw.col("actor").str.to_lowercase()
    said = nw.lit(False)
    for word in _PROGRAMS:
        said = said | actor.str.contains(word, literal=True)
    return (said & ~nw.col("actor").str.contains("@", literal=True)).fill_null(False)


def _act() -> nw.Expr:
    act = nw.lit(None, nw.String)
    for kind, word in ACTS.items():
        act = nw.when(nw.col("kind") == kind).then(nw.lit(word)).otherwise(act)
    return act


def _laid_to(writer: str, events: Frame) -> Frame:
    return events.select(*ACCOUNT, nw.lit(writer).alias("writer"), _act().alias("act"), "at_s", "changes")


def _no_changes() -> nw.Expr:
    return nw.lit(None, nw.String).alias("changes")


def _of_accounts(picture: Picture, told: Frame) -> Frame:
    """Pushes that an identity provider tells of, on the accounts of the same owner where they were aimed at.

    Of several accounts of one owner, those it knows by an id of its own; where none has one, every one that was there.
    """
    told = settled(told)
    if empty(told):
        return told.select(*_ACT)
    people = picture.accounts.filter(~nw.col("owner_id").is_null())
    people = people.select(*ACCOUNT, "owner_id", "external_id", "created_at_s")
    theirs = told.join(people.select(*ACCOUNT, "owner_id"), on=ACCOUNT, how="inner").select(
        "owner_id", nw.col("aimed").alias("application"), "kind", "at_s", "changes"
    )
    linked = people.with_columns(linked=(~nw.col("external_id").is_null()).cast(nw.Int64))
    several = linked.group_by("application", "owner_id").agg(nw.col("linked").max().alias("some"))
    fitting = linked.join(several, on=["application", "owner_id"], how="inner").filter(
        nw.col("linked") == nw.col("some")
    )
    joined = theirs.join(fitting.select(*ACCOUNT, "owner_id", "created_at_s"), on=["owner_id", "application"])
    there = nw.col("created_at_s").is_null() | (nw.col("created_at_s") <= nw.col("at_s") + CLOCKS)
    return joined.filter(there).select(*_ACT)


def _alone(events: Frame, scim: Frame) -> Frame:
    """Events that no push explains: none of the same account within five minutes."""
    near = scim.select(*ACCOUNT, nw.col("at_s").alias("push_s")).join(
        events.select(*ACCOUNT, "kind", "at_s").unique([*ACCOUNT, "kind", "at_s"]), on=ACCOUNT, how="inner"
    )
    near = near.filter((nw.col("at_s") - nw.col("push_s")).abs() <= CLOCKS).select(*ACCOUNT, "kind", "at_s")
    key = [*ACCOUNT, "kind", "at_s"]
    return events.join(near.unique(key), on=key, how="anti")


def _explained(events: Frame, scim: Frame) -> Frame:
    """What an application tells of which attributes a push changed: within five minutes of it, by nobody it names."""
    written = events.filter(nw.col("kind") == "updated", nw.col("actor").is_null(), ~nw.col("changes").is_null())
    near = written.join(scim.select(*ACCOUNT, push_s=nw.col("at_s")), on=ACCOUNT, how="inner")
    near = near.filter((nw.col("at_s") - nw.col("push_s")).abs() <= CLOCKS).select(*_ACT)
    return near.unique(list(_ACT))


def _born(picture: Picture, alone: Frame, scim: Frame, signed: Frame) -> Frame:
    """Accounts a sign-in made: application, account_id, at_s. One that was pushed before was not made by it."""
    itself = alone.filter(nw.col("kind") == "created", nw.col("actor") == nw.col("account_id")).select(*ACCOUNT, "at_s")
    found = nw.concat([itself, signed.rename({"created_at_s": "at_s"})], how="vertical")
    found = found.group_by(*ACCOUNT).agg(nw.col("at_s").min())
    first = scim.group_by(*ACCOUNT).agg(nw.col("at_s").min().alias("push_s"))
    joined = found.join(first, on=ACCOUNT, how="left")
    return joined.filter(nw.col("push_s").is_null() | (nw.col("push_s") > nw.col("at_s") + CLOCKS)).select(
        *ACCOUNT, "at_s"
    )


def arrivals(picture: Picture, accounts: Frame, called: dict[str, list[str]]) -> Frame:
    """When owners signed in to these accounts (application, account_id): application, account_id, seen_s."""
    accounts = settled(accounts)
    if empty(accounts):
        return accounts.select(*ACCOUNT, nw.lit(None, nw.Int64).alias("seen_s"))
    own = picture.events.filter(nw.col("kind") == "sign_in", nw.col("success").fill_null(True))
    here = own.join(accounts, on=ACCOUNT, how="semi").select(*ACCOUNT, nw.col("at_s").alias("seen_s"))
    people = owned(picture).select(*ACCOUNT, "owner_id")
    wanted = people.join(accounts, on=ACCOUNT, how="semi")
    there = people.filter(nw.col("application").is_in(providers(picture.settings)))
    there = there.join(wanted.select("owner_id").unique(["owner_id"]), on="owner_id", how="semi")
    through = picture.events.filter(nw.col("kind") == "sso", nw.col("success").fill_null(True))
    through = aimed(through.select(*ACCOUNT, "target", "at_s").join(there, on=ACCOUNT, how="inner"), called)
    named = through.select("owner_id", nw.col("aimed").alias("application"), nw.col("at_s").alias("seen_s"))
    named = named.join(wanted, on=["owner_id", "application"], how="inner").select(*ACCOUNT, "seen_s")
    return nw.concat([here, named], how="vertical")


def _at_own_sign_in(picture: Picture, events: Frame, called: dict[str, list[str]]) -> Frame:
    """Changes that an account made to itself within five minutes of its owner's sign-in: an assertion wrote them."""
    itself = events.filter(nw.col("actor") == nw.col("account_id"))
    seen = arrivals(picture, itself.select(*ACCOUNT).unique(ACCOUNT), called)
    near = itself.join(seen, on=ACCOUNT, how="inner").filter((nw.col("at_s") - nw.col("seen_s")).abs() <= CLOCKS)
    return near.select(*_ACT).unique(list(_ACT))


def _by_others(picture: Picture, events: Frame) -> Frame:
    """What somebody else did: a person of the application, Leaverwatch itself, or who is not told.

    What a program did may be a push under a name of its own: of that only closings are kept, laid to nobody.
    """
    if empty(events):
        return events.select(*ACCOUNT, nw.lit("").alias("writer"), nw.lit("").alias("act"), "at_s", "changes").head(0)
    people = picture.accounts.filter(of_a_person()).select("application", nw.col("account_id").alias("actor"))
    called = picture.accounts.filter(of_a_person(), ~nw.col("username").is_null()).select(
        "application", nw.col("username").alias("actor")
    )
    everybody = nw.concat([people, called], how="vertical").unique(["application", "actor"])
    others = events.filter((nw.col("actor") != nw.col("account_id")).fill_null(True))
    joined = others.join(everybody.with_columns(known=nw.lit(True)), on=["application", "actor"], how="left")
    by_person = nw.when(nw.col("known").fill_null(False)).then(nw.lit("hand")).otherwise(nw.lit("untold"))
    writer = nw.when(_own(picture)).then(nw.lit("here")).otherwise(by_person)
    laid = joined.select(*ACCOUNT, writer.alias("writer"), _act().alias("act"), "at_s", "changes")
    return laid.filter((nw.col("writer") != "untold") | (nw.col("act") == "closed"))


def _own(picture: Picture) -> nw.Expr:
    """Whether an event was done by the account that Leaverwatch itself acts with."""
    mine = nw.lit(False)
    for application in picture.settings.application:
        if application.own_account:
            here = nw.col("application") == application.name
            mine = mine | (here & (nw.col("actor") == application.own_account))
    return mine.fill_null(False)
