"""Mail, Slack and Teams, through Apprise."""

from __future__ import annotations

import logging
import re
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from apprise import Apprise, LogCapture, NotifyFormat
from apprise.plugins.email import NotifyEmail
from apprise.plugins.slack import NotifySlack
from apprise.plugins.workflows import NotifyWorkflows

from connectors.kit.redaction import guard_logs, strike
from governance.channels import ChannelSettings
from governance.errors import ConfigurationError, NotDelivered
from governance.notices import Message

_PLUGINS: Final[dict[str, tuple[type[Any], str]]] = {
    "mail": (NotifyEmail, "mailtos://name:password@smtp.example.com or mailto://127.0.0.1:25"),
    "slack": (NotifySlack, "slack://… or the https://hooks.slack.com/services/… that Slack shows"),
    "teams": (NotifyWorkflows, "workflows://… or the https://….logic.azure.com/… that Teams shows"),
}
_WORD: Final = re.compile(r"[a-z]+")
_MARKS: Final = re.compile(r"([\\`*_{}\[\]()#+\-!<>|~])")
_ESCAPED: Final = r"\\\1"
_CAUSE: Final = "Socket Exception: "  # how Apprise's debug lines begin that say why a mail server was not reached


class AppriseLine:
    """One mail server, one room in Slack, or one in Teams."""

    def __init__(self, channel: ChannelSettings, url: str) -> None:
        self._name = channel.name
        self._kind, wanted = _PLUGINS[channel.kind]
        guard_logs(_secrets(url))
        found = Apprise.instantiate(url.strip(), suppress_exceptions=True)
        if not isinstance(found, self._kind):
            raise ConfigurationError(f"leaverwatch.toml: notify.channel.{channel.name}.url: expected {wanted}")
        self._plugin: Any = found
        self._plugin.request_rate_per_sec = 0  # else it sleeps 5.5 s after each; `most_per_minute` is our own limit
        self._mail, self._teams = channel.kind == "mail", channel.kind == "teams"
        if self._mail:
            self._plugin.from_addr = ["Leaverwatch", str(channel.sender)]

    def send(self, message: Message) -> None:
        """Hand the message over; a mail goes to the person it is for, and says that no answer is expected."""
        if self._mail:
            self._plugin.targets = [(False, message.to)]
            # RFC 3834: who is on holiday does not answer. The id is the same when a message is tried again.
            self._plugin.headers = {"Auto-Submitted": "auto-generated", "X-Leaverwatch-Message": message.id}
        # Teams knows no plain text, and makes no links of addresses whose dots Apprise has escaped.
        body, form = (markdown(message), NotifyFormat.MARKDOWN) if self._teams else (message.text, NotifyFormat.TEXT)
        with LogCapture(level=logging.DEBUG, fmt="%(levelname)s %(message)s") as said:  # type: ignore[no-untyped-call]
            try:
                taken = self._plugin.notify(body=body, title=message.title, body_format=form)
            except Exception as error:  # noqa: BLE001 - whatever a library of plugins raises, the others are still sent
                raise NotDelivered(f"{self._name}: {type(error).__name__}") from None
            words = said.getvalue()
        if not taken:
            raise NotDelivered(f"{self._name}: {_why(words, causes=self._mail)}")


def markdown(message: Message) -> str:
    """The message with links; what people typed stays what it is."""
    parts = []
    for section in message.sections:
        lines = [f"- {_MARKS.sub(_ESCAPED, line)}" for line in section.lines]
        parts.append(
            "\n".join((f"**{_MARKS.sub(_ESCAPED, section.title)}**\n", *lines)) + f"\n\n[Open]({section.link})"
        )
    return "\n\n".join((*parts, message.foot))


def _why(log: str, *, causes: bool) -> str:
    """What Apprise warned of; for mail also what the server said. Its other lines may hold the message itself."""
    lines = [line.partition(" ")[::2] for line in log.splitlines()]
    told = [text for level, text in lines if level in ("WARNING", "ERROR")]
    if causes:
        told += [text.removeprefix(_CAUSE) for _, text in lines if text.startswith(_CAUSE)]
    return strike(" ".join(told))[:500] or "was not taken, without a reason"


def _secrets(url: str) -> list[str]:
    """The parts of an address that only who is meant to send should know: all but the host and plain words."""
    parts = urlsplit(url.strip())
    pieces = re.split(r"[/?&=#]", f"{parts.path}?{parts.query}#{parts.fragment}")
    if parts.scheme.startswith("mailto"):
        pieces = []
    elif not parts.scheme.startswith("http"):
        pieces.append(parts.hostname or "")  # Slack's own addresses begin with a token where a host would stand
    pieces += [parts.password or ""]
    return [url.strip(), *(unquote(p) for p in pieces if len(p) >= 8 and not _WORD.fullmatch(p))]
