"""What stands around an account: who answers for it, who manages its owner, and what the identity provider says.

Pure narwhals over lazy frames, as correlation is.
"""

from __future__ import annotations

from typing import Any, Final

import narwhals as nw

from governance.provisioning.pushes import providers as providers
from governance.settings import Settings

Frame = nw.LazyFrame[Any]
ASSIGNS: Final = "application"  # the kind of an entitlement of an identity provider that opens another application


_OF_RESPONSIBLE: Final = {
    **dict.fromkeys(("responsible_id", "responsible_name", "responsible_state"), nw.String()),
    "responsible_ended_at": nw.Datetime("us", "UTC"),
    "responsible_ended_at_s": nw.Int64(),
}
_RESPONSIBLE_KEY: Final = nw.col("responsible").str.strip_chars().str.to_lowercase()


def responsible(people: Frame, accounts: Frame, identities: Frame, known_as: str = "identity_id") -> Frame:
    """Whom a word of an application about who answers for an account leads to: responsible_key, _id, _name, _state, …

    The word may be an employee id, an identity id or an e-mail: of any of the `identities`, each with the identity_id
    of its person and, in the column `known_as`, with its own. One that leads to several leads to nobody. Only of words
    that are said of any of the `accounts`: they name few people, if anybody.
    """
    words = accounts.filter(~nw.col("responsible").is_null()).select(key=_RESPONSIBLE_KEY).unique(["key"])
    by_number = identities.select("identity_id", key=nw.col("employee_id").str.to_lowercase())
    by_id = identities.select("identity_id", key=nw.col(known_as).str.to_lowercase())
    by_address = identities.select("identity_id", key=nw.col("email_key"))
    keys = nw.concat([by_number, by_id, by_address], how="vertical").filter(~nw.col("key").is_null())
    found = (
        keys.join(words, on="key", how="semi")
        .group_by("key")
        .agg(nw.col("identity_id").n_unique().alias("holders"), nw.col("identity_id").min().alias("responsible_id"))
    )
    person = people.select(
        nw.col("identity_id").alias("responsible_id"),
        nw.col("display_name").alias("responsible_name"),
        nw.col("state").alias("responsible_state"),
        nw.col("ended_at").alias("responsible_ended_at"),
        nw.col("ended_at_s").alias("responsible_ended_at_s"),
    )
    named = found.filter(nw.col("holders") == 1).select(nw.col("key").alias("responsible_key"), "responsible_id")
    return named.join(person, on="responsible_id", how="left")


def with_responsible(accounts: Frame, table: Frame | None) -> Frame:
    """Adds responsible_id, _name, _state and _ended_at(_s) of who answers for the account; without a table nobody."""
    if table is None:
        return accounts.with_columns(nw.lit(None, kind).alias(name) for name, kind in _OF_RESPONSIBLE.items())
    keyed = accounts.with_columns(responsible_key=_RESPONSIBLE_KEY)
    return keyed.join(table, on="responsible_key", how="left").drop("responsible_key")


def with_managers(owners: Frame, identities: Frame) -> Frame:
    """Adds owner_manager_name and owner_manager_state to what is known of owners."""
    managing = identities.select(
        nw.col("identity_id").alias("owner_manager_id"),
        nw.col("display_name").alias("owner_manager_name"),
        nw.col("state").alias("owner_manager_state"),
    )
    return owners.join(managing, on="owner_manager_id", how="left")


BREAK_GLASS: Final = "break_glass"


def is_account(application: str, account: str) -> nw.Expr:
    """Whether the account in this row is the one the settings name: by its id, username or e-mail; never null.

    Case does not count, as where such an account is refused to be changed (remediation.refusals).
    """
    key = account.strip().lower()
    of_name = [
        (nw.col(name).str.to_lowercase() == key).fill_null(False) for name in ("account_id", "username", "email")
    ]
    return (nw.col("application") == application) & (of_name[0] | of_name[1] | of_name[2])


def break_glass(settings: Settings) -> nw.Expr:
    """Whether the account in this row is registered under [[protected]] as one for emergencies; never null.

    Unused is what such an account should be: rules about use leave it alone, and `break_glass_used` says when it was.
    """
    chosen = nw.col("application").is_null()
    for entry in settings.protected:
        if entry.why.strip().lower().replace("-", "_").replace(" ", "_") == BREAK_GLASS:
            chosen = chosen | is_account(entry.application, entry.account)
    return chosen.fill_null(False)


def with_sign_on_accounts(owners: Frame, accounts: Frame) -> Frame:
    """Adds sign_on_accounts and sign_on_active to what is known of owners.

    `accounts`: those in identity providers that are there: owner_id, active. sign_on_accounts (Int64): how many the
    owner has. sign_on_active: whether one of them is active; null when that is not told.
    """
    of_owner = (
        accounts.filter(~nw.col("owner_id").is_null())
        .group_by("owner_id")
        .agg(
            nw.len().cast(nw.Int64).alias("sign_on_counted"),
            nw.col("active").cast(nw.Int64).max().alias("sign_on_any"),
            nw.col("active").is_null().cast(nw.Int64).max().alias("sign_on_untold"),
        )
    )
    none_active = (nw.col("sign_on_any") == 0) & (nw.col("sign_on_untold") == 0)
    return (
        owners.join(of_owner, on="owner_id", how="left")
        .with_columns(
            sign_on_accounts=nw.col("sign_on_counted").fill_null(0),
            sign_on_active=nw.when(nw.col("sign_on_any") == 1)
            .then(nw.lit(True))
            .otherwise(nw.when(none_active).then(nw.lit(False))),
        )
        .drop("sign_on_counted", "sign_on_any", "sign_on_untold")
    )


def assigned(accounts: Frame, entitlements: Frame, grants: Frame, settings: Settings) -> tuple[Frame, Frame]:
    """Who is assigned to what by an identity provider (owner_id, application), and which applications it knows at all.

    `accounts` as in with_sign_on_accounts, with application and account_id.
    """
    there = nw.col("application").is_in(providers(settings))
    known = known_as(entitlements.filter(there, nw.col("kind") == ASSIGNS), settings)
    held = (
        grants.filter(there)
        .select("application", "account_id", "entitlement_id")
        .join(known, on=["application", "entitlement_id"], how="inner")
        .join(
            accounts.filter(~nw.col("owner_id").is_null()).select("application", "account_id", "owner_id"),
            on=["application", "account_id"],
            how="inner",
        )
        .select("owner_id", nw.col("opens").alias("application"))
        .unique(["owner_id", "application"])
        .with_columns(sign_on_held=nw.lit(True))
    )
    opened = known.select(nw.col("opens").alias("application")).unique(["application"])
    return held, opened.with_columns(sign_on_opens=nw.lit(True))


def with_assigned(accounts: Frame, held: Frame | None, opened: Frame | None) -> Frame:
    """Adds sign_on_assigned: whether the owner is assigned to this application in an identity provider.

    Null where no identity provider knows this application, or there is no owner. Without `opened` none knows any;
    without `held` nobody is assigned to anything.
    """
    if opened is None:
        return accounts.with_columns(sign_on_assigned=nw.lit(None).cast(nw.Boolean))
    if held is None:
        joined = accounts.with_columns(sign_on_held=nw.lit(None).cast(nw.Boolean))
    else:
        joined = accounts.join(held, on=["owner_id", "application"], how="left")
    joined = joined.join(opened, on="application", how="left")
    told = ~nw.col("owner_id").is_null() & nw.col("sign_on_opens")
    return joined.with_columns(sign_on_assigned=nw.when(told).then(nw.col("sign_on_held").fill_null(False))).drop(
        "sign_on_held", "sign_on_opens"
    )


def known_as(assignments: Frame, settings: Settings) -> Frame:
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
