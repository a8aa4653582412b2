"""The section `[notify]`: over which channels people are told what waits for them.

A channel of the kind `mail` or `webhook` reaches persons: mail goes to the address of the one who is told, a webhook
gets the same address in its field `to`. A channel of the kind `slack` or `teams` is a room: what is told there is told
once, however many people it waits for.
"""

from __future__ import annotations

from typing import Final, Literal
from urllib.parse import urlsplit

from pydantic import Field, model_validator

from governance.sections import Secret, Section

REACH_PERSONS: Final = frozenset({"mail", "webhook"})
KindName = Literal[
    "approval_waiting",
    "approval_second",
    "approval_lapsing",
    "task_given",
    "task_reminder",
    "guard_held",
    "mapping_waiting",
    "review_opened",
    "review_reminder",
    "review_escalated",
    "review_closed",
    "feed_failing",
]


class ChannelSettings(Section):
    """One way to reach people.

    `url`: for mail, Slack and Teams an address of Apprise (`mailtos://name:password@smtp.example.com`,
    `slack://…`, `workflows://…`) or the one Slack and Teams show themselves; for a webhook an https address.
    `hmac`: the key a webhook's requests are signed with. `kinds`: what is told in a room; empty: everything but what
    concerns one person alone (see governance.notices.kinds).
    """

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")
    kind: Literal["mail", "slack", "teams", "webhook"]
    url: Secret
    hmac: Secret | None = None
    sender: str | None = Field(default=None, alias="from")
    kinds: tuple[KindName, ...] = ()
    most_per_minute: int = Field(default=30, ge=1)
    deadline_s: float = Field(default=15.0, gt=0, le=120)
    allow_private: bool = False  # a webhook on a private host, or over http

    @property
    def reaches_persons(self) -> bool:
        """Whether each person is told by themselves; else it is a room."""
        return self.kind in REACH_PERSONS

    @model_validator(mode="after")
    def _fits_its_kind(self) -> ChannelSettings:
        if self.kind == "webhook" and self.hmac is None:
            raise ValueError(f"the webhook {self.name!r} needs hmac, the key its requests are signed with")
        if self.kind != "webhook" and self.hmac is not None:
            raise ValueError(f"{self.name!r} is no webhook: only those are signed with hmac")
        if self.kind == "mail" and not (self.sender and "@" in self.sender):
            raise ValueError(f"the mail channel {self.name!r} needs from, the address its mails come from")
        return self


class NotifySettings(Section):
    """Where the dashboard is reached, and the channels."""

    address: str = "http://127.0.0.1:8501"
    channel: tuple[ChannelSettings, ...] = ()

    @model_validator(mode="after")
    def _usable(self) -> NotifySettings:
        parts = urlsplit(self.address)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise ValueError(
                "address: expected where the dashboard is reached, such as https://leaverwatch.example.com"
            )
        names = [channel.name for channel in self.channel]
        if len(set(names)) < len(names):
            raise ValueError("two [[notify.channel]] have the same name")
        return self

    @property
    def personal(self) -> tuple[ChannelSettings, ...]:
        """The channels that reach persons."""
        return tuple(channel for channel in self.channel if channel.reaches_persons)

    @property
    def rooms(self) -> tuple[ChannelSettings, ...]:
        """The channels that are rooms."""
        return tuple(channel for channel in self.channel if not channel.reaches_persons)
