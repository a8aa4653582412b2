"""What an operator declares about a JSON API in TOML: how its lists are asked for, to their end, and its calls."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, Literal, TypeVar
from urllib.parse import quote

import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from connectors.kit.answers import Answer
from connectors.kit.http import Http
from connectors.kit.pagination import Page
from connectors.kit.resource import as_text
from governance.errors import ConfigurationError, UnexpectedAnswer

Column = Callable[[Sequence[Any]], list[Any]]  # what stands at one place in each of several objects
Paging = Literal["none", "link", "cursor", "page", "offset"]
_STEP: Final = re.compile(r'([A-Za-z_][A-Za-z0-9_]*)|"([^"\\]+)"|\[(-?[0-9]+)\]')
_PLAIN: Final = re.compile(
    r'(?:[A-Za-z_][A-Za-z0-9_]*|"[^"\\]+")(?:\.(?:[A-Za-z_][A-Za-z0-9_]*|"[^"\\]+")|\[-?[0-9]+\])*', re.ASCII
)
_PLACE: Final = re.compile(r"\{([a-z_]+)\}")


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


T = TypeVar("T", bound=_Table)


class Listing(_Table):
    """One list of an API: what to ask, and how to come to its end.

    Paging: `link` follows the Link header, or the address that `next` finds in the answer; `cursor` sends what `next`
    finds as `cursor_param`; `page` counts pages from `first_page`; `offset` counts entries. Expressions are JMESPath.
    """

    path: str
    method: Literal["GET", "POST"] = "GET"
    params: dict[str, str | int | bool] = Field(default_factory=dict)
    body: dict[str, Any] = Field(default_factory=dict)  # of a POST; paging goes into it as well
    items: str = "@"  # where the list stands; by default the answer is the list
    total: str | None = None  # where it is told how many there are
    paging: Paging = "none"
    next: str | None = None
    cursor_param: str = "cursor"
    page_param: str = "page"
    first_page: int = 1
    offset_param: str = "offset"
    size_param: str | None = None
    size: int = Field(default=100, ge=1, le=10_000)

    @field_validator("items", "total", "next")
    @classmethod
    def _compiles(cls, value: str | None) -> str | None:
        return None if value is None else checked(value)


class Call(_Table):
    """One change: `{account_id}` in path and body is replaced."""

    method: Literal["POST", "PUT", "PATCH", "DELETE"] = "POST"
    path: str
    body: dict[str, Any] | None = None


class One(_Table):
    """How one account is read: `{account_id}` in the path is replaced."""

    path: str
    item: str = "@"

    @field_validator("item")
    @classmethod
    def _compiles(cls, value: str) -> str:
        return checked(value)


def checked(expression: str) -> str:
    """A JMESPath expression that compiles; ValueError says why it does not."""
    try:
        jmespath.compile(expression)
    except JMESPathError as error:
        raise ValueError(f"{expression!r} is no JMESPath expression: {str(error).splitlines()[0]}") from None
    return expression


def find(expression: str, data: Any) -> Any:
    """What the expression finds; None where the answer has another form."""
    return finder(expression)([data])[0]


@lru_cache(1024)
def finder(expression: str) -> Column:
    """What the expression finds in each of several objects. Plain paths, which nearly all are, need no interpreter."""
    if _PLAIN.fullmatch(expression):
        steps = tuple(int(i) if i else quoted or name for name, quoted, i in _STEP.findall(expression))
        return lambda objects: _walk(steps, objects)
    compiled = jmespath.compile(expression)

    def search(data: Any) -> Any:
        try:
            return compiled.search(data)
        except JMESPathError:
            return None

    return lambda objects: list(map(search, objects))


def _walk(steps: tuple[str | int, ...], found: Sequence[Any]) -> list[Any]:
    for step in steps:
        if isinstance(step, str):
            found = [one.get(step) if type(one) is dict else None for one in found]
        else:
            found = [one[step] if type(one) is list and -len(one) <= step < len(one) else None for one in found]
    return list(found)


def declared(kind: type[T], value: Any, where: str) -> T:
    """The declaration of that kind; ConfigurationError names the key that is wrong."""
    try:
        return kind.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"])
        message = "this key is not known here" if first["type"] == "extra_forbidden" else first["msg"]
        raise ConfigurationError(f"{where}.{key}: {message.removeprefix('Value error, ')}") from None


def filled(text: str, account_id: str, where: str) -> str:
    """A path with the account's id in its place, quoted so that no id can lead elsewhere."""
    for name in _PLACE.findall(text):
        if name != "account_id":
            raise ConfigurationError(f"{where}: {{{name}}} is not known; there is {{account_id}}")
    if account_id in (".", ".."):
        raise UnexpectedAnswer(f"{where}: an account whose id is {account_id!r} cannot be asked for", text)
    return text.replace("{account_id}", quote(account_id, safe=""))


def filled_body(value: Any, account_id: str) -> Any:
    """A body with the account's id in its places."""
    if isinstance(value, str):
        return value.replace("{account_id}", account_id)
    if isinstance(value, Mapping):
        return {key: filled_body(inner, account_id) for key, inner in value.items()}
    return [filled_body(inner, account_id) for inner in value] if isinstance(value, list) else value


@dataclass
class Lister:
    """Fetches the pages of one declared list."""

    http: Http
    listing: Listing
    digests: list[str] = field(default_factory=list)  # SHA-256 of the answers, in order

    def page(self, cursor: str | None) -> Page:
        """One page; `cursor` as the page before told it."""
        answer = self._ask(cursor)
        self.digests.append(answer.sha256)
        items = find(self.listing.items, answer.data)
        if not isinstance(items, list):
            raise UnexpectedAnswer(f"{answer.path}: there is no list at {self.listing.items!r}", answer.path)
        told = find(self.listing.total, answer.data) if self.listing.total else None
        digits = as_text(told)
        counted = int(digits) if digits and digits.isascii() and digits.isdigit() else None
        if told is not None and counted is None:
            raise UnexpectedAnswer(f"{answer.path}: {self.listing.total!r} tells no number of accounts", answer.path)
        return Page(items, self._next(answer, items, cursor, counted), counted)

    def _ask(self, cursor: str | None) -> Answer:
        listing = self.listing
        if cursor is not None and listing.paging == "link":
            return self.http.get(cursor)
        more: dict[str, Any] = {**(listing.body if listing.method == "POST" else listing.params)}
        more |= dict(self._place(cursor))
        if listing.method == "POST":
            return self.http.ask(listing.path, more)
        return self.http.get(listing.path, {key: _written(value) for key, value in more.items()})

    def _place(self, cursor: str | None) -> Iterator[tuple[str, Any]]:
        listing = self.listing
        if listing.size_param and listing.paging != "none":
            yield listing.size_param, listing.size
        if listing.paging == "cursor" and cursor is not None:
            yield listing.cursor_param, cursor
        elif listing.paging == "page":
            yield listing.page_param, int(cursor or listing.first_page)
        elif listing.paging == "offset":
            yield listing.offset_param, int(cursor or 0)

    def _next(self, answer: Answer, items: list[Any], cursor: str | None, total: int | None) -> str | None:
        listing = self.listing
        if listing.paging == "link":
            told = _leads(find(listing.next, answer.data), answer) if listing.next else None
            return self.http.pin(told, answer) if told else self.http.next_link(answer)
        if listing.paging == "cursor":
            return _leads(find(listing.next or "next", answer.data), answer)
        if not items or listing.paging == "none":
            return None
        # Servers cap the size they are asked for: a short page is no end, only an empty one or the declared total is.
        if listing.paging == "offset":
            begin = int(cursor or 0) + len(items)
            return None if total is not None and begin >= total else str(begin)
        return str(int(cursor or listing.first_page) + 1)


def _leads(value: Any, answer: Answer) -> str | None:
    """What leads to the next page; None where there is none. What cannot be read is no end of the list."""
    if value is None or value == "" or value is False:
        return None
    told = as_text(value)
    if told is None:
        raise UnexpectedAnswer(f"{answer.path}: what leads to the next page is no text", answer.path)
    return told


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
