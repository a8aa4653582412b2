"""Text that came from outside, made harmless: names may hold markdown, HTML or directions for the eye."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

_PUNCTUATION: Final = re.compile(r"([!-/:-@\[-`{-~])")
# Markdown makes links of bare addresses even where every sign is escaped: code is left alone, and a link is broken up.
_MAIL: Final = re.compile(r"[-.\w+]+@[-\w]+(?:\.[-\w]+)+")
_LINK: Final = re.compile(r"(https?|www)(?=:|\.)", re.IGNORECASE)
_JOINER: Final = "\u2060"
_WIDE: Final = "\u2003"


def plain(value: object) -> str:
    """Text as markdown that shows exactly these characters: nothing in it is bold, a link, a colour or a formula.

    Control characters and those that turn the direction of writing become a visible replacement sign.
    """
    text = seen(value)
    parts, at = [], 0
    for mail in _MAIL.finditer(text):
        parts += [_escaped(text[at : mail.start()]), f"`{mail.group()}`"]
        at = mail.end()
    return "".join((*parts, _escaped(text[at:])))


def seen(value: object) -> str:
    """The same signs for a place that knows no markdown: nothing hidden in them, on one line."""
    text = str(value)
    if not (text.isascii() and text.isprintable()):  # most names need no look at every sign
        text = "".join(_visible(character) for character in text)
    return " ".join(text.split())


def sentence(value: object) -> str:
    """The same as a sentence of its own: a capital first, unless it begins with an address or a name, a stop last."""
    text = seen(value).strip()
    begin = text[:1].upper() if text.split(" ", 1)[0].rstrip(",").isalpha() else text[:1]
    end = "" if text.endswith((".", "!", "?")) else "."
    return plain(f"{begin}{text[1:]}{end}") if text else ""


def _escaped(text: str) -> str:
    return _PUNCTUATION.sub(r"\\\1", _LINK.sub(rf"\1{_JOINER}", text))


def _visible(character: str) -> str:
    if character.isspace():
        return " "
    return "\ufffd" if unicodedata.category(character) in {"Cc", "Cf", "Cs", "Co", "Cn"} else character


def code(value: object) -> str:
    """The same signs in the type of machines: names of accounts, as they must be typed."""
    return f"`{' '.join(seen(value).replace('`', ' ').split()) or ' '}`"


def bold(value: object) -> str:
    """The same, in bold."""
    return f"**{plain(value)}**"


def hot(value: object) -> str:
    """The same in bold red: only for what hurts."""
    return f":red[**{plain(value)}**]"


def warm(value: object) -> str:
    """The same in bold orange: outdated or late."""
    return f":orange[**{plain(value)}**]"


def dim(value: object) -> str:
    """The same in grey."""
    return f":gray[{plain(value)}]"


def small_row(parts: list[str]) -> str:
    """Pieces of markdown beside each other, in small type."""
    return f":small[{_WIDE.join(parts)}]"
