"""How the invented company is connected: the configuration and the secrets that the product reads."""

from __future__ import annotations

import importlib.util
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

from connectors.sandbox.identifiers import vendor_id
from connectors.sandbox.landscape import Plot, landscape
from connectors.sandbox.model import SandboxAccount, SandboxApplication
from connectors.sandbox.people import DATA
from connectors.sandbox.simulation import Company

HR: Final = "bamboohr"
_PORT: Final = re.compile(r"(?<=http://127\.0\.0\.1:)\d+(?=/)")


@dataclass(frozen=True)
class Wiring:
    """How one vendor's connector is pointed at the sandbox: its keys as TOML, and which secret holds which token."""

    keys: str = 'base_url = "{url}"'
    secrets: tuple[tuple[str, str], ...] = (("token", "read"), ("write_token", "write"))


WIRINGS: Final = {
    "okta": Wiring(),
    "entra": Wiring(
        'base_url = "{url}v1.0/"\nlogin_url = "{url}"\ntenant = "nwl.example"\nclient_id = "reader"\n'
        "limit_share = 1.0   # Entra's logs take five requests in ten seconds: nobody else asks here",
        (("client_secret", "read"), ("write_token", "write")),
    ),
    "google_workspace": Wiring(
        'base_url = "{url}"\ntoken_url = "{url}token"\nsubject = "admin@nwl.example"',
        (("token", "google"), ("write_token", "google write")),
    ),
    "github": Wiring('base_url = "{url}"\norganization = "nwl"'),
    "slack": Wiring(
        'base_url = "{url}api/"\nscim_url = "{url}scim/v2/"\naudit_url = "{url}audit/v1/"',
        (("token", "read"), ("audit_token", "read"), ("write_token", "write")),
    ),
    "jira": Wiring(
        'base_url = "{url}"\nemail = "reader@nwl.example"\norg_id = "org-6f1c"\norg_url = "{url}"',
        (("token", "read"), ("org_token", "read"), ("write_token", "write")),
    ),
    "confluence": Wiring(
        'base_url = "{url}wiki/"\nemail = "reader@nwl.example"\norg_id = "org-6f1c"\norg_url = "{url}"',
        (("token", "read"), ("org_token", "read"), ("write_token", "write")),
    ),
    "salesforce": Wiring('base_url = "{url}"\nclient_id = "reader"\nwrite_client_id = "writer"'),
    "scim": Wiring('base_url = "{url}v2/"'),
    "rest": Wiring(
        """\
base_url = "{url}api/v1/"
accounts = { path = "users", items = "users", total = "total", paging = "page", size_param = "per_page", size = 100 }
account = { path = "users/{account_id}" }
deactivate = { path = "users/{account_id}/disable" }
reactivate = { path = "users/{account_id}/enable" }

[application.fields]          # where each fact stands in an entry; JMESPath
account_id = "id"
username = "login"
email = "email"
display_name = "join(' ', [name.first, name.last])"
employee_id = "staffNumber"
kind = "type"
department = "department"
title = "position"
active = "state"
mfa = "twoFactor"
last_seen_at = "lastLogin"
created_at = "created"
entitlements = "roles"

[application.values]
active = { enabled = true, invited = true, locked = true, disabled = false }
mfa = { on = true, off = false }
last_seen_at = { 0 = "never" }
kind = { human = "human", service = "service", bot = "bot", guest = "guest", shared = "shared" }
""",
    ),
}


def account_id(plot: Plot, account: SandboxAccount) -> str:
    """The account's id as the connector tells it: GitHub's members have no other that lasts but their login."""
    return str(account.more["login"]) if connector_of(plot) == "github" else account.id


def connector_of(plot: Plot) -> str:
    """The connector that reads the application: the vendor's own where both sides speak it, else its file."""
    return plot.vendor if plot.vendor != "csv" and spoken(plot.vendor) else "app_csv"


@cache  # asked for every account, and the answer lies on the disk
def spoken(vendor: str) -> bool:
    """Whether there is a connector of that name and the sandbox speaks its vendor's API."""
    places = (f"connectors.{vendor}", f"connectors.sandbox.apis.{vendor}")
    return all(importlib.util.find_spec(place) is not None for place in places)


def write_configuration(company: Company, folder: Path, port: int) -> None:
    """`leaverwatch.toml` and the secrets it names."""
    template = (DATA / "leaverwatch.toml").read_text(encoding="utf-8")
    blocks = "\n".join(_block(plot, company, folder, port) for plot in landscape().values())
    hr = _hr_block(folder, port) if spoken(HR) else ""
    text = template.replace("{{bamboohr}}", hr).replace("{{applications}}", blocks)
    (folder / "leaverwatch.toml").write_text(text, encoding="utf-8")


def point_at(folder: Path, port: int) -> None:
    """The sandbox may be on another port than last time: the addresses in the configuration follow."""
    file = folder / "leaverwatch.toml"
    text = file.read_text(encoding="utf-8")
    file.write_text(_PORT.sub(str(port), text), encoding="utf-8")


def _hr_block(folder: Path, port: int) -> str:
    _secret(folder, "people.token", "people-read-token")
    return (
        '[[source]]\nname = "people"\ntitle = "BambooHR"        # the offices in Toronto and Melbourne\n'
        f'connector = "bamboohr"\nbase_url = "http://127.0.0.1:{port}/people/"\n'
        'token = { file = "secrets/people.token" }\n'
    )


def _block(plot: Plot, company: Company, folder: Path, port: int) -> str:
    """One `[[application]]`."""
    connector = connector_of(plot)
    lines = [
        "[[application]]",
        f'name = "{plot.name}"',
        f'title = "{plot.title}"',
        f'connector = "{connector}"',
        f"provisioning = {_listing(w for w in plot.ways if w != 'imported') or '[]'}",
        f'owner = "{plot.owner}"',
        f'criticality = "{plot.criticality}"',
    ]
    if plot.privileged:
        lines.append(f"privileged = {_listing(plot.privileged)}")
    if plot.name == "wiki":
        lines.append(f'own_account = "{_own(plot, company)}"   # never touched: we would lock ourselves out')
    if connector == "app_csv":
        return "\n".join([*lines, f'path = "feeds/{plot.name}.csv"', ""])
    wiring = WIRINGS[connector]
    for field, which in wiring.secrets:
        name = f"{plot.name}.{field}"
        _secret(folder, name, _value(company.applications[plot.name], which))
        lines.append(f'{field} = {{ file = "secrets/{name}" }}')
    url = f"http://127.0.0.1:{port}/{plot.name}/"
    return "\n".join([*lines, wiring.keys.replace("{url}", url), ""])


def _own(plot: Plot, company: Company) -> str:
    accounts = company.applications[plot.name].accounts.values()
    return next(account_id(plot, a) for a in accounts if a.username == "leaverwatch")


def _listing(words: Iterable[str]) -> str:
    quoted = ", ".join(f'"{word}"' for word in words)
    return f"[{quoted}]"


def _value(application: SandboxApplication, which: str) -> str:
    if which == "read":
        return application.token
    if which == "write":
        return application.write_token
    from connectors.sandbox.google_keys import service_account

    return service_account(application, writes=which == "google write")


def _secret(folder: Path, name: str, value: str) -> None:
    """A file that only its owner reads."""
    path = folder / "secrets" / name
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        file.write(value)


def furnish(company: Company) -> None:
    """What vendors' modules want to know of their tenant beyond accounts."""
    settings: dict[str, dict[str, Any]] = {
        "google": {"service_accounts": {}},
        "github": {"organization": "nwl"},
        "slack": {"primary_owner": vendor_id("slack", 10_012, salt="slack")},
    }
    for name, told in settings.items():
        company.applications[name].settings.update(told)
