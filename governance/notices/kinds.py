"""Every kind of notice and its words, all of them in this one place.

The words name numbers, applications, feeds and access reviews. They never name the person an account belongs to, the
account, or why it should go: mail lies around unencrypted and is read over shoulders. Who wants to know opens the link.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from governance.channels import KindName


@dataclass(frozen=True)
class Kind:
    """One kind of notice: how it is announced to one person and in a room, and whether it can wait.

    `one`, `many` and `in_room` are titles; `{n}` is a number. `unit` counts what a line stands for ("1 account"); a
    kind without it has lines that say everything themselves. `page` is where several of them are seen together.
    """

    about: str  # as the preferences name it
    one: str
    many: str
    in_room: tuple[str, str] | None  # for one, for many; None: concerns one person alone
    page: str
    unit: tuple[str, str] | None = None
    waits: bool = True  # for the daily digest, if somebody wants one

    def title(self, number: int, *, room: bool = False) -> str:
        """The title of so many of them."""
        one, many = self.in_room if room and self.in_room else (self.one, self.many)
        return one if number == 1 else many.format(n=f"{number:,}")

    def line(self, body: str, number: int) -> str:
        """One line of a message: what stands for so many with the same words."""
        if self.unit is None:
            return body
        return f"{body}: 1 {self.unit[0]}" if number == 1 else f"{body}: {number:,} {self.unit[1]}"


_ACCOUNTS: Final = ("account", "accounts")
KINDS: Final[dict[KindName, Kind]] = {
    "guard_held": Kind(
        "A guard holds a change until two people release it",
        "A guard holds a change until it is released",
        "Guards hold {n} changes until they are released",
        ("A guard holds a change until it is released", "Guards hold {n} changes until they are released"),
        "jobs",
        waits=False,
    ),
    "mapping_waiting": Kind(
        "A change of a role mapping waits for you",
        "1 change of a role mapping waits for you",
        "{n} changes of role mappings wait for you",
        (
            "1 change of a role mapping waits for a second person",
            "{n} changes of role mappings wait for a second person",
        ),
        "mapping_lab",
    ),
    "approval_lapsing": Kind(
        "An approval lapses within 12 hours",
        "1 approval lapses within 12 hours",
        "{n} approvals lapse within 12 hours",
        ("1 approval lapses within 12 hours", "{n} approvals lapse within 12 hours"),
        "approvals",
        _ACCOUNTS,
        waits=False,
    ),
    "approval_second": Kind(
        "An approval needs you as the second approver",
        "1 approval needs a second approver",
        "{n} approvals need a second approver",
        ("1 approval needs a second approver", "{n} approvals need a second approver"),
        "approvals",
        _ACCOUNTS,
    ),
    "approval_waiting": Kind(
        "An approval waits for you",
        "1 approval waits for you",
        "{n} approvals wait for you",
        ("1 approval waits for a decision", "{n} approvals wait for a decision"),
        "approvals",
        _ACCOUNTS,
    ),
    "task_given": Kind(
        "A manual task is given to you",
        "1 manual task is given to you",
        "{n} manual tasks are given to you",
        None,
        "approvals",
        _ACCOUNTS,
    ),
    "task_reminder": Kind(
        "A manual task of yours is still open",
        "1 manual task of yours is still open",
        "{n} manual tasks of yours are still open",
        None,
        "approvals",
        _ACCOUNTS,
    ),
    "review_escalated": Kind(
        "An access review you answer for is overdue",
        "1 access review is overdue",
        "{n} access reviews are overdue",
        ("1 access review is overdue", "{n} access reviews are overdue"),
        "campaigns",
    ),
    "review_opened": Kind(
        "An access review has items for you",
        "1 access review waits for you",
        "{n} access reviews wait for you",
        ("1 access review has begun", "{n} access reviews have begun"),
        "my_reviews",
    ),
    "review_reminder": Kind(
        "An access review still has items for you",
        "1 access review still waits for you",
        "{n} access reviews still wait for you",
        None,
        "my_reviews",
    ),
    "review_closed": Kind(
        "An access review you began or decided in was closed",
        "1 access review was closed",
        "{n} access reviews were closed",
        ("1 access review was closed", "{n} access reviews were closed"),
        "campaigns",
    ),
    "feed_failing": Kind(
        "A feed could not be read three times in a row",
        "1 feed cannot be read",
        "{n} feeds cannot be read",
        ("1 feed cannot be read", "{n} feeds cannot be read"),
        "jobs",
    ),
}
