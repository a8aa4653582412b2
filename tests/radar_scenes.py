"""Twelve small estates, each with one conflict of two writers, and each made anew with one writer alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import estates
from estates import NOW

from governance.provisioning.radar import Blip, radar

FIRST = NOW - timedelta(days=60)  # the first push of every scene, unless it says otherwise
BORN = NOW - timedelta(days=10)
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
MANNERS = {"sso": {"deletes_late": {"days": 30, "steps": []}, "pushes_new_assignments": {"steps": ["Push {title}."]}}}
Rows = list[dict[str, Any]]


@dataclass
class Scene:
    """Accounts, events and the settings of one application `crm`, opened by the identity provider `sso`."""

    accounts: Rows = field(default_factory=list)
    events: Rows = field(default_factory=list)
    ways: tuple[str, ...] = ()
    of_provider: tuple[str, ...] = ()

    def person(self, number: str, made=BORN, **values: Any) -> Scene:
        """Somebody with an account here and one at the identity provider."""
        for application in ("crm", "sso"):
            own = {"account_id": f"{application}{number}", "owner_id": f"hr:{number}", "employee_id": number}
            more = values if application == "crm" else {}
            self.accounts.append(estates.account(application=application, created_at=made, **{**own, **more}))
        return self

    def says(self, kind: str, number: str, at=BORN, application="crm", **values: Any) -> Scene:
        """An event of the application, or of the identity provider."""
        own = {"account_id": f"{application}{number}", "success": True, "event_id": f"e{len(self.events)}"}
        self.events.append({"application": application, "kind": kind, "at": at, **own, **values})
        return self

    def signs_in(self, number: str, at=BORN) -> Scene:
        return self.says("sso", number, at, "sso", target="Customer CRM", actor=f"sso{number}")

    def pushed(self, number: str, at=FIRST, kind="provisioned") -> Scene:
        """A push that the identity provider tells of."""
        return self.says(kind, number, at, "sso", target="Customer CRM", actor="Provisioning")

    def wrote(self, number: str, at) -> Scene:
        """A sign-in whose assertion changed the account."""
        return self.signs_in(number, at).says("updated", number, at + MINUTE, actor=f"crm{number}")

    def by_admin(self, kind: str, number: str, at=BORN) -> Scene:
        return self.says(kind, number, at, actor="crm9")

    def estate(self, **more: Any) -> Any:
        crm = {"name": "crm", "title": "Customer CRM", "connector": "app_csv", "provisioning": list(self.ways)}
        there = {"name": "sso", "title": "Sign-on", "connector": "app_csv", "identity_provider": True}
        there["provisioning"] = list(self.of_provider)
        given = estates.settings(application=[crm, there])
        return estates.estate(self.accounts, events=self.events, settings=given, **more)

    def blip(self, application="crm", **more: Any) -> Blip:
        return radar(self.estate(**more), NOW, MANNERS)[application]


def company() -> Scene:
    """Ten people; the administrator is the ninth. Nobody writes yet."""
    scene = Scene()
    for number in "123456789":
        scene.person(number, made=NOW - timedelta(days=400))
    return scene.says("sign_in", "1", NOW - timedelta(days=80), "sso")


def pushes(scene: Scene) -> Scene:
    """SCIM has been at work: everybody who was there was pushed."""
    for number in "1234567":
        scene.pushed(number)
    return scene


def born_outside(scene: Scene) -> Scene:
    return pushes(scene).person("a").signs_in("a")


def born_before_the_push(scene: Scene) -> Scene:
    """SCIM was switched on only yesterday, for one."""
    return scene.person("a").signs_in("a").person("b").signs_in("b").pushed("1", NOW - DAY)


def duplicate(scene: Scene) -> Scene:
    scene.accounts[0]["external_id"] = "00u1"  # the pushed one is linked
    pushes(scene).signs_in("1")
    second = {"account_id": "crmA", "owner_id": "hr:1", "employee_id": "1", "created_at": BORN}
    scene.accounts.append(estates.account(application="crm", **second))
    return scene.says("created", "A", BORN, actor="crmA")


def flips_sign_in_wins(scene: Scene) -> Scene:
    pushes(scene).person("a").signs_in("a")
    return scene.pushed("a", BORN + HOUR).wrote("a", BORN + 2 * HOUR)


def flips_push_wins(scene: Scene) -> Scene:
    return flips_sign_in_wins(scene).pushed("a", BORN + 3 * HOUR)


def reborn(scene: Scene) -> Scene:
    """Closed by a push; the owner's next sign-in opened the account again."""
    back = {"closed_at": BORN, "returned_at": BORN + DAY}
    scene.person("a", made=NOW - timedelta(days=50), **back).signs_in("a", NOW - timedelta(days=50))
    return pushes(scene).pushed("a", BORN - HOUR, "deprovisioned").signs_in("a", BORN + HOUR)


def reborn_anew(scene: Scene) -> Scene:
    """Closed by a push; the owner's next sign-in made another account."""
    scene.person("a", made=NOW - timedelta(days=300), active=False, closed_at=BORN - DAY)
    pushes(scene).pushed("a", BORN - DAY, "deprovisioned").signs_in("a")
    second = {"account_id": "crmA", "owner_id": "hr:a", "employee_id": "a", "created_at": BORN}
    scene.accounts.append(estates.account(application="crm", **second))
    return scene.says("created", "A", BORN, actor="crmA")


def closed_unowned(scene: Scene) -> Scene:
    return pushes(scene).person("a", active=False, closed_at=NOW).signs_in("a").pushed("a", NOW - HOUR, "deprovisioned")


def deleted_there(scene: Scene) -> Scene:
    born_outside(scene)
    gone = next(a for a in scene.accounts if a["account_id"] == "sso2")
    gone |= {"present": False, "last_present_at": NOW - 3 * DAY}
    return scene.says("deleted", "2", NOW - 3 * DAY, "sso")


def older_than_the_push(scene: Scene) -> Scene:
    scene.person("a", made=FIRST - 5 * DAY).signs_in("a", FIRST - 5 * DAY)
    return scene.pushed("1").pushed("2")


def unlinked(scene: Scene) -> Scene:
    for account in scene.accounts:
        account["external_id"] = f"00u{account['employee_id']}" if account["application"] == "crm" else None
    return born_outside(scene)


def lets_leavers_in(scene: Scene) -> Scene:
    left = {"owner_state": "ended", "active": False, "closed_at": BORN}
    for account in scene.accounts:
        if account["account_id"] == "sso3":
            account |= left
    scene.of_provider = ("jit",)
    return scene.says("setting", "", NOW, "sso", target="lets_closed_back_in", account_id=None, actor="Partner").says(
        "deactivated", "3", BORN, "sso", actor="sso9"
    )


Change = Callable[[Scene], Scene]
# Name -> where to look, what must be found there, and how the estate comes about.
TWELVE: dict[str, tuple[str, str, Change]] = {
    "an account born after SCIM was switched on": ("crm", "born_outside_scim", born_outside),
    "accounts born before SCIM was switched on": ("crm", "born_outside_scim", born_before_the_push),
    "two accounts of one person": ("crm", "duplicates", duplicate),
    "attributes flip, the sign-in wins": ("crm", "attributes_flip", flips_sign_in_wins),
    "attributes flip, the push wins": ("crm", "attributes_flip", flips_push_wins),
    "closed by a push, opened by a sign-in": ("crm", "reborn_by_sign_in", reborn),
    "closed by a push, made anew by a sign-in": ("crm", "reborn_by_sign_in", reborn_anew),
    "closed by a push that never owned it": ("crm", "disabled_without_owning", closed_unowned),
    "deleted at the provider, told thirty days later": ("crm", "deletion_gap", deleted_there),
    "pushes reach new assignments only": ("crm", "not_retroactive", older_than_the_push),
    "records without an id of the provider": ("crm", "unlinked_records", unlinked),
    "a provider that lets leavers back in": ("sso", "reactivates_leavers", lets_leavers_in),
}
_OF = {
    "jit": ("sso", "sign_in"),
    "scim": ("provisioned", "deprovisioned", "sso", "sign_in"),
    "hand": ("sign_in",),
}


def alone(writer: str, change: Change) -> Scene:
    """The same estate with one writer: whatever the others did is not told, and their accounts are as everybody's."""
    scene = change(company())
    if writer == "scim":  # whoever signs in there was pushed before
        for account in [a for a in scene.accounts if a["application"] == "crm"]:
            account["external_id"] = f"00u{account['account_id']}"
            scene.pushed(account["employee_id"], account["created_at"])
    kinds = _OF[writer]
    by_itself = ("created", "updated") if writer == "jit" else ()
    scene.events = [
        e
        for e in scene.events
        if e["kind"] in kinds
        or (e["kind"] in by_itself and e["application"] == "crm" and e["actor"] == e["account_id"])
    ]
    if writer == "hand":
        scene.by_admin("created", "7", FIRST).by_admin("updated", "6").by_admin("deactivated", "5")
    scene.ways = {"jit": ("jit",), "scim": ("scim",), "hand": ("local",)}[writer]
    scene.of_provider = ()
    return scene
