"""What a Jira site gives to everybody new: the default groups of its products.

Confirmed in the vendor's reference of `applicationrole`: `defaultGroupsDetails` are the groups that are granted default
access, `selectedByDefault` says whether the product is given on creation. The site does not tell what it makes of
claims: groups of an identity provider reach it by SCIM, so no other line can be read here.
"""

from __future__ import annotations

from connectors.kit.atlassian_lists import SiteLists
from connectors.kit.resource import Reader
from governance.errors import AuthenticationFailed, UnexpectedAnswer
from governance.records import Assigned, Configured, Offer


def default_groups(lists: SiteLists, reader: Reader) -> Configured:
    """One entry for each product that is given by default; AuthenticationFailed without Administer Jira."""
    answer = lists.get("rest/api/3/applicationrole", allow=(403,))
    if answer.status == 403:
        raise AuthenticationFailed("default groups cannot be seen: the token lacks Administer Jira")
    if not isinstance(answer.data, list):
        raise UnexpectedAnswer(f"{answer.path}: the answer is not a list", answer.path)
    assigned, left_out = [], []
    for row in map(reader.of, answer.data):
        product = row.text("name") or row.text("key") or "a product"
        names = [name for group in row.parts("defaultGroupsDetails") if (name := group.text("name"))]
        if not names:
            continue
        if not row.flag("selectedByDefault"):
            left_out.append(f"{product}: its default groups ({', '.join(names)}) are given only when it is asked for")
            continue
        offers = (*(Offer(f"group {name}", (name,)) for name in names), Offer(product, (product,), guessed=True))
        assigned.append(Assigned(f"{product}, for everybody new", "", (), offers))
    return Configured(tuple(assigned), left_out=tuple(left_out))
