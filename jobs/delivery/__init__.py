"""Delivery: handing one message to one channel. What does not arrive is NotDelivered, with a reason without secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from governance.channels import ChannelSettings
from governance.house import House
from governance.notices import Message
from jobs.home import secret


class Line(Protocol):
    """A channel that is ready to take messages."""

    def send(self, message: Message) -> None:
        """Hand over one message; NotDelivered when it was not taken."""


def line(house: House, channel: ChannelSettings, environ: Mapping[str, str]) -> Line:
    """The way to this channel; ConfigurationError when its address or a secret of it is missing or wrong."""
    from jobs.delivery.apprise_line import AppriseLine
    from jobs.delivery.webhook import Webhook

    where = f"notify.channel.{channel.name}"
    url = secret(channel.url, house.home, environ, house.store, f"{where}.url")
    if channel.hmac is None:
        return AppriseLine(channel, url)
    return Webhook(channel, url, secret(channel.hmac, house.home, environ, house.store, f"{where}.hmac"))
