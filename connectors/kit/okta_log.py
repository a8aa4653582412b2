"""What happened in an Okta org: its System Log, read from where the last reading ended.

Confirmed in Okta's specification: without `until` a request polls, `since` then counts from when an event was kept, and
events come oldest first. Seen by other authors of connectors: the `next` link of a polling request is always there, so
the one after the last page is where to go on. Names of events: as Okta's own pages and other readers of the log spell
them; the catalogue itself was not seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from connectors.kit.changed import changes_text
from connectors.kit.okta_calls import API, OktaCalls
from connectors.kit.pagination import Page, read_pages
from connectors.kit.resource import Reader, Resource
from governance.errors import UnexpectedAnswer
from governance.records import Event, Reading

KINDS: Final[dict[str, str]] = {
    "user.session.start": "sign_in",
    "user.authentication.sso": "sso",
    "user.lifecycle.create": "created",
    "user.lifecycle.activate": "reactivated",
    "user.lifecycle.reactivate": "reactivated",
    "user.lifecycle.unsuspend": "reactivated",
    "user.lifecycle.suspend": "deactivated",
    "user.lifecycle.deactivate": "deactivated",
    "user.lifecycle.delete.completed": "deleted",
    "user.account.update_profile": "updated",
    "user.account.privilege.grant": "granted",
    "user.account.privilege.revoke": "revoked",
    "group.user_membership.add": "granted",
    "group.user_membership.remove": "revoked",
    "application.user_membership.add": "granted",
    "application.user_membership.remove": "revoked",
    "application.provision.user.push": "provisioned",
    "application.provision.user.push_profile": "provisioned",
    "application.provision.user.sync": "provisioned",
    "application.provision.user.activate": "provisioned",
    "application.provision.user.reactivate": "provisioned",
    "application.provision.user.deactivate": "deprovisioned",
    "application.provision.user.deprovision": "deprovisioned",
}
FILTER: Final = " or ".join(f'eventType eq "{name}"' for name in KINDS)
# The log tells the label of a role, not what the rest of the API calls it.
_ROLES: Final = {
    "super administrator": "SUPER_ADMIN",
    "organization administrator": "ORG_ADMIN",
    "organizational administrator": "ORG_ADMIN",
    "application administrator": "APP_ADMIN",
    "user administrator": "USER_ADMIN",
    "group administrator": "USER_ADMIN",
    "help desk administrator": "HELP_DESK_ADMIN",
    "read-only administrator": "READ_ONLY_ADMIN",
    "read only administrator": "READ_ONLY_ADMIN",
    "report administrator": "REPORT_ADMIN",
    "group membership administrator": "GROUP_MEMBERSHIP_ADMIN",
    "api access management administrator": "API_ACCESS_MANAGEMENT_ADMIN",
    "access certifications administrator": "ACCESS_CERTIFICATIONS_ADMIN",
    "access requests administrator": "ACCESS_REQUESTS_ADMIN",
    "workflows administrator": "WORKFLOWS_ADMIN",
}
_WENT_WELL: Final = {"SUCCESS": True, "ALLOW": True, "FAILURE": False, "DENY": False}
_CHANGE: Final = frozenset(
    {
        "user.account.update_profile",
        "application.provision.user.push",
        "application.provision.user.push_profile",
        "application.provision.user.sync",
    }
)
_BY_ACTOR: Final = frozenset({"sign_in", "sso"})
_KEPT_BACK: Final = 1 / 3  # of the deadline: a long log is read in several goes


class SystemLog:
    """Reads the log of one org. `mark` is the link to go on from."""

    def __init__(self, calls: OktaCalls, place: str, now: datetime) -> None:
        self.mark: str | None = None
        self.goes_on = False  # whether more is left for the next reading
        self._calls = calls
        self._place = place
        self._reader = Reader(place, now)

    def events(self, since: datetime, mark: str | None, reading: Reading) -> Iterator[Event]:
        """What happened from the mark on; a mark that no longer leads anywhere counts as none."""
        http = self._calls.http
        at: str | None = None  # the link being read
        wanted = {"since": since.strftime("%Y-%m-%dT%H:%M:%S.000Z"), "sortOrder": "ASCENDING", "limit": "1000"}
        start = self._usable(mark)
        self.mark = start

        def fetch(cursor: str | None) -> Page:
            nonlocal at
            at = cursor or start
            if at is None:
                answer = http.get(f"{API}/logs", {**wanted, "filter": FILTER})
            else:
                answer = http.get(at, allow=(400, 404) if cursor is None else ())
            if answer.status in (400, 404):  # the place in the log is too old
                reading.notes.append("the place where the log was left is gone; it is read again from its beginning")
                at = None
                answer = http.get(f"{API}/logs", {**wanted, "filter": FILTER})
            if not isinstance(answer.data, list):
                raise UnexpectedAnswer(f"{answer.path}: expected a list of events", answer.path)
            following = http.next_link(answer)
            self.mark = following or self.mark
            if http.deadline.left < _KEPT_BACK * http.deadline.seconds and answer.data:
                reading.notes.append("the log goes on; the rest is read next time")
                self.goes_on = True
                following = None
            done = not answer.data or following == at
            return Page(answer.data, None if done else following)

        key = lambda item: self._reader.of(item).text("uuid")  # noqa: E731 - one line says it
        for _, item in read_pages(fetch, key, reading, f"{self._place}: logs", counted=False):
            event = self._event(self._reader.of(item))
            if event is not None:
                yield event
        self._reader.note(reading)

    def _usable(self, mark: str | None) -> str | None:
        """The mark, where it belongs to this org and asks for the events that are wanted today."""
        if mark is None:
            return None
        http = self._calls.http
        try:
            link = http.address.pin(mark, http.address.url, self._place)
        except UnexpectedAnswer:
            return None
        return link if parse_qs(urlsplit(link).query).get("filter") == [FILTER] else None

    def _event(self, told: Resource) -> Event | None:
        name, event_id, at = told.text("eventType") or "", told.text("uuid"), told.instant("published")
        kind = KINDS.get(name)
        if kind is None or event_id is None or at is None:
            self._reader.skipped[f"event {name[:60] or 'without a type'}"] += 1
            return None
        success = _WENT_WELL.get(told.text("outcome.result") or "")
        if name == "user.session.start":
            if success is None:
                self._reader.skipped["sign-in without a result"] += 1
                return None
            kind = "sign_in" if success else "sign_in_failed"
        actor = told.part("actor")
        who = actor.text("id") if actor.text("type") == "User" else None
        targets = {t.text("type") or "": t for t in told.parts("target")}
        user = targets["User"].text("id") if "User" in targets else None
        about = (who or user) if KINDS[name] in _BY_ACTOR else user
        return Event(
            application=self._place,
            event_id=event_id,
            at=at,
            kind=kind,
            account_id=None if about == "unknown" else about,
            actor=who or actor.text("displayName") or actor.text("type"),
            success=success,
            target=_target(name, targets),
            changes=_changes(told) if name in _CHANGE else None,
        )


def _changes(told: Resource) -> str | None:
    """Which attributes were changed: `changeDetails` of a target tells from what to what, where the event has it.

    That property is confirmed in Okta's specification (LogTarget), not which events bear it. That `changedAttributes`
    of the debug data lists names for changes of profiles is general knowledge, not seen.
    """
    for target in told.parts("target"):
        before, after = (_object(target.get(f"changeDetails.{side}")) for side in ("from", "to"))
        if before or after:
            return changes_text((name, before.get(name), after.get(name)) for name in sorted({*before, *after}))
    names = told.text("debugContext.debugData.changedAttributes") or ""
    return changes_text((name, None, None) for name in names.split(","))


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _target(name: str, targets: dict[str, Resource]) -> str | None:
    """What it was done with: an application's name, or the id of the entitlement."""

    def told(kind: str, what: str) -> str | None:
        found: Any = targets.get(kind)
        return None if found is None else found.text(what)

    if name == "user.authentication.sso" or name.startswith("application.provision."):
        return told("AppInstance", "displayName") or told("AppInstance", "alternateId")
    if name.startswith("group."):
        return told("UserGroup", "id")
    if name.startswith("application."):
        return told("AppInstance", "id")
    if name.startswith("user.account.privilege."):
        label = told("ROLE", "displayName")
        return _ROLES.get(label.casefold(), label) if label else None
    return None
