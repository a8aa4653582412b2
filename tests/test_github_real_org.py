"""A real organisation's members, owners and teams (kubernetes, February 2024), served as GitHub does and read again."""

import csv

from connectors.sandbox.model import SandboxAccount, SandboxApplication, SandboxEntitlement, SandboxGrant
from connectors.sandbox.serving import Sandbox
from governance.records import Account, Grant
from tests.real_data import real
from tests.sandbox_company import NOW
from tests.tenancy import pulled
from tests.tenants.github import PLAIN


def test_every_member_owner_and_team_of_a_real_organisation_is_read():
    with (real("github_org_kubernetes") / "members_2024-02-10.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["org"] == "kubernetes"]
    assert len(rows) > 1_700
    owner = SandboxEntitlement("1", "Owner", "role", privileged=True)
    names = sorted({team for row in rows for team in row["teams"].split(";") if team})
    teams = {name: SandboxEntitlement(str(5_000_000 + n), name, "team") for n, name in enumerate(names)}
    application = SandboxApplication("kubernetes", "github", entitlements=[owner, *teams.values()], now=lambda: NOW)
    for number, row in enumerate(rows, 1_000_000):
        account = SandboxAccount(str(number), row["login"], None, "A", "Member", more={"login": row["login"]})
        application.accounts[account.id] = account
        held = [teams[name].id for name in row["teams"].split(";") if name]
        held += [owner.id] if row["role"] == "admins" else []
        application.grants += [SandboxGrant(account.id, entitlement, NOW) for entitlement in held]
    with Sandbox([application], remember=False) as sandbox:
        outcome = pulled(PLAIN, sandbox, application, deadline_s=120)
    assert outcome.error is None
    accounts = {r.account_id: r for r in outcome.records if isinstance(r, Account)}
    assert accounts.keys() == {row["login"] for row in rows}
    assert {login for login, a in accounts.items() if a.privileged} == {
        row["login"] for row in rows if row["role"] == "admins"
    }
    held = {(g.account_id, g.entitlement_id) for g in outcome.records if isinstance(g, Grant)}
    told = {(row["login"], f"team:{name}") for row in rows for name in row["teams"].split(";") if name}
    assert {grant for grant in held if grant[1].startswith("team:")} == told
    assert len(held) == len(told) + len(rows)
