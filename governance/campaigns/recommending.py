"""What a reviewer is advised, with one reason: from the facts of the item alone, the strongest first."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Final, NamedTuple

from governance.settings import Policy

USED_LATELY_DAYS: Final = 90
MOST: Final = 0.5  # held by at least half of one's peers: usual


class Advice(NamedTuple):
    """keep | remove | change | judge (your judgement), and why in one clause."""

    recommendation: str
    because: str


def advise(items: Iterable[Mapping[str, Any]], policy: Policy, now: datetime) -> Iterator[Advice]:
    """The advice for each item, in their order. Items have the columns of `population`."""
    for item in items:
        yield _advice(item, policy, now)


def _advice(item: Mapping[str, Any], policy: Policy, now: datetime) -> Advice:
    return _gone(item, now) or _against(item, policy, now) or _for(item, now) or Advice("judge", _unsure(item))


def _gone(item: Mapping[str, Any], now: datetime) -> Advice | None:
    """The owner does not work here any more."""
    if item["employment"] == "ended":
        ended = item["ended_at"]
        return Advice("remove", f"No longer works here{f' since {_day(ended, now)}' if ended else ''}")
    contract = item["contract_end"]
    if contract is not None and contract <= now:
        return Advice("remove", f"Contract ended {_day(contract, now)}")
    return None


def _against(item: Mapping[str, Any], policy: Policy, now: datetime) -> Advice | None:
    """What speaks for removing, or for giving less."""
    rules = set(item["rules"] or ())
    if item["left_over"]:
        moved = item["moved_at"]
        return Advice("remove", f"Kept from before the move{f' of {_day(moved, now)}' if moved else ''}")
    if item["entitlement"] is not None and item["mapped"] and not item["gives"] and item["privileged"]:
        return Advice("change", "Privileged, and the role mapping does not give it")
    few = _few(item, policy)
    unused = _unused_days(item, now)
    if few and not item["gives"]:
        idle = f"; unused {unused} d" if unused is not None and unused > USED_LATELY_DAYS else ""
        return Advice("remove", f"{_of_peers(item)} hold it{idle}")
    if item["used_known"] and item["used_at_s"] is None:
        born = item["since"] or item["created_at"]
        if born is not None and (now - born).days > policy.never_used_days:
            return Advice("remove", f"Never used in {(now - born).days:,} days")
    if unused is not None and unused > _most_unused(item, policy):
        return Advice("remove", f"Unused {unused:,} days")
    if "over_privileged" in rules and item["mapped"] and not item["gives"]:
        return Advice("judge", "The role mapping does not give it")
    return None


def _for(item: Mapping[str, Any], now: datetime) -> Advice | None:
    """What speaks for keeping, where the use is known."""
    unused = _unused_days(item, now)
    if unused is None or item["identity_id"] is None:
        return None
    used = f"used {_ago(unused)}"
    if item["gives"]:
        return Advice("keep", f"Role mapping grants it; {used}")
    if item["holders"] and item["peers"] and item["peers"] > 1 and item["holders"] >= MOST * item["peers"]:
        return Advice("keep", f"{_of_peers(item)} hold it; {used}")
    if not item["privileged"] and unused <= USED_LATELY_DAYS:
        return Advice("keep", f"{used.capitalize()}")
    return None


def _unsure(item: Mapping[str, Any]) -> str:
    if item["match"] == "ambiguous":
        return "Several people may be its owner"
    if item["identity_id"] is None:
        return "No owner is known" if item["kind"] == "human" else f"A {item['kind']} account"
    if item["employment"] in ("missing", "unknown"):
        return "It is not known whether the owner still works here"
    if not item["used_known"]:
        return "Last use unknown" + ("; privileged" if item["privileged"] else "")
    return "Privileged: is it still needed?" if item["privileged"] else "Nothing speaks for or against it"


def _few(item: Mapping[str, Any], policy: Policy) -> bool:
    peers, holders = item["peers"], item["holders"]
    if not peers or holders is None or item["entitlement"] is None or peers < policy.peers_least:
        return False
    return bool(holders < policy.peer_share * peers)


def _of_peers(item: Mapping[str, Any]) -> str:
    return f"{item['holders']:,} of {item['peers']:,} peers"


def _most_unused(item: Mapping[str, Any], policy: Policy) -> int:
    if item["entitlement"] is not None and item["used_of_grant"]:
        return policy.privileged_unused_days if item["privileged"] else policy.entitlement_unused_days
    return policy.stale_days_privileged if item["privileged"] else policy.stale_days


def _unused_days(item: Mapping[str, Any], now: datetime) -> int | None:
    """Whole days since the last use; None when it was never used or that is not known."""
    at = item["used_at_s"]
    return None if not item["used_known"] or at is None else max(0, int(now.timestamp() - at) // 86_400)


def _ago(days: int) -> str:
    if days < 2:
        return ("today", "yesterday")[days]
    return "this week" if days < 8 else f"{days:,} days ago"


def _day(at: datetime, now: datetime) -> str:
    utc = at.astimezone(UTC)
    return f"{utc.day} {utc:%b}" if utc.year == now.year else f"{utc.day} {utc:%b %Y}"
