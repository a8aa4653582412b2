"""REST: the accounts of any application with a JSON API, declared in TOML instead of written in Python.

Reads      accounts and what they hold, as the tables `accounts` and `fields` declare
Changes    what the tables `deactivate` and `reactivate` declare, with a token of its own
Proof      the table `account` declares how one account is read again; without it the list is read to its end

Expressions are JMESPath (https://jmespath.org/specification.html): `profile.email`, `roles[].name`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

from connectors.kit.addresses import check_base
from connectors.kit.authorization import Fixed, basic, scheme
from connectors.kit.contract import CanDeactivate, CanReactivate, Checked, Circumstances, Field, ReadsColumns
from connectors.kit.declared import Call, Lister, Listing, One, declared, filled, filled_body, find
from connectors.kit.declared_account import Declared
from connectors.kit.fingerprints import Met
from connectors.kit.http import Http
from connectors.kit.options import feed_table, text_option
from connectors.kit.pagination import read_lists
from connectors.kit.portions import gathered
from connectors.kit.quarantine import judge, named
from connectors.kit.resource import Reader
from governance.errors import ConfigurationError, IncompleteFeed, NotSupported, UnexpectedAnswer
from governance.records import Account, Reading, Receipt, Rows
from governance.settings import ApplicationSettings, SourceSettings


class Rest(ReadsColumns, CanDeactivate, CanReactivate):
    """Accounts over a JSON API that the configuration describes."""

    title = "REST (any JSON API)"
    kind = "application"
    family = "protocol"
    fields = (
        Field("base_url", "The address the declared paths stand below.", "url", required=True),
        Field("token", "What proves who asks.", "secret", required=True),
        Field("write_token", "The same, with the right to change; without it nothing can be changed.", "secret"),
        Field("username", "With it the token is a password (basic authorization)."),
        Field("scheme", "The word before the token.", default="Bearer"),
        Field("header", "The header the token goes into, where it is not Authorization, such as X-Api-Key."),
        Field("accounts", "The list of accounts: path, params, items, paging, next, total.", "table", required=True),
        Field("fields", 'Where each of ours stands in one of theirs: active = "state".', "table", required=True),
        Field("values", "What their values mean: values.active = { enabled = true, locked = false }.", "table"),
        Field("units", 'How numbers tell a time: last_seen_at = "milliseconds" | "seconds" | "filetime".', "table"),
        Field("time_zone", "Of times without a zone.", default="UTC"),
        Field("account", "How one account is read: path, item.", "table"),
        Field(
            "deactivate",
            "The call that switches an account off: method, path, body.",
            "table",
            needed_for=("deactivate",),
        ),
        Field("reactivate", "The call that switches it on again.", "table", needed_for=("reactivate",)),
        Field("allow_private", "Whether a private host or plain http is meant.", "flag", default=False),
    )
    tells = frozenset(
        {
            *("account.active", "account.last_seen", "account.created_at", "account.mfa", "account.grants"),
            *("account.attributes", "account.password", "account.credentials"),
        }
    )
    scopes = {  # noqa: RUF012 - a declaration
        "pull": ("read accounts",),
        "read_one": ("read accounts",),
        "deactivate": ("change accounts",),
        "reactivate": ("change accounts",),
    }
    covers = ("what the declared list holds",)

    def __init__(self, feed: SourceSettings | ApplicationSettings, given: Circumstances) -> None:
        super().__init__(feed, given)
        where = self._where = feed_table(feed)
        options = self.options
        self._address = check_base(options["base_url"], where, allow_private=options["allow_private"])
        self._list = declared(Listing, options["accounts"], f"{where}: accounts")
        self._one = declared(One, options["account"], f"{where}: account") if options["account"] else None
        self._calls = {
            verb: declared(Call, options[verb], f"{where}: {verb}")
            for verb in ("deactivate", "reactivate")
            if options[verb]
        }
        for verb, call in self._calls.items():
            filled(call.path, "x", f"{where}: {verb}.path")
        self._declared = Declared(feed, options)
        if not given.secrets.get("token"):
            raise ConfigurationError(f"{where}: token: is empty")
        self._http = self._session("token")
        self._writing: Http | None = None

    def check(self) -> Checked:
        """Ask for the first page."""
        self._http.begin()
        page = Lister(self._http, self._list).page(None)
        silent = self._declared.silent(page.items[0]) if page.items else []
        return Checked(notes=(f"the first account does not tell: {', '.join(silent)}",) if silent else ())

    def portions(self) -> Iterator[Rows]:
        """Yield every entitlement, account and grant once; IncompleteFeed unless all declared accounts came."""
        self._http.begin()
        reading, place, lister = self.reading, self.feed.name, Lister(self._http, self._list)
        reading.source = self._address.join(self._list.path)
        reading.filters = "&".join(f"{key}={value}" for key, value in (self._list.params | self._list.body).items())
        reader = self._declared.begin(self.given.now)
        yield from gathered(self._pages(lister, reader))
        reader.note(reading)
        reading.sha256 = hashlib.sha256("".join(lister.digests).encode()).hexdigest()
        judge(reading, place)
        if not reading.kept:
            raise IncompleteFeed(f"{place}: the list holds no account at all; that is not believed")

    def account(self, account_id: str) -> Account | None:
        """The account as it is now; None when it is gone."""
        self._http.begin()
        keys = self._declared.keys
        if self._one is None:
            pages = read_lists(Lister(self._http, self._list).page, keys, Reading(), self.feed.name)
            told = (pair for _, items in pages for pair in zip(keys(items), items, strict=True))
            found = next((item for key, item in told if key == account_id), None)
        else:
            path = filled(self._one.path, account_id, f"{self._where}: account.path")
            answer = self._http.get(path, allow=(404, 410))
            found = None if answer.status != 200 else find(self._one.item, answer.data)
            if answer.status == 200 and keys([found]) != [account_id]:
                raise UnexpectedAnswer(f"{answer.path}: the answer is another account than {account_id}", answer.path)
        return None if found is None else self._declared.one(found, account_id, self.given.now)

    def deactivate(self, account_id: str) -> Receipt:
        """Switch the account off by the declared call."""
        return self._call("deactivate", account_id)

    def reactivate(self, account_id: str) -> Receipt:
        """Switch the account on by the declared call."""
        return self._call("reactivate", account_id)

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()
        if self._writing:
            self._writing.close()

    def _pages(self, lister: Lister, reader: Reader) -> Iterator[Rows]:
        """What each page tells; rows without an id are quarantined."""
        reading, accounts = self.reading, self._declared
        for numbers, items in read_lists(lister.page, accounts.keys, reading, self.feed.name):
            good = named(numbers, items, accounts.keys(items), Met(), reading, accounts.key_path)
            reading.kept += len(good)
            yield from accounts.accounts(reader, list(good.values()), list(good))

    def _call(self, verb: str, account_id: str) -> Receipt:
        call = self._calls.get(verb)
        if call is None:
            raise NotSupported(f"{self.feed.name}: no call is declared to {verb} an account; a person has to do it")
        if not self.given.write or not self.given.secrets.get("write_token"):
            raise NotSupported(f"{self.feed.name}: is read-only here: writing is switched off or has no write_token")
        if self._writing is None:
            self._writing = self._session("write_token")
        self._writing.begin()
        path = filled(call.path, account_id, f"{self._where}: {verb}.path")
        body = filled_body(call.body, account_id)
        answer = self._writing.send(call.method, path, body, idempotent=call.method != "POST")
        return Receipt(self._writing.deadline.now, f"{call.method} {answer.path}", str(answer.status))

    def _session(self, secret: str) -> Http:
        token, place = self.given.secrets[secret], self.feed.name
        header, username = (text_option(self.options, name, self._where) for name in ("header", "username"))
        auth = basic(username, token, place) if username else scheme(self.options["scheme"], token, place)
        headers = {"Accept": "application/json"}
        if header:
            headers[header], auth = (scheme("", token, place).header() or "").strip(), Fixed(None)
        return Http(self._address, self.given, place, auth=auth, headers=headers)
