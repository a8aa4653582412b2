"""The manners of a SCIM server: what a server in the wild does differently, one switch for each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Resource = dict[str, Any]


@dataclass(frozen=True)
class Manners:
    """How this server misbehaves. Without arguments it keeps to the standard.

    Faults of the whole answer (`fail_status`, `rate_limit`, `forbidden` ...) hit every request, reads and writes alike.
    """

    # Dialects: unusual, but a client has to live with them.
    reject_count: bool = False  # 500 as soon as ?count= is sent (Canaille)
    ignore_filter: bool = False  # the filter is silently dropped
    clamp: int | None = None  # page size, whatever was asked for
    answer_204_on_patch: bool = False  # 204 without a body instead of 200 with the resource
    no_patch: bool = False  # 501: PUT of the whole resource is needed
    hide_inactive: bool = False  # the list leaves inactive accounts out unless a filter asks for `active`
    missing_active: bool = False  # `active` is never told
    active_as_string: bool = False  # "True" and "False" (old Entra)
    # Lies: the answer looks right and is not.
    lie: bool = False  # a write answers as if it were done, but nothing changes
    overlap: bool = False  # every page after the first repeats one entry and loses its own last
    hole: bool = False  # every page after the first skips one entry
    drifting_total: bool = False  # totalResults is another number on every page
    endless_cursor: bool = False  # the first page for ever, totalResults a million
    html_with_200: bool = False  # a sign-in page instead of JSON
    half_body: bool = False  # the connection ends in the middle of the body
    # Refusals.
    unauthorized_after_page: int | None = None  # the token expires after so many pages of a list
    forbidden: bool = False  # 403
    fail_status: int | None = None  # such as 500, 502, 503
    rate_limit: int = 0  # so many requests are answered 429, then it works
    retry_after_s: int = 1
    retry_after_as_date: bool = False  # Retry-After as an HTTP date instead of seconds
    delay_s: float = 0.0  # before every answer
    redirect_to: str | None = None  # the path is appended: "http://127.0.0.1:9" -> "http://127.0.0.1:9/scim/v2/Users"
    redirect_status: int = 307

    def window(self, everything: list[Resource], start: int, size: int) -> list[Resource]:
        """The entries of the page that begins at the 1-based `start`, as this server cuts it."""
        if self.endless_cursor:
            return everything[:size]
        honest = everything[start - 1 : start - 1 + size]
        if start == 1 or not (self.overlap or self.hole):
            return honest
        # Real servers do this when the order of their list is unstable: as many rows as promised, but not all of them.
        shifted = start - 2 if self.overlap else start
        return everything[shifted : shifted + len(honest)]

    def total(self, honest: int, pages_before: int) -> int:
        """What the server says in `totalResults`."""
        if self.endless_cursor:
            return 1_000_000
        return honest + pages_before if self.drifting_total else honest

    def dress(self, account: Resource) -> Resource:
        """One account as this server writes it down."""
        if self.missing_active:
            return {key: value for key, value in account.items() if key != "active"}
        if self.active_as_string and "active" in account:
            return {**account, "active": str(account["active"])}
        return account
