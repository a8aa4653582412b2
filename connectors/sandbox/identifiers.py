"""Ids as each vendor makes them, from a number, so that the same company has the same ids."""

from __future__ import annotations

import hashlib
import uuid
from typing import Final

_BASE62: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_BASE36: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_OKTA: Final = {"account": "00u", "group": "00g", "role": "ra1", "application": "0oa", "event": ""}
_SALESFORCE: Final = {"account": "005", "profile": "00e", "role": "0PS", "group": "00G", "permission_set": "0PS"}


def vendor_id(vendor: str, number: int, what: str = "account", *, salt: str = "") -> str:
    """The id that `vendor` would give to the thing of that number; `what` is account, group, role, profile ..."""
    bits = int.from_bytes(hashlib.sha256(f"{vendor}:{what}:{number}:{salt}".encode()).digest(), "big")
    match vendor:
        case "okta":
            return _OKTA.get(what, "0oa") + _spelled(bits, _BASE62, 17)
        case "slack":
            letter = {"account": "U", "group": "S", "event": "E", "credential": "X"}.get(what, "R")
            return letter + "0" + _spelled(bits, _BASE36, 9)
        case "salesforce":
            return _eighteen(_SALESFORCE.get(what, "0PS") + _spelled(bits, _BASE62, 12))
        case "github":
            return str((1_000_000 if what == "account" else 5_000_000) + number)
        case "google_workspace":
            return (
                str(10**20 + bits % (9 * 10**20))
                if what in ("account", "role")
                else _spelled(bits, _BASE36, 15).lower()
            )
        case "jira" | "confluence":
            named = uuid.UUID(int=bits % 2**128, version=4)
            return f"712020:{named}" if what == "account" else str(named)
        case "bamboohr":
            return str(number)
        case _:
            return str(uuid.UUID(int=bits % 2**128, version=4))


def _spelled(bits: int, letters: str, length: int) -> str:
    out = ""
    for _ in range(length):
        bits, digit = divmod(bits, len(letters))
        out += letters[digit]
    return out


def _eighteen(fifteen: str) -> str:
    """Salesforce's 15 letters with the three that make them safe to compare without case."""
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
    parts = (fifteen[at : at + 5] for at in (0, 5, 10))
    return fifteen + "".join(letters[sum(1 << i for i, c in enumerate(part) if c.isupper())] for part in parts)
