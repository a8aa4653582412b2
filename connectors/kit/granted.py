"""Who holds what, told of many accounts at once: entitlements and grants as columns."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any

from governance.records import Entitlement, Grant, Rows, rows_of


def entitlement_rows(entitlements: Iterable[Entitlement]) -> Rows:
    """These entitlements."""
    return rows_of(Entitlement, list(entitlements))


def grant_rows(application: str, ids: Sequence[str], held: Sequence[Collection[str]], **told: Sequence[Any]) -> Rows:
    """A grant for each id of an entitlement that is `held` by the account of the same place in `ids`.

    `told` holds further columns, one value for each grant, in the order of `held`.
    """
    account_ids = [account_id for account_id, several in zip(ids, held, strict=True) for _ in several]
    columns: dict[str, Sequence[Any]] = {
        "application": [application] * len(account_ids),
        "account_id": account_ids,
        "entitlement_id": [entitlement_id for several in held for entitlement_id in several],
        **told,
    }
    return Rows(Grant, columns)


def grants_by_way(application: str, ids: Sequence[str], held: Sequence[Mapping[str, str]]) -> Rows:
    """The same, where `held` tells for each entitlement how it is held."""
    return grant_rows(application, ids, held, how=[how for several in held for how in several.values()])
