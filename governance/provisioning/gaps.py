"""What an identity provider leaves open where it pushes beside sign-ins that make accounts: late, never, or back in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import narwhals as nw

from governance.provisioning.conflict import Kind, Scene, Unknown
from governance.provisioning.consequences import Found

DELETES_LATE: Final = "deletes_late"  # somebody deleted there is only switched off here until `days` have passed
PUSHES_NEW: Final = "pushes_new_assignments"  # whoever was assigned before pushes were switched on is not pushed
REACTIVATES: Final = "lets_closed_back_in"  # a setting: a sign-in opens an account that was closed
MANNERS: Final = (DELETES_LATE, PUSHES_NEW)
_DAY: Final = 86_400
_WHICH: Final = "which identity provider pushes to it is not known"


def _unknown(scene: Scene, kind: Kind, why: str) -> Found:
    return [Unknown(scene.application, kind, why)]


def _both(scene: Scene) -> bool:
    return {"jit", "scim"} <= scene.writers


def deletion_gap(scene: Scene, now_s: int) -> Found:
    """Accounts of people who were deleted at the provider, which tells the application so only days later."""
    if not _both(scene):
        return ()
    if scene.provider is None:
        return _unknown(scene, "deletion_gap", _WHICH)
    manner = scene.manners.get(DELETES_LATE)
    if manner is None:
        return ()
    days = int(manner.get("days") or 0)
    lately = scene.gone.filter(nw.col("gone_s") > now_s - days * _DAY, nw.col("gone_s") <= now_s)
    rows = scene.accounts.join(lately, on="owner_id", how="inner")
    opened = len(rows.filter(nw.col("active").fill_null(True)))
    return scene.consequence("deletion_gap", rows, "gone_s", days=days, open=opened)


def not_retroactive(scene: Scene, now_s: int) -> Found:
    """Accounts older than the first push that no push has reached since: the provider pushes new assignments only.

    Where no account tells whether the provider knows it, only those count that were made within what is remembered.
    """
    if not _both(scene):
        return ()
    if scene.provider is None:
        return _unknown(scene, "not_retroactive", _WHICH)
    if PUSHES_NEW not in scene.manners:
        return ()
    if not scene.pushes_told:
        return _unknown(scene, "not_retroactive", "no push to it is told, neither by it nor by an identity provider")
    pushes = scene.acts.filter(nw.col("writer") == "scim")
    first = int(pushes["at_s"].min())
    older = scene.accounts.filter(
        nw.col("active").fill_null(True),
        nw.col("person"),
        ~nw.col("owner_id").is_null(),
        nw.col("external_id").is_null(),
        (nw.col("created_at_s") < first).fill_null(False),
    ).join(pushes, on="account_id", how="anti")
    # Pushes from before events are kept are not told. That none was sent shows in accounts made since then.
    lately = older.filter(nw.col("created_at_s") >= (scene.provider_since or first))
    if not len(lately):
        why = "no account is known that was made in the remembered days before the first push, so when it began is open"
        return _unknown(scene, "not_retroactive", why)
    links_told = len(scene.accounts.filter(~nw.col("external_id").is_null())) > 0
    rows = older if links_told else lately
    return scene.consequence("not_retroactive", rows.with_columns(first_s=nw.lit(first)), "first_s")


def unlinked_records(scene: Scene, now_s: int) -> Found:
    """Accounts without an id of the identity provider, in an application whose other accounts have one."""
    if not _both(scene):
        return ()
    linked = scene.accounts.filter(~nw.col("external_id").is_null())
    if not len(linked):
        return _unknown(scene, "unlinked_records", "it tells of no account which record of the provider it belongs to")
    rows = scene.accounts.filter(
        nw.col("external_id").is_null(),
        nw.col("active").fill_null(True),
        nw.col("person"),
        ~nw.col("owner_id").is_null(),
    )
    return scene.consequence("unlinked_records", rows, "created_at_s", linked=len(linked))


def reactivates_leavers(scene: Scene, now_s: int) -> Found:
    """Closed accounts of leavers in an identity provider that lets a closed account back in at a sign-in."""
    if "jit" not in scene.writers or len(scene.writers) < 2:
        return ()
    if scene.opens_others and REACTIVATES not in scene.settings_told:
        return _unknown(scene, "reactivates_leavers", "it does not tell whether a sign-in lets closed accounts back in")
    if not scene.settings_told.get(REACTIVATES):
        return ()
    rows = scene.accounts.filter(
        (~nw.col("active")).fill_null(False), (nw.col("owner_state") == "ended").fill_null(False)
    )
    return scene.consequence("reactivates_leavers", rows, "closed_at_s")


GAPS: Final[tuple[Callable[[Scene, int], Found], ...]] = (
    deletion_gap,
    not_retroactive,
    unlinked_records,
    reactivates_leavers,
)
