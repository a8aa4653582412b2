"""Webhooks: a POST whose body is signed, so that the receiver knows who sent it and that it is not an old one again.

`X-Leaverwatch-Signature: t=<unix seconds>,v1=<hex>`, where v1 is the HMAC-SHA256 of `<t>.<body>` under the shared key.
A receiver computes it over the body as it came, compares in constant time, and refuses a `t` older than some minutes.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Final

import requests

from connectors.kit.addresses import check_base
from connectors.kit.failures import FOREIGN, translated
from connectors.kit.redaction import guard_logs
from connectors.kit.wire import Wire
from governance.channels import ChannelSettings
from governance.errors import LeaverwatchError, NotDelivered
from governance.notices import Message
from jobs.home import clock

SIGNATURE: Final = "X-Leaverwatch-Signature"
CONNECT_S: Final = 5.0


class Webhook:
    """One address that takes messages as JSON; nothing else is ever connected to, and no redirect is followed."""

    def __init__(self, channel: ChannelSettings, url: str, key: str) -> None:
        where = f"leaverwatch.toml: notify.channel.{channel.name}"
        path, _, query = url.strip().partition("?")
        address = check_base(path, where, allow_private=channel.allow_private, key="url")
        guard_logs([url.strip(), key, *(part for part in (*path.split("/")[3:], query) if len(part) >= 8)])
        self._url = url.strip()
        self._key = key.encode()
        self._name = channel.name
        self._deadline_s = channel.deadline_s
        self._wire = Wire(address, channel.name)
        self._session = requests.Session()
        self._session.trust_env = not address.loopback
        self._session.adapters.clear()
        self._session.mount(f"{address.origin.scheme}://", self._wire)
        self._session.auth = lambda request: request  # keeps ~/.netrc out

    def send(self, message: Message) -> None:
        """POST the message; any answer but 2xx is a failure."""
        body = payload(message, clock().isoformat(timespec="seconds").replace("+00:00", "Z"))
        seconds = int(clock().timestamp())
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "leaverwatch",
            SIGNATURE: signature(self._key, seconds, body),
        }
        timeouts = (min(CONNECT_S, self._deadline_s), self._deadline_s)
        try:
            with self._wire.until(self._deadline_s):
                answer = self._session.post(
                    self._url, data=body, headers=headers, timeout=timeouts, allow_redirects=False, stream=True
                )
                with answer:
                    status = answer.status_code
        except FOREIGN as error:
            raise NotDelivered(str(translated(error, self._name, ""))) from None
        except LeaverwatchError as error:  # the address leads inside
            raise NotDelivered(str(error)) from None
        if not 200 <= status < 300:
            raise NotDelivered(f"{self._name}: answered {status}")


def payload(message: Message, at: str) -> bytes:
    """The body: who is told, the title, the text, and the same in parts for programs."""
    return json.dumps(
        {
            "id": message.id,
            "at": at,
            "to": message.to,
            "title": message.title,
            "text": message.text,
            "sections": [
                {
                    "kind": section.kind,
                    "title": section.title,
                    "lines": section.lines,
                    "link": section.link,
                    "about": section.abouts,
                }
                for section in message.sections
            ],
        },
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()


def signature(key: bytes, seconds: int, body: bytes) -> str:
    """The value of the header."""
    signed = hmac.new(key, f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={seconds},v1={signed}"
