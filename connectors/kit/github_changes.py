"""What Leaverwatch changes in GitHub: managed accounts over SCIM, teams, roles and authorised credentials.

Confirmed in docs.github.com/rest: a plain organisation can only remove a member, which loses their teams; SCIM of an
organisation removes too; SCIM of an enterprise suspends with `active: false` and lets back in with `active: true`; an
organisation keeps at least one owner; a team whose members come from the identity provider refuses changes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from urllib.parse import quote

from connectors.kit.answers import Answer
from connectors.kit.github_calls import GitHubCalls
from connectors.kit.github_organisation import INVITATION, OWNER, OrganisationLists
from connectors.kit.http import Http
from connectors.kit.scim_change import ScimSwitch, read_account
from governance.errors import LastPrivilegedAccount, NotSupported, ProtectedAccount
from governance.records import Receipt

MEDIA: Final = "application/json"  # what the vendor's own examples send


class Changes:
    """Changes one organisation with the credential that may write."""

    def __init__(
        self,
        calls: GitHubCalls,
        scim: Http | None,
        lists: OrganisationLists,
        application: str,
        login_of: Callable[[str], str],
    ) -> None:
        self._calls = calls
        self._scim = scim
        self._lists = lists
        self._application = application
        self._login_of = login_of
        self._switch = ScimSwitch(scim, scim, MEDIA) if scim else None

    def begin(self) -> None:
        """Start the deadline."""
        self._calls.begin()

    def close(self) -> None:
        """Let go of the connections."""
        self._calls.close()

    def set_active(self, account_id: str, active: bool) -> Receipt:
        """Suspend a managed account or let it back in; NotSupported where GitHub can only remove."""
        if account_id.startswith(INVITATION):
            raise NotSupported(
                f"{self._application}: a pending invitation can only be cancelled, by an owner under People >"
                " Invitations"
            )
        if self._switch is None or self._scim is None or read_account(self._scim, account_id) is None:
            raise NotSupported(self._only_removal(account_id, active))
        if not active:
            login = self._login_of(account_id)
            if login == self._maker():
                raise ProtectedAccount(
                    f"{self._application}: {login} made the write_token; without that account nobody could be let back"
                    " in any more. Let another owner make a token first"
                )
            owners = self._lists.owners()
            if owners == {login}:
                raise LastPrivilegedAccount(
                    f"{self._application}: {login} is the only owner of the organisation; make another one first"
                )
        return self._switch.set_active(account_id, active)

    def revoke_grant(self, account_id: str, entitlement_id: str) -> Receipt:
        """Take a team or role; NotSupported where something else decides about it."""
        login = self._login_of(account_id)
        kind, _, rest = entitlement_id.partition(":")
        if entitlement_id == OWNER[0]:
            if self._lists.owners() == {login}:
                raise LastPrivilegedAccount(
                    f"{self._application}: {login} is the only owner of the organisation; make another one first"
                )
            return self._member_role(login, "member")
        if kind == "team" and rest:
            path = self._team_path(rest, login)
            answer = self._calls.send("DELETE", path, allow=(403, 404))
            if answer.status == 403:
                raise self._decided_elsewhere(rest)
            return self._receipt(f"DELETE {path}", answer)
        if kind == "orgrole" and rest:
            path = self._role_path(rest, login)
            return self._receipt(f"DELETE {path}", self._calls.send("DELETE", path, allow=(404,)))
        raise NotSupported(
            f"{self._application}: {entitlement_id!r} is how an account belongs to the organisation; to take it is to"
            f" remove {login}, which an owner does under People"
        )

    def restore_grant(self, account_id: str, entitlement_id: str) -> Receipt:
        """Give a team or role back, with the same rank."""
        login = self._login_of(account_id)
        kind, _, rest = entitlement_id.partition(":")
        if entitlement_id == OWNER[0]:
            return self._member_role(login, "admin")
        if kind == "team" and rest:
            path = self._team_path(rest, login)
            role = "maintainer" if rest.endswith(":maintainer") else "member"
            answer = self._calls.send("PUT", path, {"role": role}, allow=(403,))
            if answer.status == 403:
                raise self._decided_elsewhere(rest)
            return self._receipt(f"PUT {path} role={role}", answer)
        if kind == "orgrole" and rest:
            path = self._role_path(rest, login)
            return self._receipt(f"PUT {path}", self._calls.send("PUT", path))
        raise NotSupported(f"{self._application}: {entitlement_id!r} is given by an owner, with an invitation")

    def revoke_credential(self, credential_id: str) -> Receipt:
        """Take the organisation away from a token or key; the credential itself stays with its owner."""
        path = f"{self._lists.path}/credential-authorizations/{quote(credential_id, safe='')}"
        return self._receipt(f"DELETE {path}", self._calls.send("DELETE", path, allow=(404,)))

    def _maker(self) -> str | None:
        """Whose token it is; a GitHub App is nobody's."""
        told = None if self._calls.app else self._calls.get("user").data
        login = told.get("login") if isinstance(told, dict) else None
        return login if isinstance(login, str) else None

    def _only_removal(self, account_id: str, active: bool) -> str:
        if active:
            return (
                f"{self._application}: GitHub cannot switch {account_id} on again; an owner invites them anew, and"
                " their teams have to be given again"
            )
        return (
            f"{self._application}: GitHub cannot switch off {account_id}, only remove them, and then their teams and"
            " private forks are lost; an owner does that under People > Remove from organisation. Only managed accounts"
            " of an enterprise (EMU) can be suspended: set enterprise and managed = true where that is so"
        )

    def _member_role(self, login: str, role: str) -> Receipt:
        path = f"{self._lists.path}/memberships/{quote(login, safe='')}"
        return self._receipt(f"PUT {path} role={role}", self._calls.send("PUT", path, {"role": role}))

    def _team_path(self, rest: str, login: str) -> str:
        team = quote(rest.removesuffix(":maintainer"), safe="")
        return f"{self._lists.path}/teams/{team}/memberships/{quote(login, safe='')}"

    def _role_path(self, role: str, login: str) -> str:
        return f"{self._lists.path}/organization-roles/users/{quote(login, safe='')}/{quote(role, safe='')}"

    def _decided_elsewhere(self, team: str) -> NotSupported:
        return NotSupported(
            f"{self._application}: GitHub refused to change team {team.removesuffix(':maintainer')}: its members may"
            " come from the identity provider, where they have to be changed"
        )

    def _receipt(self, call: str, answer: Answer) -> Receipt:
        said = "404, was so already" if answer.status == 404 else str(answer.status)
        return Receipt(self._calls.http.deadline.now, call, said)
