"""What the accounts of a SCIM server hold: groups by either side's word, and what they carry themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from connectors.kit.scim_accounts import Resources
from connectors.kit.scim_list import Groups
from connectors.kit.scim_resource import Held, held_groups, held_roles
from governance.records import Entitlement, Grant, Rows


class Holdings:
    """Of one application. `names` holds the entitlements told so far, and whether each is privileged."""

    def __init__(self, application: str, groups: Groups, is_privileged: Callable[[str], bool]) -> None:
        self.names: dict[str, bool] = {}
        self.of_groups = {number: Held(number, name, "group") for number, name in groups.names.items()}
        self._application, self._groups, self._is_privileged = application, groups, is_privileged

    def of(self, resources: Resources, ids: Sequence[str]) -> tuple[list[dict[str, Held]], list[bool]]:
        """What each account holds by entitlement id, and whether its groups are told at all."""
        in_groups, by_groups = resources.values("groups"), self._groups.of_account
        carried = zip(resources.values("roles"), resources.values("entitlements"), strict=True)
        held: list[dict[str, Held]] = []
        for item, account_id, groups, own in zip(resources.items, ids, in_groups, carried, strict=True):
            one: dict[str, Held] = {}
            if groups is not None:
                one = {h.entitlement_id: h for h in held_groups(item) or ()}
            if own != (None, None):
                one |= {h.entitlement_id: h for h in held_roles(item)}
            for group_id in by_groups.get(account_id, ()):
                one[group_id] = self.of_groups[group_id]
            held.append(one)
        return held, [self._groups.told or groups is not None for groups in in_groups]

    def entitlements(self, held: Iterable[Held]) -> Rows:
        """Those that were not met before."""
        new = {}
        for one in held:
            if one.entitlement_id not in self.names:
                self.names[one.entitlement_id] = self._is_privileged(one.name)
                new[one.entitlement_id] = one
        return Rows(
            Entitlement,
            {
                "application": [self._application] * len(new),
                "entitlement_id": list(new),
                "name": [one.name for one in new.values()],
                "kind": [one.kind for one in new.values()],
                "privileged": [self.names[number] for number in new],
            },
        )

    def grants(self, ids: Sequence[str], held: Sequence[Mapping[str, Held]]) -> Rows:
        """Who holds what, and how."""
        told = [(account_id, one) for account_id, several in zip(ids, held, strict=True) for one in several.values()]
        return Rows(
            Grant,
            {
                "application": [self._application] * len(told),
                "account_id": [account_id for account_id, _ in told],
                "entitlement_id": [one.entitlement_id for _, one in told],
                "how": [one.how for _, one in told],
            },
        )
