"""Changes to an Okta org: who can sign in, what they hold, and what they are signed in with.

Confirmed in Okta's specification: only ACTIVE users can be suspended; `unsuspend` undoes that; what undoes `deactivate`
is `activate`, never `reactivate`; only groups of type OKTA_GROUP can be changed; taking an application away cannot be
undone with its profile. Confirmed in Okta's help: who is taken out of a group by the API is excluded from the rule that
put them there, so that it does not come back.
"""

from __future__ import annotations

from typing import Final

from connectors.kit.okta_calls import API, OktaCalls, entry_id, step
from connectors.kit.okta_holdings import role_key
from connectors.kit.resource import Reader, Resource
from governance.errors import NotSupported, Unavailable, UnexpectedAnswer
from governance.records import Credential, Reading, Receipt

_OFF: Final = frozenset({"SUSPENDED", "DEPROVISIONED"})
_OPEN: Final = frozenset({"ACTIVE", "LOCKED_OUT", "PASSWORD_EXPIRED", "RECOVERY"})


class OktaChanges:
    """Reads with one credential and writes with the other."""

    def __init__(self, reading: OktaCalls, writing: OktaCalls, reader: Reader) -> None:
        self._reading = reading
        self._writing = writing
        self._reader = reader

    def begin(self) -> None:
        """Start both deadlines."""
        self._reading.http.begin()
        self._writing.http.begin()

    def close(self) -> None:
        """Let go of connections."""
        self._writing.close()

    def suspend(self, account_id: str) -> Receipt:
        """Lock the account; it keeps everything it holds."""
        status = self._status(account_id)
        if status is None or status in _OFF:
            return self._nothing(account_id, status)
        if status != "ACTIVE":
            raise NotSupported(
                f"{self._writing.place}: Okta suspends only accounts that are ACTIVE; {account_id} is {status}:"
                " somebody has to deactivate it in the admin console"
            )
        return self._lifecycle(account_id, "suspend", {}, "SUSPENDED")

    def deprovision(self, account_id: str) -> Receipt:
        """Deactivate the account for good: its applications are taken away."""
        status = self._status(account_id)
        if status is None or status == "DEPROVISIONED":
            return self._nothing(account_id, status)
        return self._lifecycle(account_id, "deactivate", {"sendEmail": "false"}, "DEPROVISIONED")

    def reactivate(self, account_id: str) -> Receipt:
        """Let the account sign in again, by what undoes its status."""
        status = self._status(account_id)
        if status is None:
            raise NotSupported(f"{self._writing.place}: {account_id} is gone and cannot be switched on again")
        if status == "SUSPENDED":
            return self._lifecycle(account_id, "unsuspend", {}, "ACTIVE")
        if status in ("DEPROVISIONED", "STAGED"):
            return self._lifecycle(account_id, "activate", {"sendEmail": "false"}, "ACTIVE")
        return self._nothing(account_id, status)

    def end_sessions(self, account_id: str) -> Receipt:
        """Sign the account out everywhere; tokens that Okta issued to programs end too."""
        path = f"users/{step(account_id)}/sessions"
        return self._send("DELETE", path, params={"oauthTokens": "true"}, gone=True)

    def revoke_grant(self, account_id: str, entitlement_id: str) -> Receipt:
        """Take a group, an application or a role away."""
        if entitlement_id.startswith("00g"):
            self._must_be_ours(entitlement_id)
            return self._send("DELETE", f"groups/{step(entitlement_id)}/users/{step(account_id)}", gone=True)
        if entitlement_id.startswith("0oa"):
            path = f"apps/{step(entitlement_id)}/users/{step(account_id)}"
            assigned = self._reading.allowed(path, gone=True)
            if assigned is not None and self._reader.of(assigned.data).text("scope") == "GROUP":
                raise NotSupported(
                    f"{self._writing.place}: {account_id} has the application {entitlement_id} through a group:"
                    " take it out of the group"
                )
            return self._send("DELETE", path, params={"sendEmail": "false"}, gone=True)
        roles = self._roles(account_id, entitlement_id)
        if not roles:
            return self._note(f"GET users/{account_id}/roles", f"the role {entitlement_id} is not held")
        direct = [role for role in roles if role.text("assignmentType") != "GROUP"]
        if not direct:
            raise NotSupported(
                f"{self._writing.place}: {account_id} has the role {entitlement_id} through a group:"
                " take it out of the group"
            )
        # A custom role may be held over several sets of resources.
        taken = [self._send("DELETE", f"users/{step(account_id)}/roles/{step(i)}", gone=True) for i in _ids(direct)]
        return taken[-1] if taken else self._note(f"GET users/{account_id}/roles", "the assignment has no id")

    def restore_grant(self, account_id: str, entitlement_id: str) -> Receipt:
        """Give a group, an application or a standard role back."""
        if entitlement_id.startswith("00g"):
            self._must_be_ours(entitlement_id)
            return self._send("PUT", f"groups/{step(entitlement_id)}/users/{step(account_id)}")
        if entitlement_id.startswith("0oa"):
            body = {"id": account_id, "scope": "USER"}
            return self._send("POST", f"apps/{step(entitlement_id)}/users", body)
        if not entitlement_id.replace("_", "").isupper():
            raise NotSupported(
                f"{self._writing.place}: the custom role {entitlement_id} is bound to a set of resources that somebody"
                " has to choose in the admin console"
            )
        if self._roles(account_id, entitlement_id):
            return self._note(f"GET users/{account_id}/roles", f"the role {entitlement_id} is held already")
        return self._send("POST", f"users/{step(account_id)}/roles", {"type": entitlement_id})

    def revoke_credential(self, credential: Credential | None, account_id: str, credential_id: str) -> Receipt:
        """Withdraw a token or a consent; one that is not there any more is withdrawn already."""
        if credential is None:
            return self._note(f"credential {credential_id} of {account_id}", "not there any more")
        if credential.kind == "token":
            return self._send("DELETE", f"api-tokens/{step(credential_id)}", gone=True)
        return self._send("DELETE", f"users/{step(account_id)}/grants/{step(credential_id)}", gone=True)

    def _status(self, account_id: str) -> str | None:
        """The status now; None when the account is gone."""
        row = read_row(self._reading, account_id)
        return None if row is None else self._reader.of(row).text("status") or "UNKNOWN"

    def _lifecycle(self, account_id: str, verb: str, params: dict[str, str], wanted: str) -> Receipt:
        path = f"users/{step(account_id)}/lifecycle/{verb}"
        answer = self._writing.http.send("POST", f"{API}/{path}", None, params=params, allow=(400,), idempotent=True)
        if answer.status < 400:
            return self._note(f"POST {answer.path}", str(answer.status))
        if answer.status == 400 and self._status(account_id) == wanted:  # an earlier try had been heard
            return self._note(f"POST {answer.path}", f"400, but it is {wanted}")
        raise UnexpectedAnswer(f"{self._writing.place}: POST {answer.path}: answered {answer.status}", answer.path)

    def _send(
        self,
        method: str,
        path: str,
        body: dict[str, str] | None = None,
        *,
        params: dict[str, str] | None = None,
        gone: bool = False,
    ) -> Receipt:
        allow = (404,) if gone else ()
        answer = self._writing.http.send(
            method, f"{API}/{path}", body, params=params, allow=allow, idempotent=method != "POST"
        )
        return self._note(f"{method} {answer.path}", "404, gone" if answer.status == 404 else str(answer.status))

    def _must_be_ours(self, group_id: str) -> None:
        answer = self._reading.http.get(f"{API}/groups", {"filter": f'id eq "{group_id}"'})
        rows = [row for row in answer.data if entry_id(row) == group_id] if isinstance(answer.data, list) else []
        kind = self._reader.of(rows[0]).text("type") if rows else None
        if kind in ("APP_GROUP", "BUILT_IN"):
            why = "is managed by the application it comes from" if kind == "APP_GROUP" else "is Okta's own"
            raise NotSupported(f"{self._writing.place}: the group {group_id} {why}; its members are not changed here")

    def _roles(self, account_id: str, entitlement_id: str) -> list[Resource]:
        answer = self._reading.http.get(f"{API}/users/{step(account_id)}/roles", allow=(404,))
        rows = answer.data if isinstance(answer.data, list) else []
        return [told for row in rows if role_key(told := self._reader.of(row)) == entitlement_id]

    def _nothing(self, account_id: str, status: str | None) -> Receipt:
        return self._note(f"GET {API}/users/{account_id}", "404, gone" if status is None else f"it is {status} already")

    def _note(self, call: str, answer: str) -> Receipt:
        return Receipt(self._writing.http.deadline.now, call, answer)


def _ids(told: list[Resource]) -> list[str]:
    return [found for one in told if (found := one.text("id"))]


def read_row(calls: OktaCalls, account_id: str) -> dict[str, object] | None:
    """What Okta says of an account now; None when it is gone. An answer about another one is refused."""
    if not account_id.strip("."):
        raise NotSupported(f"an account with the id {account_id!r} cannot be addressed")
    answer = calls.http.get(f"{API}/users/{step(account_id)}", allow=(404,))
    if answer.status == 404:
        return None
    if entry_id(answer.data) != account_id:
        raise UnexpectedAnswer(f"{answer.path}: the answer is not about the account that was asked for", answer.path)
    row: dict[str, object] = answer.data
    return row


def credentials(calls: OktaCalls, reader: Reader, place: str, account_id: str) -> list[Credential]:
    """Consents the account gave to programs, and API tokens it made; Unavailable where there may be more than is told.

    What is found is told even where the other list is closed; that nothing is left takes both.
    """
    found: list[Credential] = []
    grants = calls.may_list(f"users/{step(account_id)}/grants", {"limit": "200"}, Reading(), gone=True)
    tokens = api_tokens(calls, reader, place, Reading())
    for row in grants or ():
        told = reader.of(row)
        grant_id = told.text("id")
        if grant_id and told.text("status") in ("ACTIVE", None):
            name = f"{told.text('clientId') or 'a program'}: {told.text('scopeId') or 'unknown scope'}"
            found.append(Credential(place, account_id, grant_id, "oauth_grant", name, told.instant("created")))
    found += (tokens or {}).get(account_id, [])
    if not found and (grants is None or tokens is None):
        closed = " nor ".join(w for w, rows in (("consents", grants), ("API tokens", tokens)) if rows is None)
        raise Unavailable(f"{place}: {closed} of {account_id} may not be listed: whether any is left is unknown")
    return found


def api_tokens(calls: OktaCalls, reader: Reader, place: str, reading: Reading) -> dict[str, list[Credential]] | None:
    """The API tokens of everybody, by account; None where the credential may not list them."""
    rows = calls.may_list("api-tokens", {}, reading, gone=True)
    if rows is None:
        return None
    found: dict[str, list[Credential]] = {}
    for told in map(reader.of, rows):
        token_id, account_id = told.text("id"), told.text("userId")
        if token_id and account_id:
            made, ends = told.instant("created"), told.instant("expiresAt", clamped=False)
            token = Credential(place, account_id, token_id, "token", told.text("name"), made, None, ends)
            found.setdefault(account_id, []).append(token)
    return found
