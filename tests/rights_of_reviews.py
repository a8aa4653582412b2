"""What is read, and campaigns: the trials of `rights_world` go on, and are all in TRIES here."""

from __future__ import annotations

import polars as pl

from governance import campaigns
from governance.access import Actor
from governance.errors import LeaverwatchError, NotAllowed
from governance.tables import Delegation, EvidencePack, Remediation
from governance.views import approvals, evidence, packs, previews, reviews, team
from governance.views import campaigns as campaign_views
from tests.acting import SAM, SUE
from tests.conftest import NOW
from tests.rights_world import (
    LATER,
    PLAN,
    SCOPE,
    TRIES,
    WHERE,
    Which,
    World,
    closed,
    me_or_sam,
    past_the_check,
    tried,
)

__all__ = ["TRIES"]
NOTHING = campaigns.Foreseen(campaigns.Preview(0, 0, 0, {}, 0, {}, {}, {}, [], (), [], NOW), [], pl.DataFrame(), {})


# --- What is read


def _seen(rows: list[Remediation], id: str) -> bool:
    return id in {r.id for r in rows}


@tried("views.waiting")
def _waiting(w: World, who: Actor, which: Which) -> bool:
    id = w.proposed(which)
    return _seen([card.remediation for card in approvals.waiting(w.house, who, NOW)], id)


@tried("views.under_way")
def _under_way(w: World, who: Actor, which: Which) -> bool:
    id = w.proposed(which, status="approved")
    return _seen(approvals.under_way(w.house, who), id)


@tried("views.ended")
def _ended(w: World, who: Actor, which: Which) -> bool:
    id = closed(w, which)
    return _seen(approvals.ended(w.house, who), id)


@tried("views.decided")
def _decided(w: World, who: Actor, which: Which) -> bool:
    return approvals.decided(w.house, who, closed(w, which)) is not None


TRIES["views.detail"] = lambda w, who, which: evidence.detail(w.house, who, NOW, w.finding(which)) is not None


@tried("views.mine")
def _mine(w: World, who: Actor, which: Which) -> bool:
    w.campaign(reviewer=me_or_sam(who, which))
    return bool(reviews.mine(w.house, who, NOW))


@tried("views.board")
def _board(w: World, who: Actor, which: Which) -> bool:
    id = w.campaign(reviewer=me_or_sam(who, which))
    try:
        return bool(reviews.board(w.house, who, NOW, id, "all", "identity", 1).rows)
    except NotAllowed:
        raise
    except LeaverwatchError:
        return False  # nothing of this campaign is theirs


# --- Campaigns and their evidence

TRIES["views.team"] = lambda w, who, which: f"hr:{which}" in {one.identity_id for one in team.team(w.house, who, NOW)}


@tried("campaigns.ask_removal")
def _ask_removal(w: World, who: Actor, which: Which) -> object:
    return campaigns.ask_removal(w.house, who, NOW, *WHERE[which], None, "unused")


TRIES["views.cards"] = lambda w, who, _: campaign_views.cards(w.house, who)
TRIES["views.schedules"] = lambda w, who, _: campaign_views.schedules(w.house, who)
TRIES["views.progress"] = lambda w, who, _: campaign_views.progress(w.house, who, w.campaign())
TRIES["views.by_campaign"] = lambda w, who, _: packs.by_campaign(w.house, who)
TRIES["views.not_carried_out"] = lambda w, who, _: packs.not_carried_out(w.house, who)
TRIES["views.ask"] = lambda w, who, _: packs.ask(w.house, who, NOW, w.campaign("closed"))


@tried("views.taken")
def _taken(w: World, who: Actor, _: Which) -> bool:
    (w.house.home / "pack.zip").write_bytes(b"pack")
    w.put(EvidencePack(id="p", campaign="c", asked_by=SAM.email, asked_at=NOW, path="pack.zip"))
    return packs.taken(w.house, who, NOW, "p") == b"pack"


TRIES["campaigns.create"] = lambda w, who, _: past_the_check(
    lambda: campaigns.create(w.house, who, NOW, "Q", SCOPE, PLAN)
)
TRIES["campaigns.preview"] = lambda w, who, _: past_the_check(lambda: campaigns.preview(w.house, who, NOW, SCOPE, PLAN))
TRIES["campaigns.foresee"] = lambda w, who, _: past_the_check(lambda: campaigns.foresee(w.house, who, NOW, SCOPE, PLAN))
TRIES["campaigns.preview_as"] = lambda w, who, _: past_the_check(
    lambda: campaigns.preview_as(w.house, who, NOW, NOTHING, SAM.email, slice(None))
)
TRIES["views.foreseen"] = lambda w, who, _: past_the_check(lambda: previews.foreseen(w.house, who, NOW, SCOPE, PLAN))
TRIES["views.as_reviewer"] = lambda w, who, _: past_the_check(
    lambda: previews.as_reviewer(w.house, who, NOW, SCOPE, PLAN, SAM.email, 1)
)
TRIES["campaigns.launch"] = lambda w, who, _: past_the_check(lambda: campaigns.launch(w.house, who, NOW, "none"))
TRIES["campaigns.cancel"] = lambda w, who, _: campaigns.cancel(w.house, who, NOW, w.campaign(), "why")
TRIES["campaigns.remind"] = lambda w, who, _: past_the_check(lambda: campaigns.remind(w.house, who, NOW, w.campaign()))
TRIES["campaigns.extend"] = lambda w, who, _: past_the_check(
    lambda: campaigns.extend(w.house, who, NOW, "none", LATER, "why")
)
TRIES["campaigns.close"] = lambda w, who, _: past_the_check(lambda: campaigns.close(w.house, who, NOW, "none"))
TRIES["campaigns.schedule"] = lambda w, who, _: campaigns.schedule(w.house, who, NOW, "Q", SCOPE, PLAN, 3)


@tried("campaigns.end_schedule")
def _end_schedule(w: World, who: Actor, _: Which) -> object:
    made = campaigns.schedule(w.house, SAM, NOW, "Q", SCOPE, PLAN, 3)
    return campaigns.end_schedule(w.house, who, NOW, made.id)


@tried("campaigns.decide")
def _decide(w: World, who: Actor, which: Which) -> object:
    id = w.campaign(reviewer=me_or_sam(who, which))
    return campaigns.decide(w.house, who, NOW, id, [campaigns.Decision(1, "keep")])


@tried("campaigns.sign")
def _sign(w: World, who: Actor, which: Which) -> object:
    return campaigns.sign(w.house, who, NOW, w.campaign(reviewer=me_or_sam(who, which), decision="keep"))


@tried("campaigns.reassign")
def _reassign(w: World, who: Actor, which: Which) -> object:
    id = w.campaign(reviewer=me_or_sam(who, which))
    return campaigns.reassign(w.house, who, NOW, id, [1], SUE.email, "why")


@tried("campaigns.delegate")
def _delegate(w: World, who: Actor, which: Which) -> object:
    return campaigns.delegate(w.house, who, NOW, SUE.email, LATER, "away", of=me_or_sam(who, which))


@tried("campaigns.end_delegation")
def _end_delegation(w: World, who: Actor, which: Which) -> object:
    whose = me_or_sam(who, which)
    w.put(Delegation(id="d", actor=whose, deputy=SUE.email, since=NOW, until=LATER, reason="", by=whose, at=NOW))
    return campaigns.end_delegation(w.house, who, NOW, "d")
