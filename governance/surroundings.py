"""What stands around an account: who answers for it, who manages its owner, and what the identity provider says.

Pure narwhals over lazy frames, as correlation is.
"""

from __future__ import annotations

from typing import Any, Final

import narwhals as nw

from governance.settings import Settings

Frame = nw.LazyFrame[Any]
ASSIGNS: Final = "application"  # the kind of an entitlement of an identity provider that opens another application


def with_people_around(accounts: Frame, identities: Frame) -> Frame:
    """Adds responsible_id, _name, _state, _ended_at(_s) of who answers for the account, and owner_manager_name, _state.

    `responsible` is what the application says: an employee id, an identity id or an e-mail. One that leads to nobody,
    or to several, leaves responsible_id empty.
    """
    about = ("display_name", "state", "ended_at", "ended_at_s")
    by_number = identities.select("identity_id", *about, key=nw.col("employee_id").str.to_lowercase())
    by_id = identities.select("identity_id", *about, key=nw.col("identity_id").str.to_lowercase())
    by_address = identities.select("identity_id", *about, key=nw.col("email_key"))
    keys = nw.concat([by_number, by_id, by_address], how="vertical").filter(~nw.col("key").is_null())
    unique = keys.group_by("key").agg(
        nw.col("identity_id").n_unique().alias("holders"), nw.col("identity_id").min().alias("responsible_id")
    )
    named = unique.filter(nw.col("holders") == 1).select(nw.col("key").alias("responsible_key"), "responsible_id")
    person = identities.select(
        nw.col("identity_id").alias("responsible_id"),
        nw.col("display_name").alias("responsible_name"),
        nw.col("state").alias("responsible_state"),
        nw.col("ended_at").alias("responsible_ended_at"),
        nw.col("ended_at_s").alias("responsible_ended_at_s"),
    )
    managing = identities.select(
        nw.col("identity_id").alias("owner_manager_id"),
        nw.col("display_name").alias("owner_manager_name"),
        nw.col("state").alias("owner_manager_state"),
    )
    return (
        accounts.with_columns(responsible_key=nw.col("responsible").str.strip_chars().str.to_lowercase())
        .join(named, on="responsible_key", how="left")
        .drop("responsible_key")
        .join(person, on="responsible_id", how="left")
        .join(managing, on="owner_manager_id", how="left")
    )


def with_sign_on(accounts: Frame, entitlements: Frame, grants: Frame, settings: Settings) -> Frame:
    """Adds what the identity providers say of the owner: sign_on_accounts, sign_on_active and sign_on_assigned.

    sign_on_accounts (Int64): how many accounts the owner has in identity providers; null where none was read or there
    is no owner. sign_on_active: whether one of them is active; null when that is not told. sign_on_assigned: whether
    one of them holds the assignment of this application; null where no identity provider knows this application.
    """
    providers = [a.name for a in settings.application if a.identity_provider]
    there = nw.col("application").is_in(providers)
    if not providers:
        return accounts.with_columns(
            sign_on_accounts=nw.lit(None).cast(nw.Int64),
            sign_on_active=nw.lit(None).cast(nw.Boolean),
            sign_on_assigned=nw.lit(None).cast(nw.Boolean),
        )
    own = accounts.filter(there, nw.col("present"), ~nw.col("owner_id").is_null())
    of_owner = own.group_by("owner_id").agg(
        nw.len().cast(nw.Int64).alias("sign_on_counted"),
        nw.col("active").cast(nw.Int64).max().alias("sign_on_any"),
        nw.col("active").is_null().cast(nw.Int64).max().alias("sign_on_untold"),
    )
    known = _known_as(entitlements.filter(there, nw.col("kind") == ASSIGNS), settings)
    held = (
        grants.filter(there)
        .select("application", "account_id", "entitlement_id")
        .join(known, on=["application", "entitlement_id"], how="inner")
        .join(own.select("application", "account_id", "owner_id"), on=["application", "account_id"], how="inner")
        .select("owner_id", nw.col("opens").alias("application"))
        .unique(["owner_id", "application"])
        .with_columns(sign_on_held=nw.lit(True))
    )
    opened = known.select(nw.col("opens").alias("application")).unique(["application"])
    opened = opened.with_columns(sign_on_opens=nw.lit(True))
    owned = ~nw.col("owner_id").is_null()
    joined = (
        accounts.join(of_owner, on="owner_id", how="left")
        .join(held, on=["owner_id", "application"], how="left")
        .join(opened, on="application", how="left")
    )
    active = nw.when(nw.col("sign_on_any") == 1).then(nw.lit(True))
    return joined.with_columns(
        sign_on_accounts=nw.when(owned).then(nw.col("sign_on_counted").fill_null(0)),
        sign_on_active=active.otherwise(
            nw.when((nw.col("sign_on_any") == 0) & (nw.col("sign_on_untold") == 0)).then(nw.lit(False))
        ),
        sign_on_assigned=nw.when(owned & nw.col("sign_on_opens")).then(nw.col("sign_on_held").fill_null(False)),
    ).drop("sign_on_counted", "sign_on_any", "sign_on_untold", "sign_on_held", "sign_on_opens")


def _known_as(assignments: Frame, settings: Settings) -> Frame:
    """application, entitlement_id, opens: which assignment of an identity provider opens which application here.

    By name: what the application is called here, its title, or one of its `known_as`; case does not count.
    """
    opens = nw.lit(None, nw.String)
    name = nw.col("name").str.strip_chars().str.to_lowercase()
    for application in settings.application:
        if not application.identity_provider:
            names = {application.name, application.label, *application.known_as}
            fits = name.is_in(sorted(text.strip().lower() for text in names))
            opens = nw.when(fits).then(nw.lit(application.name)).otherwise(opens)
    return (
        assignments.with_columns(opens=opens)
        .filter(~nw.col("opens").is_null())
        .select("application", "entitlement_id", "opens")
    )
