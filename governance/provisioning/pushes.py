"""Who was pushed to an application and who came in by a sign-in, as its own events and its identity provider tell."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final, Protocol

import narwhals as nw

from governance.declaration import CLOCKS_DIFFER_BY, epoch, surely_came
from governance.settings import Settings

Frame = nw.LazyFrame[Any]
ACCOUNT: Final = ["application", "account_id"]
CLOCKS: Final = int(CLOCKS_DIFFER_BY.total_seconds())
PUSHES: Final = ("provisioned", "deprovisioned")


class Picture(Protocol):
    """What is asked of an estate (governance.estate.Estate) here; frames as there."""

    @property
    def accounts(self) -> Frame:
        """The accounts that are there, with their owners."""

    @property
    def vanished_accounts(self) -> Frame:
        """The accounts that were there."""

    @property
    def events(self) -> Frame:
        """What happened, as far back as events are kept."""

    @property
    def settings(self) -> Settings:
        """The settings, with `identity_provider` of every application decided."""


def providers(settings: Settings) -> list[str]:
    """The applications that people sign in to for reaching others."""
    return [a.name for a in settings.application if a.identity_provider]


def names(settings: Settings) -> dict[str, list[str]]:
    """What identity providers may call each application, folded."""
    return {
        a.name: sorted({text.strip().lower() for text in (a.name, a.label, *a.known_as)})
        for a in settings.application
        if not a.identity_provider
    }


def aimed(events: Frame, called: dict[str, list[str]]) -> Frame:
    """Events of identity providers with the application they are about as `aimed`; those about none are left out."""
    target, about = nw.col("target").str.strip_chars().str.to_lowercase(), nw.lit(None, nw.String)
    for application, texts in called.items():
        about = nw.when(target.is_in(texts)).then(nw.lit(application)).otherwise(about)
    return events.with_columns(aimed=about).filter(~nw.col("aimed").is_null())


def owned(picture: Picture) -> Frame:
    """The accounts that have an owner: application, account_id, owner_id, created_at_s."""
    return picture.accounts.filter(~nw.col("owner_id").is_null()).select(*ACCOUNT, "owner_id", "created_at_s")


def pushed(picture: Picture, called: dict[str, list[str]]) -> Frame:
    """The accounts that were pushed, as the application or an identity provider says: application, account_id."""
    told = picture.events.filter(
        nw.col("kind").is_in(PUSHES), nw.col("success").fill_null(True), ~nw.col("account_id").is_null()
    ).select(*ACCOUNT, "target")
    there = providers(picture.settings)
    here = told.filter(~nw.col("application").is_in(there)).select(*ACCOUNT)
    from_there = aimed(told.filter(nw.col("application").is_in(there)), called)
    owners = owned(picture)
    by_owner = (
        from_there.join(owners.select(*ACCOUNT, "owner_id"), on=ACCOUNT, how="inner")
        .select("owner_id", nw.col("aimed").alias("application"))
        .unique(["owner_id", "application"])
        .join(owners.select(*ACCOUNT, "owner_id"), on=["owner_id", "application"], how="inner")
        .select(*ACCOUNT)
    )
    return nw.concat([here, by_owner], how="vertical").unique(ACCOUNT)


def settled(frame: Frame) -> Frame:
    """The same rows, computed once where this process computes them: many questions are asked of few of them.

    A cluster plans everything as a whole.
    """
    return frame.collect("polars").lazy() if frame.implementation.is_polars() else frame


def empty(frame: Frame) -> bool:
    """Whether a settled frame is known to hold nothing; a cluster is not asked."""
    return frame.implementation.is_polars() and not len(frame.head(1).collect("polars"))


def at_sign_in(picture: Picture, called: dict[str, list[str]], young: Frame) -> Frame:
    """Of young accounts (application, account_id, owner_id, created_at_s) those made at their owner's single sign-on.

    At means within five minutes: the clocks of two systems differ.
    """
    there = providers(picture.settings)
    if not there or empty(young):
        return young.select(*ACCOUNT, "created_at_s").head(0)
    theirs = owned(picture).filter(nw.col("application").is_in(there)).select(*ACCOUNT, "owner_id")
    theirs = theirs.join(young.select("owner_id").unique(["owner_id"]), on="owner_id", how="semi")
    through = picture.events.filter(
        nw.col("kind") == "sso", nw.col("application").is_in(there), nw.col("success").fill_null(True)
    ).select(*ACCOUNT, "target", "at_s")
    signed = aimed(through.join(theirs, on=ACCOUNT, how="inner"), called)
    return (
        young.join(
            signed.select("owner_id", "at_s", nw.col("aimed").alias("application")),
            on=["owner_id", "application"],
            how="inner",
        )
        .filter((nw.col("at_s") - nw.col("created_at_s")).abs() <= CLOCKS)
        .select(*ACCOUNT, "created_at_s")
        .unique(ACCOUNT)
    )


def born(picture: Picture, called: dict[str, list[str]], by_push: Frame, now: datetime) -> Frame:
    """The accounts that a sign-in made and nobody pushed, where others were pushed: application, account_id."""
    made = picture.events.filter(nw.col("kind") == "created", nw.col("success").fill_null(True))
    by_itself = made.filter(nw.col("actor") == nw.col("account_id")).select(*ACCOUNT)
    # Of the older accounts no event is kept; without a push there is no conflict to look for.
    young = (
        owned(picture)
        .filter(nw.col("created_at_s") >= remembered(picture.settings, now))
        .join(by_push.select("application").unique(["application"]), on="application", how="semi")
        .join(by_push, on=ACCOUNT, how="anti")
    )
    signed = at_sign_in(picture, called, young).select(*ACCOUNT)
    known = picture.accounts.filter(surely_came("jit")).select(*ACCOUNT)
    found = nw.concat([by_itself, signed, known], how="vertical").unique(ACCOUNT)
    return found.join(by_push, on=ACCOUNT, how="anti")


def remembered(settings: Settings, now: datetime) -> int:
    """Since when events are kept, in seconds since 1970: of what happened before none tells."""
    return epoch(now - timedelta(days=settings.snapshots.event_days)) - CLOCKS
