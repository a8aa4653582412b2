"""SQL: the accounts of an application read from its own database by a read-only query.

Reads      accounts by `query`, what they hold by a column or by `entitlements_query`
Changes    nothing: the transaction is read-only, and a task for a person closes an account
Databases  PostgreSQL and SQLite are at hand; others with their SQLAlchemy driver installed beside Leaverwatch
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, ExceptionContext, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError, SQLAlchemyError

from connectors.kit.addresses import is_loopback, is_private_name
from connectors.kit.contract import CanReadOne, Checked, Circumstances, Field, ReadsColumns
from connectors.kit.declared_account import FIELDS, Declared
from connectors.kit.fingerprints import Met
from connectors.kit.numbered import Ids, Noted
from connectors.kit.options import feed_table, text_option
from connectors.kit.patience import Deadline, hanging_up
from connectors.kit.peers import peers
from connectors.kit.portions import Meanings, gathered
from connectors.kit.quarantine import judge
from connectors.kit.redaction import guard_logs
from connectors.kit.resource import Reader, as_text
from governance.errors import (
    AuthenticationFailed,
    ConfigurationError,
    FeedError,
    IncompleteFeed,
    Unavailable,
    UnexpectedAnswer,
)
from governance.records import Account, Rejected, Rows
from governance.settings import ApplicationSettings, SourceSettings

PORTION: Final = 2_000
CONNECT_S: Final = 10
# What in an address of a database leads past its host.
_ELSEWHERE: Final = frozenset({"host", "hostaddr", "port", "service", "servicefile", "passfile", "unix_socket"})
_READS: Final = re.compile(r"\s*(select|with)\b", re.IGNORECASE)
# libpq gives no code for a refused connection, only the server's words.
_REFUSED: Final = re.compile(
    r"password authentication failed|not permitted to log in|no pg_hba.conf entry|role .* does not"
)
_NO_LOGIN: Final = ("28000", "28P01", "42501")  # PostgreSQL: invalid authorization, invalid password, no privilege


class Sql(ReadsColumns, CanReadOne):
    """Accounts from a database."""

    title = "SQL database"
    kind = "application"
    family = "protocol"
    fields = (
        Field(
            "url", "Where the database is, such as postgresql+psycopg://reader:…@host/name.", "secret", required=True
        ),
        Field("query", "The query that yields one row for each account.", required=True),
        Field("entitlements_query", "The query that yields account_id and entitlement, one row for each grant."),
        Field("fields", 'Which column is which of ours: last_seen_at = "last_login".', "table"),
        Field("values", 'What their values mean: values.active = { "1" = true, "0" = false }.', "table"),
        Field("units", 'How numbers tell a time: last_seen_at = "milliseconds" | "seconds" | "filetime".', "table"),
        Field("time_zone", "Of times without a zone.", default="UTC"),
        Field("allow_private", "Whether a private host is meant.", "flag", default=False),
    )
    tells = frozenset(
        {
            *("account.active", "account.last_seen", "account.created_at", "account.mfa", "account.grants"),
            *("account.attributes", "account.password", "account.credentials"),
        }
    )
    scopes = {"pull": ("SELECT on the tables of the query",), "read_one": ("the same",)}  # noqa: RUF012
    covers = ("what the query yields",)

    def __init__(self, feed: SourceSettings | ApplicationSettings, given: Circumstances) -> None:
        super().__init__(feed, given)
        where = self._where = feed_table(feed)
        fields = {name: name for name in ("account_id", *_COLUMNS)} | dict(self.options["fields"] or {})
        self._declared = Declared(feed, {**self.options, "fields": fields}, plain=True)
        self._query = _reading(text_option(self.options, "query", where), f"{where}: query")
        held = text_option(self.options, "entitlements_query", where)
        self._held_query = _reading(held, f"{where}: entitlements_query") if held else None
        self._url = _address(given, where, allow_private=self.options["allow_private"])
        self._engine = _engine(self._url, where, given.deadline_s, allow_private=self.options["allow_private"])
        self._deadline = Deadline(given.deadline_s, given.now)

    def check(self) -> Checked:
        """Run the query for one row."""
        with self._reading() as connection, closing(self._rows(connection, self._query)) as rows:
            row = next(rows, None)
        silent = self._declared.silent(row) if row else []
        return Checked(notes=(f"the query does not tell: {', '.join(silent)}",) if silent else ())

    def portions(self) -> Iterator[Rows]:
        """Yield every entitlement, account and grant once; the whole of one read-only transaction, or a FeedError."""
        reading, digest = self.reading, hashlib.sha256()
        reading.source = self._url.render_as_string(hide_password=True)
        reading.filters = " ".join(self._query.split())
        reader = self._declared.begin(self.given.now)
        seen = Met()
        with self._reading() as connection, ExitStack() as stack:
            held = self._grants(connection)
            rows = stack.enter_context(closing(self._rows(connection, self._query)))
            yield from gathered(self._read(rows, held, reader, seen, digest.update))
        reading.pages, reading.kept = 1, len(seen)
        reading.sha256 = digest.hexdigest()
        reader.note(reading)
        judge(reading, self.feed.name)
        if not reading.kept:
            raise IncompleteFeed(f"{self.feed.name}: the query yields no account at all; that is not believed")

    def account(self, account_id: str) -> Account | None:
        """The account as it is now, by the query narrowed to it; None when it is gone."""
        key: Any = sa.column(self._declared.key_path)
        wrapped = sa.text(self._query).columns(key).subquery("accounts")
        one: Any = sa.select(sa.literal_column("*")).select_from(wrapped).where(sa.cast(key, sa.String) == account_id)
        with self._reading() as connection:
            row = connection.execute(one).mappings().fetchone()
        return None if row is None else self._declared.one(_written(dict(row)), account_id, self.given.now)

    def close(self) -> None:
        """Let go of connections."""
        self._engine.dispose()

    def _read(
        self,
        rows: Iterator[dict[str, Any]],
        held: _Held | None,
        reader: Reader,
        seen: Met,
        digest: Callable[[bytes], None],
    ) -> Iterator[Rows]:
        """What the rows tell, some at a time; those without an id are quarantined, and each id is `seen` once."""
        reading, accounts = self.reading, self._declared
        while portion := list(islice(rows, PORTION)):
            good: dict[str, dict[str, Any]] = {}
            for row, account_id in zip(portion, accounts.keys(portion), strict=True):
                digest(repr(sorted(row.items(), key=str)).encode())
                reading.rows_read += 1
                if account_id is None:
                    where = f"row {reading.rows_read}"
                    reading.rejected.append(Rejected(where, accounts.key_path, "is missing or no text"))
                elif seen.new(account_id):
                    good[account_id] = row
                else:
                    reading.duplicates += 1
            told = list(good.values())
            if held is not None:
                told = [{**row, "entitlements": its} for row, its in zip(told, held.of(good), strict=True)]
            yield from accounts.accounts(reader, told, list(good))

    def _grants(self, connection: Connection) -> _Held | None:
        if self._held_query is None:
            return None
        held = _Held()
        with closing(self._rows(connection, self._held_query)) as rows:
            while portion := list(islice(rows, PORTION)):
                account_ids, entitlements = ([as_text(row.get(name)) for row in portion] for name in _GRANT)
                if None in account_ids or None in entitlements:
                    raise UnexpectedAnswer(
                        f"{self._where}: entitlements_query: expected the columns {' and '.join(_GRANT)}", "query"
                    )
                held.add(filter(None, account_ids), filter(None, entitlements))
        return held

    def _rows(self, connection: Connection, query: str) -> Generator[dict[str, Any]]:
        portions = connection.execution_options(stream_results=True, max_row_buffer=PORTION)
        with portions.execute(sa.text(query)) as result:
            for row in result.mappings():
                if self._deadline.left <= 0:
                    raise self._late()
                yield _written(dict(row))

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        """One read-only transaction within the deadline; our errors only, and never a value of the database in them."""
        deadline = self._deadline = Deadline(self.given.deadline_s, self.given.now)
        try:
            with self._engine.connect() as connection:
                if connection.dialect.name == "sqlite":
                    connection.connection.driver_connection.set_progress_handler(  # type: ignore[union-attr]
                        lambda: deadline.left <= 0, 10_000
                    )
                with hanging_up(deadline, lambda: _line(connection)):
                    yield connection
                connection.rollback()
        except FeedError:
            raise
        except DBAPIError as error:
            raise self._translated(error) from None
        except SQLAlchemyError as error:
            raise UnexpectedAnswer(f"{self.feed.name}: the query failed ({type(error).__name__})", "query") from None

    def _translated(self, error: DBAPIError) -> FeedError:
        place, state = self.feed.name, getattr(error.orig, "sqlstate", None)
        kind = type(error.orig).__name__
        if state in _NO_LOGIN or _REFUSED.search(str(error.orig)):
            return AuthenticationFailed(f"{place}: the database refuses this name, password or right")
        if self._deadline.left <= 0 or state == "57014":
            return self._late()
        if state is None and isinstance(error, OperationalError) and not str(error.orig).startswith("no such"):
            return Unavailable(f"{place}: the database cannot be reached or read ({kind})")
        return UnexpectedAnswer(f"{place}: the query failed ({kind}{f' {state}' if state else ''})", "query")

    def _late(self) -> Unavailable:
        return Unavailable(f"{self.feed.name}: not finished within the {self.given.deadline_s:g} s this may take")


_COLUMNS: Final = tuple(name for name in FIELDS if name != "account_id")
_GRANT: Final = ("account_id", "entitlement")


class _Held:
    """What each account holds, in the order it was told."""

    def __init__(self) -> None:
        self._ids = Ids()
        self._noted = Noted()  # of each account the numbers of what it holds
        self._numbers: dict[str, int] = {}
        self._names: list[str] = []  # of entitlements, by their numbers
        self._meant = Meanings(lambda numbers: [self._names[number] for number in numbers])

    def add(self, account_ids: Iterable[str], entitlements: Iterable[str]) -> None:
        """One grant of each pair."""
        told, known = list(entitlements), self._numbers
        for name in told:
            if name not in known:
                known[name] = len(self._names)
                self._names.append(name)
        self._noted.note(self._ids.numbers(account_ids), map(known.__getitem__, told))

    def of(self, account_ids: Iterable[str]) -> list[list[str]]:
        """What each of these accounts holds."""
        meant = self._meant
        return [meant[numbers] for numbers in self._noted.of(self._ids.known(account_ids))]


def _line(connection: Connection) -> int | None:
    """The socket under a connection to PostgreSQL, whose library waits on it without end; None elsewhere."""
    inner = getattr(connection.connection.driver_connection, "pgconn", None)
    return None if inner is None else int(inner.socket)


def _written(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row in the forms JSON would have; instants keep their zone."""
    return {
        str(key): value
        if value is None or isinstance(value, bool | int | str | list)
        else value.isoformat()
        if hasattr(value, "isoformat")
        else str(value)
        for key, value in row.items()
    }


def _reading(query: str | None, where: str) -> str:
    text = (query or "").strip().rstrip(";")
    if not _READS.match(text) or ";" in text:
        raise ConfigurationError(f"{where}: expected one SELECT")
    return text


def _let_go(failure: ExceptionContext) -> None:
    """Close the cursor of a line that broke, which SQLAlchemy leaves open; it complains much later otherwise."""
    run = failure.execution_context
    if failure.is_disconnect and run is not None and run.cursor is not None:
        run.cursor.close()


def _address(given: Circumstances, where: str, *, allow_private: bool) -> URL:
    secret = given.secrets.get("url") or ""
    guard_logs([secret])
    try:
        url = make_url(secret)
    except ArgumentError:
        raise ConfigurationError(
            f"{where}: url: is no address such as postgresql+psycopg://reader:…@host/name"
        ) from None
    if url.password:
        guard_logs([str(url.password)])
    host = url.host or ""
    if not allow_private:
        if elsewhere := sorted(_ELSEWHERE & {key.casefold() for key in url.query}):
            raise ConfigurationError(f"{where}: url: {elsewhere[0]}: the host stands before the name, nowhere else")
        if "," in host:
            raise ConfigurationError(f"{where}: url: names several hosts; expected one")
        if host and not is_loopback(host) and is_private_name(host):
            raise ConfigurationError(f"{where}: url: {host} is a private host; set allow_private = true to allow it")
    if url.get_backend_name() == "sqlite":
        path = given.home / Path(url.database or "")
        if not path.is_file():
            raise ConfigurationError(f"{where}: url: there is no file {path}")
        url = url.set(database=f"file:{path}", query={"mode": "ro", "uri": "true"})
    return url


def _engine(url: URL, where: str, deadline_s: float, *, allow_private: bool) -> sa.Engine:
    more: dict[str, Any] = {}
    if url.get_backend_name() == "postgresql":
        limit = int(deadline_s * 1000)
        options = f"-c default_transaction_read_only=on -c statement_timeout={limit}"
        more = {"connect_args": {"connect_timeout": max(1, min(CONNECT_S, int(deadline_s))), "options": options}}
    elif url.get_backend_name() == "sqlite":
        more = {"connect_args": {"timeout": min(5.0, deadline_s)}}  # for somebody who has locked it
    try:
        engine = sa.create_engine(url, pool_size=1, max_overflow=0, hide_parameters=True, **more)
    except (NoSuchModuleError, ModuleNotFoundError):
        name = url.drivername
        raise ConfigurationError(f"{where}: url: no driver for {name} is installed beside Leaverwatch") from None
    sa.event.listen(engine, "handle_error", _let_go)
    host = url.host

    if host and not allow_private:

        @sa.event.listens_for(engine, "do_connect")
        def look(_dialect: Any, _record: Any, _args: Any, told: dict[str, Any]) -> None:
            """Where the name leads to now; PostgreSQL's library is told to go there and nowhere else."""
            found = peers(host, url.port, f"{where}: url", allow_private=False)
            if found and url.get_backend_name() == "postgresql":
                told["hostaddr"] = found[0]

    return engine
