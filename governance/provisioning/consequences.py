"""What came of two writers in one application: found in its accounts and events, never presumed from its settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Final

import narwhals as nw

from governance.provisioning.conflict import Consequence, Kind, Rows, Scene, Unknown
from governance.provisioning.flips import attributes
from governance.provisioning.pushes import CLOCKS

Found = Iterable[Consequence | Unknown]
_NO_PUSH: Final = "no push to it is told, neither by it nor by an identity provider"
_WRITE: Final = ("account_id", "writer", "at_s", "changes")
_OPEN: Final = nw.col("active").fill_null(True)


def _both(scene: Scene) -> bool:
    return {"jit", "scim"} <= scene.writers


def _unknown(scene: Scene, kind: Kind, why: str) -> list[Consequence | Unknown]:
    return [Unknown(scene.application, kind, why)]


def born_outside_scim(scene: Scene) -> Found:
    """Accounts that a sign-in made and no push ever reached: SCIM will not close them."""
    if not _both(scene):
        return ()
    if not scene.pushes_told:
        return _unknown(scene, "born_outside_scim", _NO_PUSH)
    pushed = scene.acts.filter(nw.col("writer") == "scim")
    return scene.consequence(
        "born_outside_scim", scene.born().filter(_OPEN).join(pushed, on="account_id", how="anti"), "born_s"
    )


def duplicates(scene: Scene) -> Found:
    """People who have an account that a sign-in made beside one that was pushed."""
    if not _both(scene):
        return ()
    if not scene.pushes_told:
        return _unknown(scene, "duplicates", _NO_PUSH)
    own = scene.accounts.filter(_OPEN, nw.col("person"), ~nw.col("owner_id").is_null())
    born = scene.born().select("account_id", "born_s")
    pushed = scene.of("scim", "made", "wrote").select("account_id", nw.col("first_s").alias("pushed_s"))
    known = own.join(born, on="account_id", how="left").join(pushed, on="account_id", how="left")
    by_sign_in = known.filter(~nw.col("born_s").is_null(), nw.col("pushed_s").is_null())
    by_push = known.filter(~nw.col("pushed_s").is_null()).select("owner_id").unique(["owner_id"])
    rows = by_sign_in.join(by_push, on="owner_id", how="semi")
    return scene.consequence("duplicates", rows, "born_s", people=len(rows.unique(["owner_id"])))


def attributes_flip(scene: Scene) -> Found:
    """Accounts that one writer changed, another changed, and the first changed again: who wrote last, and how often."""
    if len(scene.writers & {"jit", "scim", "hand"}) < 2:
        return ()
    wrote = scene.acts.filter(
        nw.col("act").is_in(["made", "wrote"]), nw.col("writer").is_in(sorted(scene.writers & {"jit", "scim", "hand"}))
    )
    lines: dict[str, list[tuple[int, str]]] = {}
    written = [(str(a), str(w), int(at), c) for a, w, at, c in wrote.select(*_WRITE).iter_rows()]
    for account, writer, at, _ in written:
        lines.setdefault(account, []).append((at, writer))
    flips: list[tuple[str, int]] = []
    changes, last = 0, dict.fromkeys(sorted(scene.writers), 0)
    for account, line in lines.items():
        line.sort()
        turned = [now for before, now in pairwise(line) if before[1] != now[1]]
        if len(turned) > 1:
            flips.append((account, turned[1][0]))
            changes += len(turned)
            last[line[-1][1]] += 1
    if not flips:
        silent = not scene.updates_told and _both(scene)
        return () if not silent else _unknown(scene, "attributes_flip", "it does not tell who changed which account")
    schema = {"account_id": nw.String(), "at_s": nw.Int64()}
    columns = {"account_id": [account for account, _ in flips], "at_s": [at for _, at in flips]}
    rows = nw.from_dict(columns, schema, backend="polars")
    winner = max(last, key=lambda writer: last[writer])
    told = attributes(write for write in written if write[3] is not None)
    which = {"attributes": told} if told else {}
    return scene.consequence("attributes_flip", rows, "at_s", changes=changes, winner=winner, won=last[winner], **which)


def reborn_by_sign_in(scene: Scene) -> Found:
    """Accounts that were closed and came back by a sign-in, the same ones or new ones of the same person."""
    if "jit" not in scene.writers or not scene.writers & {"scim", "hand"}:
        return ()
    closed = scene.acts.filter(nw.col("act") == "closed", nw.col("writer") != "jit")
    closed = closed.group_by("account_id").agg(nw.col("at_s").min().alias("shut_s"))
    opened = scene.of("jit", "opened").select("account_id", nw.col("last_s").alias("back_s"))
    told = opened.join(closed, on="account_id", how="inner").filter(nw.col("back_s") > nw.col("shut_s"))
    back = scene.accounts.filter(_OPEN, (nw.col("returned_at_s") >= nw.col("closed_at_s")).fill_null(False))
    back = back.select("account_id", nw.col("closed_at_s").alias("shut_s"), nw.col("returned_at_s").alias("back_s"))
    seen = back.join(scene.seen, on="account_id", how="inner")
    seen = seen.filter(nw.col("seen_s") >= nw.col("shut_s"), nw.col("seen_s") <= nw.col("back_s") + CLOCKS)
    pushed = scene.acts.filter(nw.col("writer") == "scim", nw.col("act").is_in(["made", "wrote", "opened"]))
    explained = seen.join(pushed.select("account_id", "at_s"), on="account_id", how="inner")
    explained = explained.filter(nw.col("at_s") > nw.col("shut_s"), nw.col("at_s") <= nw.col("back_s") + CLOCKS)
    same = nw.concat(
        [
            told.select("account_id", "back_s"),
            seen.join(explained, on="account_id", how="anti").select("account_id", "back_s"),
        ],
        how="vertical",
    )
    anew = _made_anew(scene)
    rows = nw.concat([same, anew], how="vertical").unique(["account_id"])
    return scene.consequence("reborn_by_sign_in", rows, "back_s", anew=len(anew))


def _made_anew(scene: Scene) -> Rows:
    """Accounts that a sign-in made after an earlier one of the same owner was closed or gone: account_id, back_s."""
    off = scene.accounts.filter(~nw.col("active").fill_null(True), ~nw.col("closed_at_s").is_null())
    gone = scene.vanished.with_columns(closed_at_s=nw.coalesce("closed_at_s", "last_present_at_s"))
    earlier = nw.concat([frame.select("owner_id", "closed_at_s") for frame in (off, gone)], how="vertical")
    earlier = earlier.filter(~nw.col("owner_id").is_null()).group_by("owner_id").agg(nw.col("closed_at_s").min())
    born = scene.born().filter(_OPEN).select("account_id", "owner_id", "born_s")
    later = born.join(earlier, on="owner_id", how="inner").filter(nw.col("born_s") > nw.col("closed_at_s"))
    return later.select("account_id", nw.col("born_s").alias("back_s"))


def disabled_without_owning(scene: Scene) -> Found:
    """Accounts that a push closed although no push had made or changed them: SCIM acted on what it never owned."""
    if "scim" not in scene.writers or not scene.writers & {"jit", "hand"}:
        return ()
    if not scene.pushes_told:
        return _unknown(scene, "disabled_without_owning", _NO_PUSH)
    shut = scene.of("scim", "closed").select("account_id", nw.col("first_s").alias("shut_s"))
    owned = scene.of("scim", "made", "wrote", "opened").select("account_id", nw.col("first_s").alias("owned_s"))
    made = scene.of("hand", "made").select("account_id")
    others = nw.concat([scene.born().select("account_id"), made], how="vertical").unique(["account_id"])
    rows = shut.join(others, on="account_id", how="semi").join(owned, on="account_id", how="left")
    return scene.consequence(
        "disabled_without_owning",
        rows.filter(nw.col("owned_s").is_null() | (nw.col("owned_s") > nw.col("shut_s"))),
        "shut_s",
    )


CONFLICTS: Final[tuple[Callable[[Scene], Found], ...]] = (
    born_outside_scim,
    duplicates,
    attributes_flip,
    reborn_by_sign_in,
    disabled_without_owning,
)
