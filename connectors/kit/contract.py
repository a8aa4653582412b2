"""What a connector is: a declaration at the top, one generator of records, and one small verb per capability."""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, Literal, Protocol

from connectors.kit.pacing import RateLimit
from governance.errors import ConfigurationError, IncompleteFeed
from governance.records import Account, Configured, Credential, Event, Gone, Reading, Receipt, Record, Rows
from governance.settings import ApplicationSettings, SourceSettings

FieldKind = Literal["text", "url", "path", "flag", "number", "secret", "table"]
Family = Literal["identity provider", "application", "protocol", "hr"]
NOT_CONNECTORS = frozenset({"kit", "sandbox"})
_FEW = 10  # requests


@dataclass(frozen=True)
class Field:
    """One key of the configuration that belongs to a connector."""

    name: str
    help: str
    kind: FieldKind = "text"
    required: bool = False
    default: Any = None
    needed_for: tuple[str, ...] = ()  # capabilities that are missing while it is not set
    rules_out: tuple[str, ...] = ()  # capabilities that are missing where it is set


@dataclass(frozen=True)
class Circumstances:
    """What a connector is given besides its settings: secrets by field name, folders, limits and the time.

    `write` is True only when `[act]` is enabled and the feed has a write credential: without it a connector must not
    change anything.
    """

    now: datetime
    home: Path  # relative paths in the configuration start here
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    write: bool = False
    deadline_s: float = 300.0  # for one whole pull
    max_answer_bytes: int = 64 * 1024 * 1024
    limit_share: float = 0.5  # of the other side's rate limit; the rest is for everybody else


@dataclass(frozen=True)
class Checked:
    """What proving a credential brought to light. `missing` and `excess` are rights, in the vendor's own words."""

    notes: tuple[str, ...] = ()  # limits of a plan or licence that were noticed
    missing: tuple[str, ...] = ()  # without these less can be read or changed than the connector is able to
    excess: tuple[str, ...] = ()  # beyond the least scopes


@dataclass(frozen=True)
class Manner:
    """How an identity provider pushes, where that leaves something open. `manner`: one that the radar knows.

    `steps` end it at the provider, in the vendor's own words; `{title}` is the application that is pushed to.
    """

    manner: str
    text: str
    steps: tuple[str, ...] = ()
    days: int | None = None


class Connector(ABC):
    """One kind of system that can be read. The name is the file's name."""

    title: ClassVar[str]
    kind: ClassVar[Literal["source", "application"]]
    family: ClassVar[Family] = "application"  # what a catalogue groups it by; every source is "hr"
    fields: ClassVar[tuple[Field, ...]] = ()
    tells: ClassVar[frozenset[str]] = frozenset()  # signals of governance.declaration.SIGNALS it can tell
    scopes: ClassVar[Mapping[str, tuple[str, ...]]] = {}  # capability -> least scopes
    plans: ClassVar[tuple[str, ...]] = ()  # limits of licences and plans, in plain words
    limits: ClassVar[tuple[RateLimit, ...]] = ()  # what the vendor publishes
    manners: ClassVar[tuple[Manner, ...]] = ()  # of an identity provider: what its pushes leave open
    covers: ClassVar[tuple[str, ...]] = ()  # which kinds of accounts are read, and which are not and why

    def __init__(self, feed: SourceSettings | ApplicationSettings, given: Circumstances) -> None:
        self.feed = feed
        self.given = given
        self.options = check_options(type(self), feed)
        self.reading = Reading()

    @classmethod
    def name(cls) -> str:
        """The connector's id: its file's name."""
        return cls.__module__.rpartition(".")[2]

    @classmethod
    def capabilities(cls) -> tuple[str, ...]:
        """What this connector can do, told by its types."""
        return ("pull", *(word for base, word in _CAPABILITIES if issubclass(cls, base)))

    @abstractmethod
    def check(self) -> Checked:
        """Prove the credential with the cheapest call; raise a FeedError when it is not enough."""

    @abstractmethod
    def records(self) -> Iterator[Record]:
        """Yield every record once, active or not, and fill `self.reading`; raise a FeedError unless all were read."""

    def portions(self) -> Iterator[Record | Rows]:
        """The same, as a pull takes it: many at once where the connector reads columns."""
        yield from self.records()

    def close(self) -> None:  # noqa: B027 - most connectors hold nothing open
        """Let go of connections."""


class ReadsColumns(Connector):
    """A connector that reads column by column: `portions` is what it has to say, and it is the whole reading."""

    @abstractmethod
    def portions(self) -> Iterator[Rows]:
        """Yield every record once, many at once, and fill `self.reading`; raise a FeedError unless all were read."""

    def records(self) -> Iterator[Record]:
        """The same one by one."""
        for portion in self.portions():
            yield from portion.records()


class CanReadOne(ABC):
    """Can read one account again: what verification needs."""

    @abstractmethod
    def account(self, account_id: str) -> Account | None:
        """The account as it is now; None when it is gone."""


class CanDeactivate(CanReadOne):
    """Can make an account unable to sign in, reversibly. Doing it twice is the same as once."""

    @abstractmethod
    def deactivate(self, account_id: str) -> Receipt:
        """Switch the account off."""


class CanReactivate(CanReadOne):
    """Can let an account sign in again."""

    @abstractmethod
    def reactivate(self, account_id: str) -> Receipt:
        """Switch the account on."""


class CanSuspend(CanReadOne):
    """Can lock an account more mildly than by deactivating it: nothing it holds is lost. Undone by `reactivate`."""

    @abstractmethod
    def suspend(self, account_id: str) -> Receipt:
        """Lock the account."""


class CanRevokeGrant(ABC):
    """Can take one entitlement from one account, and give it back."""

    @abstractmethod
    def revoke_grant(self, account_id: str, entitlement_id: str) -> Receipt:
        """Take the entitlement away; NotSupported where something else decides about it, such as a group rule."""

    @abstractmethod
    def restore_grant(self, account_id: str, entitlement_id: str) -> Receipt:
        """Give the entitlement back."""


class CanEndSessions(ABC):
    """Can end what an account is signed in with right now."""

    @abstractmethod
    def end_sessions(self, account_id: str) -> Receipt:
        """Sign the account out everywhere."""


class CanListCredentials(ABC):
    """Can tell which tokens, keys and grants still open an account."""

    @abstractmethod
    def credentials(self, account_id: str) -> list[Credential]:
        """Every credential of the account that works now."""

    @abstractmethod
    def revoke_credential(self, account_id: str, credential_id: str) -> Receipt:
        """Make the credential useless; NotSupported where only a person can."""


class TellsEvents(ABC):
    """Can tell what happened since the last time: sign-ins, steps of provisioning, changes of rights."""

    mark: str | None = None  # where to go on next time; set by `events`, kept with the snapshot that holds the events

    @abstractmethod
    def events(self, since: datetime, mark: str | None) -> Iterator[Event]:
        """What happened from `mark` on, or from `since` when there is none. It may come twice, none is lost."""


class MarkRefused(IncompleteFeed):
    """What changed since a mark cannot be told, or not in full: everything must be read. The pull does so at once."""


def demand_fewer(requests: int, everybody: int, size: int, why: str) -> None:
    """MarkRefused where these requests for some accounts are more than those for everybody, `size` at once.

    A few are always worth it: a list of everybody brings more than these accounts.
    """
    if requests > everybody / size + _FEW:
        raise MarkRefused(f"{why}: reading all of them takes less")


class Before(Protocol):
    """What the last believed snapshot holds of the application: what did not change is taken from there.

    It is told a portion at a time, always in the same order, as there may be millions of each.
    """

    def accounts(self, *columns: str) -> Iterator[tuple[list[Any], ...]]:
        """These columns of every account that was there, each column as a list."""

    def entitlements(self) -> Iterator[str]:
        """The id of every entitlement there was."""

    def grants(self) -> Iterator[tuple[str, list[str], list[str], list[datetime | None]]]:
        """An entitlement, the accounts of a portion that held it, and how and since when each of them did."""


class TellsChanges(ABC):
    """Can tell which accounts changed since an earlier reading, so that the others need not be read again.

    What is laid over the last believed snapshot must give what reading everything would give. So `changes` yields every
    entitlement and every grant as they are now (lists that are cheap are read; the rest is what `before` holds), the
    accounts that changed as they are now, and Gone for those that are not there any more. What it cannot see, it says
    in `reading.notes`: the next reading of everything repairs that. Where it cannot be sure, it raises MarkRefused.
    """

    changes_mark: str | None = None  # where to go on; set by `records` and by `changes`. None: everything must be read

    @abstractmethod
    def changes(self, mark: str, before: Before) -> Iterator[Record | Rows | Gone]:
        """What is different since `mark`. An account may come although it did not change, none that did is left out."""


class TellsMapping(ABC):
    """Can tell what it is set up to give to whom at a sign-in: groups assigned to an application, default groups."""

    @abstractmethod
    def configured(self, application: ApplicationSettings) -> Configured:
        """What it gives in that application, which may be its own; ConfigurationError when it knows none of that name.

        Where the credential may not see what is assigned, a FeedError; rules that only add lines to it are told as left
        out.
        """


_CAPABILITIES: tuple[tuple[type, str], ...] = (
    (TellsEvents, "events"),
    (TellsChanges, "changes"),
    (CanReadOne, "read_one"),
    (CanDeactivate, "deactivate"),
    (CanReactivate, "reactivate"),
    (CanSuspend, "suspend"),
    (CanRevokeGrant, "revoke_grant"),
    (CanEndSessions, "end_sessions"),
    (CanListCredentials, "credentials"),
    (TellsMapping, "mapping"),
)


def connector_names() -> list[str]:
    """Every connector there is, by walking the folder."""
    import connectors

    return sorted(m.name for m in pkgutil.iter_modules(connectors.__path__) if m.name not in NOT_CONNECTORS)


def connector_class(name: str) -> type[Connector]:
    """The connector of that name; ConfigurationError names those there are. Imports only that one."""
    if name not in connector_names():
        raise ConfigurationError(f"no connector is named {name!r}; there are: {', '.join(connector_names())}")
    module = importlib.import_module(f"connectors.{name}")
    for candidate in vars(module).values():
        if isinstance(candidate, type) and issubclass(candidate, Connector) and candidate.__module__ == module.__name__:
            return candidate
    raise ConfigurationError(f"connectors/{name}.py holds no connector")


def check_options(kind: type[Connector], feed: SourceSettings | ApplicationSettings) -> dict[str, Any]:
    """The feed's connector keys with defaults; ConfigurationError names the key that is unknown, missing or wrong."""
    declared = {f.name: f for f in kind.fields}
    table = "[[source]]" if isinstance(feed, SourceSettings) else "[[application]]"
    for key in feed.options:
        if key not in declared:
            raise ConfigurationError(
                f"leaverwatch.toml: {table} {feed.name}: {key}: this key is not known to the connector {kind.name()!r};"
                f" it knows: {', '.join(sorted(declared)) or 'none'}"
            )
    for f in declared.values():
        if f.required and f.name not in feed.options:
            raise ConfigurationError(f"leaverwatch.toml: {table} {feed.name}: {f.name}: is missing ({f.help})")
    return {f.name: feed.options.get(f.name, f.default) for f in declared.values()}
