"""The settings of `leaverwatch.toml` as frozen values. Pure: reading files and environment is the work of jobs.home."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    ValidationError,
    model_validator,
)

from governance.channels import NotifySettings
from governance.durations import LONGEST, Duration, Period
from governance.durations import parse_duration as parse_duration
from governance.durations import written_duration as written_duration
from governance.errors import ConfigurationError
from governance.sections import Secret as Secret
from governance.sections import Section
from governance.sign_in import ProviderSettings as ProviderSettings
from governance.sign_in import Role
from governance.sign_in import SignInSettings as SignInSettings
from governance.sign_on import MappingWay as MappingWay
from governance.sign_on import RoleMapping as RoleMapping
from governance.sign_on import SignOnSettings as SignOnSettings
from governance.sign_on import ValueTest as ValueTest

MOST_DAYS: Final = LONGEST.days  # in seconds, more would be no number that rules can count with
MOST: Final = 1_000_000_000  # of accounts, people or pulls
RESERVED: Final = "estates"  # the folder of what detect runs saw; swept as a feed's, it would be lost

Criticality = Literal["low", "medium", "high"]
Severity = Literal["critical", "high", "medium", "low", "informational"]


class StoreSettings(Section):
    """Where decisions are kept."""

    url: str | Secret = "sqlite:///leaverwatch.db"


class SnapshotSettings(Section):
    """Where facts are kept, and for how long."""

    url: str = "snapshots"
    keep_days: int = Field(default=400, ge=1, le=MOST_DAYS)
    event_days: int = Field(
        default=90, ge=1, le=MOST_DAYS
    )  # how long events stay, and how far back the first pull reads


class EngineSettings(Section):
    """What computes: Polars in this process, or a Spark cluster."""

    kind: Literal["polars", "spark"] = "polars"
    master: str | None = None


class ActSettings(Section):
    """Whether and how much may be changed in applications."""

    enabled: bool = False
    max_per_run: int = Field(default=25, ge=1, le=MOST)
    max_share: float = Field(default=0.05, gt=0, le=1)


class PolicyOverride(Section):
    """Other thresholds for one application, one kind of account, or both."""

    application: str | None = None
    kind: Literal["human", "service", "bot", "guest", "shared"] | None = None
    stale_days: int | None = Field(default=None, ge=1, le=MOST_DAYS)
    never_used_days: int | None = Field(default=None, ge=0, le=MOST_DAYS)


class Policy(Section):
    """The thresholds rules judge by."""

    preset: Literal["default", "cis", "fedramp-moderate", "fedramp-high", "pci"] = "default"
    stale_days: int = Field(default=90, ge=1, le=MOST_DAYS)
    stale_days_privileged: int = Field(default=30, ge=1, le=MOST_DAYS)
    stale_days_external: int = Field(default=45, ge=1, le=MOST_DAYS)  # contractors and guests
    never_used_days: int = Field(default=14, ge=0, le=MOST_DAYS)
    leaver_grace: Duration = timedelta(0)
    leaving_soon_days: int = Field(default=14, ge=0, le=MOST_DAYS)  # privileged access of who leaves within these days
    on_leave: Literal["allow", "flag"] = "allow"  # whether active accounts of people on leave are findings
    privileged_unused_days: int = Field(default=30, ge=1, le=MOST_DAYS)
    entitlement_unused_days: int = Field(default=90, ge=1, le=MOST_DAYS)
    most_privileged: int = Field(default=5, ge=1, le=MOST)  # privileged people in one application, whatever its size
    most_privileged_share: float = Field(default=0.05, ge=0, le=1)  # of its active accounts, where that is more
    peer_share: float = Field(default=0.1, gt=0, lt=1)  # held by fewer of one's peers than this: an outlier
    peers_least: int = Field(default=10, ge=2, le=MOST)  # fewer people in the same position are nobody's peers
    severity: dict[str, Severity] = Field(default_factory=dict)  # rule -> another severity than it declares
    rules_off: tuple[str, ...] = ()
    max_exclusion_days: int = Field(default=180, ge=1, le=MOST_DAYS)
    override: tuple[PolicyOverride, ...] = ()

    @model_validator(mode="wrap")
    @classmethod
    def _preset_below(cls, given: Any, make: ModelWrapValidatorHandler[Policy]) -> Policy:
        """What the preset says stands below what is given; `model_fields_set` names only what was given."""
        if not isinstance(given, dict):
            return make(given)
        made = make({**PRESETS.get(str(given.get("preset", "default")), {}), **given})
        object.__setattr__(made, "__pydantic_fields_set__", set(given))
        return made


# Where a norm names a number, the preset takes it; everything else stays at the default.
# CIS v8 5.3: disable dormant accounts after 45 days; 5.1: validate every active account at least quarterly, so that no
# exception outlives a quarter.
# FedRAMP AC-2(3): disable inactive accounts after 90 days (moderate, revision 5) or 35 (high, revision 4).
# PCI DSS 8.2.6: remove or disable inactive accounts within 90 days, privileged ones alike; 7.2.4: access is reviewed
# every six months, so that an entitlement nobody used since the last review is too much.
PRESETS: Final[dict[str, dict[str, int]]] = {
    "default": {},
    "cis": {"stale_days": 45, "stale_days_privileged": 30, "stale_days_external": 45, "max_exclusion_days": 90},
    "fedramp-moderate": {"stale_days": 90, "stale_days_privileged": 30, "stale_days_external": 45},
    "fedramp-high": {"stale_days": 35, "stale_days_privileged": 30, "stale_days_external": 35},
    "pci": {
        "stale_days": 90,
        "stale_days_privileged": 90,
        "stale_days_external": 90,
        "privileged_unused_days": 90,
        "entitlement_unused_days": 180,
    },
}


class Baseline(Section):
    """Entitlements that were approved for everybody with these attributes, beside what the role mapping gives."""

    application: str
    entitlements: tuple[str, ...]
    when: dict[Literal["department", "title", "kind"], str] = Field(default_factory=dict)


class Held(Section):
    """One entitlement of one application, by the name it has there."""

    application: str
    entitlement: str


class Segregation(Section):
    """Two lists of entitlements of which nobody may hold one of each, across all applications."""

    name: str
    one: tuple[Held, ...] = Field(min_length=1)
    other: tuple[Held, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _apart(self) -> Segregation:
        for held in self.one:
            if held in self.other:
                raise ValueError(f"{held.entitlement!r} of {held.application!r} is on both sides of {self.name!r}")
        return self


class EntitlementOwner(Section):
    """Who answers for one entitlement of an application, and reviews who holds it."""

    application: str
    entitlement: str  # its name, `*` stands for anything
    owner: str  # e-mail


class ReviewSettings(Section):
    """Micro-reviews: small campaigns that an event raises. None is raised unless it is named here."""

    micro: tuple[Literal["move", "new_privilege", "outlier"], ...] = ()
    fallback: str | None = None  # e-mail of who decides where no manager is known
    days: int = Field(default=7, ge=1, le=90)

    @model_validator(mode="after")
    def _somebody(self) -> ReviewSettings:
        if self.micro and self.fallback is None:
            raise ValueError("micro-reviews need a fallback: the e-mail of who decides where no manager is known")
        return self


class Domain(Section):
    """What holds for the addresses of one mail domain when accounts are matched to identities.

    `plus`: whether `anna+test@` is Anna's (`tag`) or somebody else (`person`, the default: contractors get `+ext`).
    `same_as`: other domains whose addresses mean the same mailbox.
    """

    name: str
    plus: Literal["tag", "person"] = "person"
    same_as: tuple[str, ...] = ()


class Protected(Section):
    """An account that is never changed from here, why, and who answers for it."""

    application: str
    account: str
    why: str
    owner: str


class ActorSettings(Section):
    """A person who may act in this product."""

    email: str
    roles: tuple[Role, ...]
    name: str | None = None
    applications: tuple[str, ...] = ()  # for application_owner; else those whose owner is an address of theirs


class _Feed(BaseModel):
    """What every feed has. Keys beyond these belong to the connector and are checked against its declaration."""

    model_config = ConfigDict(frozen=True, extra="allow")
    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")
    title: str | None = None
    connector: str
    every: Period = timedelta(minutes=15)
    full_every: Period = timedelta(hours=24)  # how often everything is read, where the others read what changed
    outdated_after: Period = timedelta(hours=24)
    deadline: Period = timedelta(minutes=5)  # for one whole pull
    limit_share: float = Field(default=0.5, gt=0, le=1)  # of the other side's rate limit

    @property
    def label(self) -> str:
        """The name for people."""
        return self.title or self.name

    @property
    def options(self) -> dict[str, Any]:
        """The keys that belong to the connector."""
        return dict(self.model_extra or {})


class SourceSettings(_Feed):
    """A source of truth: the feed that decides whether an identity exists."""

    absence_means: Literal["suspicion", "leaver"] = "suspicion"
    absence_pulls: int = Field(default=1, ge=1, le=MOST)
    ids: Literal["own", "shared"] = "own"


class ApplicationSettings(_Feed):
    """A connected system that holds accounts."""

    provisioning: tuple[Literal["jit", "scim", "invited", "local"], ...] = ()
    writes: dict[Literal["jit", "scim"], tuple[str, ...]] = {}  # which attributes each way of provisioning writes
    owner: str | None = None
    criticality: Criticality = "medium"
    privileged: tuple[str, ...] = ()  # patterns of entitlement names that are privileged
    own_account: str | None = None
    identity_provider: bool | None = None  # people sign in here to reach other applications; None: as the connector is
    known_as: tuple[str, ...] = ()  # what the identity provider calls this application, besides its name and title
    single_sign_on: Literal["required", "optional", "none"] | None = None  # None: not told
    default_role: tuple[str, ...] = ()  # entitlements a sign-in gives when no line of the role mapping fits
    mapping: MappingWay = MappingWay()


class Settings(Section):
    """Everything `leaverwatch.toml` says."""

    store: StoreSettings = StoreSettings()
    snapshots: SnapshotSettings = SnapshotSettings()
    engine: EngineSettings = EngineSettings()
    act: ActSettings = ActSettings()
    policy: Policy = Policy()
    role_mapping: tuple[RoleMapping, ...] = ()
    baseline: tuple[Baseline, ...] = ()
    segregation: tuple[Segregation, ...] = ()
    entitlement_owner: tuple[EntitlementOwner, ...] = ()
    reviews: ReviewSettings = ReviewSettings()
    domain: tuple[Domain, ...] = ()
    protected: tuple[Protected, ...] = ()
    notify: NotifySettings = NotifySettings()
    sign_in: SignInSettings = SignInSettings()
    sign_on: tuple[SignOnSettings, ...] = ()
    actor: tuple[ActorSettings, ...] = ()
    source: tuple[SourceSettings, ...] = ()
    application: tuple[ApplicationSettings, ...] = ()

    @model_validator(mode="after")
    def _names(self) -> Settings:
        names = [feed.name for feed in (*self.source, *self.application)]
        for name in names:
            if names.count(name) > 1:
                raise ValueError(
                    f"the name {name!r} is given to two feeds; names of sources and applications share one space"
                )
        if RESERVED in names:
            raise ValueError(f"no feed can be named {RESERVED!r}: beside the folders of feeds, that one is kept")
        known = {application.name for application in self.application}
        for override in self.policy.override:
            if override.application is not None and override.application not in known:
                raise ValueError(
                    f"[[policy.override]] names the application {override.application!r}, which is not configured"
                )
        for key in ("role_mapping", "protected", "baseline", "entitlement_owner"):
            for entry in getattr(self, key):
                if entry.application not in known:
                    raise ValueError(f"[[{key}]] names the application {entry.application!r}, which is not configured")
        for provider in self.sign_on:
            for name in provider.applications:
                if name not in known:
                    raise ValueError(f"[[sign_on]] names the application {name!r}, which is not configured")
        for pair in self.segregation:
            for held in (*pair.one, *pair.other):
                if held.application not in known:
                    raise ValueError(
                        f"[[segregation]] names the application {held.application!r}, which is not configured"
                    )
        names = [pair.name for pair in self.segregation]
        if len(set(names)) < len(names):
            raise ValueError("two [[segregation]] have the same name")
        return self

    def feed(self, name: str) -> SourceSettings | ApplicationSettings:
        """The feed of that name; ConfigurationError when there is none."""
        for feed in self.feeds:
            if feed.name == name:
                return feed
        known = ", ".join(feed.name for feed in self.feeds) or "none"
        raise ConfigurationError(f"no feed is named {name!r}; configured are: {known}")

    @property
    def feeds(self) -> tuple[SourceSettings | ApplicationSettings, ...]:
        """Every feed, sources of truth first."""
        return (*self.source, *self.application)

    def application_named(self, name: str) -> ApplicationSettings:
        """The application of that name; ConfigurationError when there is none."""
        found = self.feed(name)
        if not isinstance(found, ApplicationSettings):
            raise ConfigurationError(f"{name!r} is a source of truth, not an application")
        return found


def parse(values: dict[str, Any], origin: str = "leaverwatch.toml") -> Settings:
    """Settings from parsed TOML; ConfigurationError names the file, the key and what was expected."""
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "(whole file)"
        message = first["msg"].removeprefix("Value error, ")
        if first["type"] == "extra_forbidden":
            message = "this key is not known here"
        raise ConfigurationError(f"{origin}: {key}: {message}") from error
