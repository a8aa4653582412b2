"""Who somebody is and may do now: found once, and anew when what their rights rest on has changed."""

from __future__ import annotations

from governance.access import Actor, find_actor
from governance.house import House
from governance.sessions import Find
from governance.views import runs


def finder(house: House) -> Find:
    """Finds actors with the rights they have now, by the newest estate; remembered as long as nothing has changed."""
    run = runs.last_run(house)
    people = run.table("identities") if run else None
    settings = house.settings
    owned = repr([(one.name, one.owner) for one in settings.application])
    rests_on = (repr(settings.actor), repr(settings.sign_in.groups), owned)
    state = (house.store.url, run.id if run else None, *rests_on)

    def find(email: str, groups: tuple[str, ...]) -> Actor:
        return runs.remembered(
            ("actor", *state, email, groups),
            lambda: find_actor(settings, email, None if people is None else lambda: people, groups),
        )

    return find
