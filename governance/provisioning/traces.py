"""What logs say of how accounts came to be: the applications' own, and those of identity providers.

Narwhals over lazy frames, of either engine. Events are looked at only for accounts that were made within the reach of
the logs, so what it costs follows from how many those are.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import narwhals as nw

from governance.provisioning.pushes import providers as providers
from governance.provisioning.window import NEAR
from governance.records import NON_HUMAN_KINDS
from governance.settings import Settings

Frame = nw.LazyFrame[Any]
ACCOUNT: Final = ["application", "account_id"]
_OWN_CLOCK: Final = 300  # seconds between when an application says it made an account and the entry in its log


def reach(events: Frame) -> dict[str, int]:
    """How far back each log reaches that was read: application -> epoch seconds of its oldest event."""
    rows = events.group_by("application").agg(nw.col("at_s").min()).collect("polars").iter_rows()
    return {str(application): int(at) for application, at in rows if at is not None}


def since(oldest: Mapping[str, int], settings: Settings) -> nw.Expr:
    """From when on (epoch seconds) logs speak of the application in a row: its own, or the identity providers'."""
    theirs = [oldest[name] for name in providers(settings) if name in oldest]
    default = min(theirs, default=None)
    found: nw.Expr = nw.lit(default, nw.Int64)
    for name, at in sorted(oldest.items()):
        if default is None or at < default:
            found = nw.when(nw.col("application") == name).then(nw.lit(at)).otherwise(found)
    return found


def aims(events: Frame, settings: Settings) -> nw.Expr:
    """The application that the target of an event is; null where it is none of those that are known here.

    By name: what the application is called here, its title, or one of its `known_as`; case does not count. Folded here
    and not in columns, because targets are few and events are many.
    """
    called: dict[str, str] = {}
    for a in settings.application:
        called |= {text.strip().lower(): a.name for text in (a.name, a.label, *a.known_as)}
    rows = events.select("target").unique(["target"]).collect("polars").iter_rows()
    targets: dict[str, list[str]] = {}
    for (target,) in rows:
        if target is not None and (name := called.get(str(target).strip().lower())):
            targets.setdefault(name, []).append(str(target))
    found: nw.Expr = nw.lit(None, nw.String)
    for name, written in sorted(targets.items()):
        found = nw.when(nw.col("target").is_in(sorted(written))).then(nw.lit(name)).otherwise(found)
    return found


def makings(events: Frame, settings: Settings) -> Frame:
    """What applications say of accounts of their own that were made or pushed: one row an event that went well.

    application, account_id, at_s, kind, actor, event_id. A push that aims elsewhere is one of an identity provider.
    """
    elsewhere = nw.col("application").is_in(providers(settings)) & ~nw.col("target").is_null()
    return events.filter(
        nw.col("kind").is_in(["created", "provisioned"]),
        nw.col("success").fill_null(True),
        ~nw.col("account_id").is_null(),
        (nw.col("kind") == "created") | ~elsewhere.fill_null(False),
    ).select(*ACCOUNT, "at_s", "kind", "actor", "event_id")


def young(accounts: Frame, made: Frame, told_since: nw.Expr) -> Frame:
    """The accounts that the logs can speak of: made since then, or an event of whose making is all that is told.

    `accounts` and the result: application, account_id, created_at_s and whatever else.
    """
    lately = accounts.filter(nw.col("created_at_s") >= told_since - NEAR)
    untold = accounts.filter(nw.col("created_at_s").is_null()).join(made.select(*ACCOUNT), on=ACCOUNT, how="semi")
    return nw.concat([lately, untold], how="vertical")


def told_by_itself(accounts: Frame, made: Frame) -> Frame:
    """The young accounts with what their own application says of their making.

    Adds made_s, made_event and maker (of the entry that it was made; the maker is null where that is not told), push_s
    and push_event (of a push), and born_s: when the account came to be, by its own word or that of the entry.
    """
    here = accounts.select(*ACCOUNT, "created_at_s").join(made, on=ACCOUNT, how="inner")
    apart = (nw.col("at_s") - nw.col("created_at_s")).abs()
    here = here.filter(nw.col("created_at_s").is_null() | (apart <= _OWN_CLOCK))
    of_making, of_push = nw.col("kind") == "created", nw.col("kind") == "provisioned"
    columns = {
        "made_s": nw.when(of_making).then(nw.col("at_s")),
        "made_event": nw.when(of_making).then(nw.col("event_id")),
        "maker": nw.when(of_making).then(nw.col("actor")),
        "push_s": nw.when(of_push).then(nw.col("at_s")),
        "push_event": nw.when(of_push).then(nw.col("event_id")),
    }
    told = here.with_columns(**columns).group_by(*ACCOUNT).agg(nw.col(name).min() for name in columns)
    joined = accounts.join(told, on=ACCOUNT, how="left")
    return joined.with_columns(born_s=nw.coalesce("created_at_s", "made_s", "push_s"))


def heard(events: Frame, settings: Settings) -> Frame:
    """Sign-ons and pushes in the logs of identity providers that are to, or into, an application known here.

    provider, subject (the account there), application, at_s, kind (sso or provisioned), event_id. One provider may fill
    another; what is aimed at the provider itself is nothing of the kind.
    """
    said = events.filter(
        nw.col("kind").is_in(["sso", "provisioned"]),
        nw.col("application").is_in(providers(settings)),
        nw.col("success").fill_null(True),
        ~nw.col("target").is_null(),
    )
    aimed = aims(said, settings)
    return said.select(
        "at_s",
        "kind",
        "event_id",
        nw.col("application").alias("provider"),
        nw.col("account_id").alias("subject"),
        aimed.alias("application"),
    ).filter(~nw.col("application").is_null(), nw.col("application") != nw.col("provider"))


def near_makings(accounts: Frame, own: Frame, said: Frame) -> Frame:
    """What was heard of the owners of these accounts, in the application of each and near to when it was made.

    `accounts`: owner_id, born_s. `own`: the accounts there are at identity providers, with owner_id. Adds to `heard`,
    but for event_id: account_id, born_s, delta (seconds from the event to the making). A making that is told to the
    quarter of an hour, as a bare date is, is near to no sign-on.
    """
    made = accounts.filter(~nw.col("owner_id").is_null(), ~nw.col("born_s").is_null())
    theirs = own.filter(~nw.col("owner_id").is_null()).select(
        "owner_id", nw.col("application").alias("provider"), nw.col("account_id").alias("subject")
    )
    pairs = made.select(*ACCOUNT, "owner_id", "born_s").join(theirs, on="owner_id", how="inner").drop("owner_id")
    met = said.drop("event_id").join(pairs, on=["subject", "application", "provider"], how="inner")
    met = met.with_columns(delta=nw.col("born_s") - nw.col("at_s"))
    dated = (nw.col("kind") == "provisioned") | (nw.col("born_s") % 900 != 0)
    return met.filter(nw.col("delta").abs() <= NEAR, dated)


def with_first(near: Frame, said: Frame) -> Frame:
    """Adds event_id, and first_s: when the subject was first heard to sign on to the application.

    Most of what was heard is of others, and its ids need not be read.
    """
    key = ["subject", "application", "provider"]
    of_them = said.join(near.select(*key).unique(key), on=key, how="semi")
    first = of_them.filter(nw.col("kind") == "sso").group_by(*key).agg(nw.col("at_s").min().alias("first_s"))
    event = of_them.group_by(*key, "kind", "at_s").agg(nw.col("event_id").min())
    return near.join(first, on=key, how="left").join(event, on=[*key, "kind", "at_s"], how="left")


def by_people(accounts: Frame, makers: Frame) -> Frame:
    """Which makers are people with an account of their own there: application, maker. Named by id or by e-mail.

    `makers`: application, maker. An account of a program, as its application tells, is nobody's.
    """
    wanted = makers.unique(["application", "maker"]).with_columns(maker_key=nw.col("maker").str.to_lowercase())
    program = nw.col("kind").is_in(list(NON_HUMAN_KINDS)).fill_null(False)
    people = accounts.filter(~program)
    by_id = wanted.join(people.select("application", nw.col("account_id").alias("maker")), on=["application", "maker"])
    by_address = wanted.join(
        people.select("application", nw.col("email_key").alias("maker_key")), on=["application", "maker_key"]
    )
    both = nw.concat([by_id.select("application", "maker"), by_address.select("application", "maker")], how="vertical")
    return both.unique(["application", "maker"])
