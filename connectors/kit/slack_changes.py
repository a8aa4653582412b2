"""What Leaverwatch changes in Slack: over SCIM whether a member can sign in, over the Web API groups and roles.

Confirmed in api.slack.com/scim: SCIM needs Business+ or Enterprise and a user token with `admin`; the account that made
the token must remain an admin or owner; DELETE and `active: false` deactivate and do not erase. As in the pages of the
methods: usergroups.users.update replaces the whole list, admin.users.* work on Enterprise plans only. Not confirmed in
a page of Slack's: that the primary owner cannot be deactivated (it is refused here, whatever Slack does) and how SCIM
takes a member out of a group (in the form that a public connector sends).
"""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import quote

from connectors.kit.http import Http
from connectors.kit.resource import Reader, Resource
from connectors.kit.scim_change import PATCH_OP, ScimSwitch, read_account
from connectors.kit.slack_calls import PLAN, REFUSED, SlackCalls
from governance.errors import AuthenticationFailed, NotSupported, ProtectedAccount
from governance.records import Receipt

MEDIA: Final = "application/json"  # what the vendor's own examples send
NO_SCIM: Final = (
    "Slack switches members off only over SCIM, which needs the plan Business+ or Enterprise and a write_token of an"
    " admin or owner; otherwise an admin does it in Slack under Manage members > Deactivate account"
)
_ROLE_CALLS: Final = {"role:admin": "admin.users.setAdmin", "role:owner": "admin.users.setOwner"}


class Changes:
    """Changes one workspace with the token that may write."""

    def __init__(self, web: SlackCalls, scim: Http, application: str, team_id: str | None) -> None:
        self._web = web
        self._scim = scim
        self._switch = ScimSwitch(scim, scim, MEDIA)
        self._application = application
        self._team_id = team_id
        self._maker: str | None = None

    def begin(self) -> None:
        """Start the deadline."""
        self._web.http.begin()
        self._scim.begin()

    def close(self) -> None:
        """Let go of the connections."""
        self._web.close()
        self._scim.close()

    def set_active(self, account_id: str, active: bool) -> Receipt:
        """Switch the member on or off; ProtectedAccount for those whom Slack or this connector cannot do without."""
        told = self._member(account_id)
        if told is None:
            if active:
                raise NotSupported(f"{self._application}: {account_id} is gone and cannot be switched on again")
            return self._receipt(f"users.info user={account_id}", "user_not_found")
        if not active:
            self._check_dispensable(account_id, told)
        try:
            if read_account(self._scim, account_id) is None:
                raise NotSupported(f"{self._application}: SCIM does not know {account_id}. {NO_SCIM}")
            return self._switch.set_active(account_id, active)
        except AuthenticationFailed as refusal:
            raise NotSupported(f"{self._application}: SCIM refused ({refusal}). {NO_SCIM}") from None

    def revoke_grant(self, account_id: str, entitlement_id: str) -> Receipt:
        """Take a user group, a group of the identity provider, or the role of an admin or owner."""
        kind, _, key = entitlement_id.partition(":")
        if kind == "group" and key:
            return self._regroup(account_id, key, add=False)
        if kind == "scim" and key:
            return self._provisioned_group(account_id, key, "remove")
        if entitlement_id == "role:primary_owner":
            raise ProtectedAccount(
                f"{self._application}: {account_id} is the primary owner; only they can hand that on, in Slack under"
                " Settings & permissions > Transfer ownership"
            )
        if entitlement_id in _ROLE_CALLS:
            return self._role(account_id, "admin.users.setRegular")
        raise NotSupported(f"{self._application}: {entitlement_id!r} can only be changed by an admin in Slack")

    def restore_grant(self, account_id: str, entitlement_id: str) -> Receipt:
        """Give it back."""
        kind, _, key = entitlement_id.partition(":")
        if kind == "group" and key:
            return self._regroup(account_id, key, add=True)
        if kind == "scim" and key:
            return self._provisioned_group(account_id, key, "add")
        if entitlement_id in _ROLE_CALLS:
            return self._role(account_id, _ROLE_CALLS[entitlement_id])
        raise NotSupported(f"{self._application}: {entitlement_id!r} can only be changed by an admin in Slack")

    def end_sessions(self, account_id: str) -> Receipt:
        """Sign the member out on every device."""
        told = self._web.post("admin.users.session.reset", {"user_id": account_id}, allow=PLAN | REFUSED)
        self._need_enterprise(told, "signing a member out", "Manage members > Sign out of all sessions")
        return self._receipt(f"admin.users.session.reset user_id={account_id}", "ok")

    def _check_dispensable(self, account_id: str, told: Resource) -> None:
        if told.flag("is_primary_owner"):
            raise ProtectedAccount(
                f"{self._application}: {told.text('name')} is the primary owner, whom Slack never deactivates: the"
                " ownership must be transferred first, by themselves or with Slack's help"
            )
        if told.flag("is_bot"):
            raise NotSupported(
                f"{self._application}: {told.text('name')} is the bot of an app; it goes away when an admin removes"
                " the app under Manage apps"
            )
        self._check_not_maker(account_id, told.text("name") or account_id)

    def _check_not_maker(self, account_id: str, name: str) -> None:
        if self._maker is None:
            self._maker = str(self._web.get("auth.test").get("user_id", ""))
        if self._maker == account_id:
            raise ProtectedAccount(
                f"{self._application}: {name} made the write_token; without that account nothing could"
                " be switched off or on any more. Let another admin make a token first"
            )

    def _member(self, account_id: str) -> Resource | None:
        told = self._web.get("users.info", {"user": account_id}, allow=frozenset({"user_not_found"}))
        reader = Reader(self._application, self._web.http.deadline.now)
        return reader.of(told.get("user")) if told["ok"] else None

    def _regroup(self, account_id: str, group: str, *, add: bool) -> Receipt:
        """The whole list of a user group without, or with, one member."""
        listed = self._web.get("usergroups.users.list", {"usergroup": group, "include_disabled": "true"})
        members = [m for m in listed.get("users") or [] if isinstance(m, str)]
        if (account_id in members) == add:
            return self._receipt(f"usergroups.users.list usergroup={group}", "was so already")
        wanted = [*members, account_id] if add else [m for m in members if m != account_id]
        if not wanted:
            raise NotSupported(
                f"{self._application}: {account_id} is the last member of user group {group}, and Slack keeps no empty"
                " ones: an admin can disable the group under People > User groups"
            )
        self._web.post("usergroups.users.update", {"usergroup": group, "users": ",".join(wanted)})
        return self._receipt(f"usergroups.users.update usergroup={group}", "ok")

    def _provisioned_group(self, account_id: str, group: str, verb: str) -> Receipt:
        path = f"Groups/{quote(group, safe='')}"
        body: dict[str, Any] = {
            "schemas": [PATCH_OP],
            "Operations": [{"op": verb, "path": "members", "value": [{"value": account_id}]}],
        }
        answer = self._scim.send("PATCH", path, body, headers={"Content-Type": MEDIA}, idempotent=True)
        return self._receipt(f"PATCH {answer.path} {verb}", str(answer.status))

    def _role(self, account_id: str, method: str) -> Receipt:
        if method == "admin.users.setRegular":
            self._check_not_maker(account_id, account_id)
        team = self._team_id or str(self._web.get("auth.test").get("team_id", ""))
        told = self._web.post(method, {"team_id": team, "user_id": account_id}, allow=PLAN | REFUSED)
        self._need_enterprise(told, "changing a role", "Manage members > Change account type")
        return self._receipt(f"{method} user_id={account_id}", "ok")

    def _need_enterprise(self, told: dict[str, Any], what: str, where: str) -> None:
        if not told["ok"]:
            raise NotSupported(
                f"{self._application}: Slack refused ({told.get('error')}): {what} needs an Enterprise plan and a"
                f" write_token with admin.users:write; otherwise an admin does it in Slack under {where}"
            )

    def _receipt(self, call: str, answer: str) -> Receipt:
        return Receipt(self._web.http.deadline.now, call, answer)
