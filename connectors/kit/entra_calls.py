"""Calls to Microsoft Graph: who asks, page by page, and what its refusals mean.

Confirmed in Microsoft's documentation: `@odata.nextLink` is followed as it is (paging); the token of an application
carries its permissions in the claim `roles` (access token claims). Seen in other readers of Graph: a directory without
the licence is refused with 403 Authentication_RequestFromNonPremiumTenantOrB2CTenant, and privileged identity
management with 400 AadPremiumLicenseRequired.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote

from connectors.kit.addresses import Address
from connectors.kit.answers import Answer
from connectors.kit.authorization import Granted, client_secret, token_endpoint
from connectors.kit.columns import keys_of
from connectors.kit.contract import Circumstances
from connectors.kit.http import Http
from connectors.kit.pacing import RateLimit
from connectors.kit.pagination import Numbered, Page, entries_of, read_lists
from connectors.kit.resource import as_text
from governance.errors import UnexpectedAnswer
from governance.records import Reading

_LICENCE: Final = ("nonpremium", "premiumlicense", "licenserequired", "licensenotfound")
_REFUSED: Final = (400, 403)


@dataclass(frozen=True)
class Refused:
    """A list the credential or the licence does not open."""

    licence: bool

    def words(self, permission: str, licence: str) -> str:
        """Why, in plain words."""
        return f"the directory has no {licence} licence" if self.licence else f"{permission} is missing"


class Application:
    """A registered application that asks for tokens with its secret."""

    def __init__(
        self, login: Address, graph: Address, given: Circumstances, place: str, tenant: str, client_id: str, secret: str
    ) -> None:
        http = self._http = Http(login, given, place)
        scope = f"{graph.origin.scheme}://{graph.origin.host}/.default"
        path = f"{step(tenant)}/oauth2/v2.0/token"
        self.granted = Granted(token_endpoint(http, path, client_secret(client_id, secret, scope), place))

    def permissions(self) -> frozenset[str] | None:
        """What the application may do, as its own token says; None when the token does not tell.

        The signature is not looked at: nothing is decided by it but what is said about our own credential.
        """
        parts = self.granted.token.value.split(".")
        try:
            claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        except (IndexError, ValueError):
            return None
        roles = claims.get("roles") if isinstance(claims, Mapping) else None
        return frozenset(r for r in roles if isinstance(r, str)) if isinstance(roles, list) else frozenset()

    def close(self) -> None:
        """Let go of the connection."""
        self._http.close()


class EntraCalls:
    """One session with one directory. `digest` sums up the bytes of all lists."""

    def __init__(
        self,
        address: Address,
        given: Circumstances,
        place: str,
        application: Application,
        limits: tuple[RateLimit, ...],
    ) -> None:
        self.http = Http(
            address, given, place, auth=application.granted, headers={"Accept": "application/json"}, limits=limits
        )
        self.place = place
        self.digest = hashlib.sha256()
        self._application = application

    def pages(self, path: str, params: Mapping[str, str], reading: Reading) -> Iterator[tuple[int, Any]]:
        """Every entry of a list once, with its number."""
        return entries_of(self.lists(path, params, reading))

    def lists(
        self,
        path: str,
        params: Mapping[str, str],
        reading: Reading,
        *,
        counted: bool = False,
        first: Answer | None = None,
    ) -> Iterator[Numbered]:
        """The same page by page; `first`: the first page, where it was asked for before."""
        return self._read(path, reading, [first] if first else [], params, counted=counted)

    def may_list(
        self, path: str, params: Mapping[str, str], reading: Reading, *, gone: bool = False
    ) -> Iterator[tuple[int, Any]] | Refused:
        """The same for a list that may be closed, which the first page tells; `gone`: 404 is an empty one."""
        found = self.may_read(path, params, reading, gone=gone)
        return found if isinstance(found, Refused) else entries_of(found)

    def may_read(
        self, path: str, params: Mapping[str, str], reading: Reading, *, gone: bool = False
    ) -> Iterator[Numbered] | Refused:
        """The same page by page."""
        answer = self.http.get(path, params, allow=(*_REFUSED, 404) if gone else _REFUSED)
        if answer.status == 404:
            return iter(())
        if answer.status in _REFUSED:
            code = error_code(answer).casefold()
            licence = any(word in code for word in _LICENCE)
            if answer.status == 400 and not licence:
                raise UnexpectedAnswer(f"{self.place}: GET {answer.path}: answered 400", answer.path)
            return Refused(licence)
        return self._read(path, reading, [answer], params, counted=False)

    def close(self) -> None:
        """Let go of connections."""
        self.http.close()
        self._application.close()

    def _read(
        self,
        path: str,
        reading: Reading,
        waiting: list[Answer],
        params: Mapping[str, str],
        *,
        counted: bool,
    ) -> Iterator[Numbered]:
        def fetch(cursor: str | None) -> Page:
            if waiting:
                answer = waiting.pop()
            else:
                answer = self.http.get(path, params) if cursor is None else self.http.get(cursor)
            self.digest.update(answer.sha256.encode())
            return Page(entries(answer), self.following(answer))

        return read_lists(fetch, entry_ids, reading, f"{self.place}: {path}", counted=counted)

    def following(self, answer: Answer, name: str = "@odata.nextLink") -> str | None:
        """A link of the answer, made sure to lead back here."""
        link = answer.data.get(name) if isinstance(answer.data, Mapping) else None
        return None if link is None else self.http.pin(str(link), answer)


def step(value: str) -> str:
    """An id as one step of a path."""
    return quote(value, safe="")


def entry_id(entry: Any) -> str | None:
    """The id of an entry; None when it has none."""
    return as_text(entry.get("id")) if isinstance(entry, dict) else None


def entry_ids(rows: Iterable[Any]) -> list[str | None]:
    """The id of each entry."""
    return keys_of(rows, "id")


def entries(answer: Answer) -> list[Any]:
    """What stands below `value`."""
    rows = answer.data.get("value") if isinstance(answer.data, Mapping) else None
    if not isinstance(rows, list):
        raise UnexpectedAnswer(f"{answer.path}: expected a list below value", answer.path)
    return rows


def error_code(answer: Answer) -> str:
    """Graph's code of an error."""
    error = answer.data.get("error") if isinstance(answer.data, Mapping) else None
    return (as_text(error.get("code")) or "") if isinstance(error, Mapping) else ""
