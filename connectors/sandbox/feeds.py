"""How the invented company is connected: the configuration, the secrets and the files that the product reads."""

from __future__ import annotations

import csv
import importlib.util
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from connectors.sandbox.identifiers import vendor_id
from connectors.sandbox.landscape import Plot, landscape
from connectors.sandbox.model import SandboxAccount, SandboxApplication
from connectors.sandbox.people import DATA, HR_COLUMNS, Person, malformed
from connectors.sandbox.simulation import BERLIN, Company
from connectors.sandbox.workforce import SandboxPerson

HR: Final = "bamboohr"
ABROAD: Final = ("Toronto", "Melbourne")  # offices whose people are kept at BambooHR, not in the HR file
_STATUS: Final = {"active": "active", "pending": "pending", "suspended": "suspended"}
_PORT: Final = re.compile(r"(?<=http://127\.0\.0\.1:)\d+(?=/)")


@dataclass(frozen=True)
class Wiring:
    """How one vendor's connector is pointed at the sandbox: its keys as TOML, and which secret holds which token."""

    keys: str = 'base_url = "{url}"'
    secrets: tuple[tuple[str, str], ...] = (("token", "read"), ("write_token", "write"))


WIRINGS: Final = {
    "okta": Wiring(),
    "entra": Wiring(
        'base_url = "{url}v1.0/"\nlogin_url = "{url}"\ntenant = "nwl.example"\nclient_id = "reader"',
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


def spoken(vendor: str) -> bool:
    """Whether there is a connector of that name and the sandbox speaks its vendor's API."""
    places = (f"connectors.{vendor}", f"connectors.sandbox.apis.{vendor}")
    return all(importlib.util.find_spec(place) is not None for place in places)


def serving(company: Company) -> list[SandboxApplication]:
    """The applications that answer over HTTP, the HR system among them."""
    answering = [company.applications[p.name] for p in landscape().values() if connector_of(p) != "app_csv"]
    if spoken(HR):
        settings = {"people": people_abroad(company)}
        answering.append(SandboxApplication("people", HR, "BambooHR", settings=settings, now=company.now))
    return answering


def people_abroad(company: Company) -> list[SandboxPerson]:
    """Whom the HR system of the offices abroad knows."""
    return [_person(p, company) for p in company.people.values() if _abroad(p) and _listed(p, company)]


# --- files ---


def write_files(company: Company, folder: Path) -> dict[str, Path]:
    """The HR file and those of applications without an API, as they stand now: feed -> path."""
    feeds = folder / "feeds"
    feeds.mkdir(parents=True, exist_ok=True)
    today = company.at.astimezone(BERLIN).date()
    files = {"hr": feeds / "hr.csv"}
    people = sorted(company.people.values(), key=lambda p: p.employee_id)
    here = [p for p in people if not (spoken(HR) and _abroad(p)) and _listed(p, company)]
    rows = [row for p in here for row in _rows(p, today, company)]
    bad = malformed(company.story_day) if today >= company.story_day else []
    _write(files["hr"], HR_COLUMNS, [*rows, *bad])
    for plot in landscape().values():
        if connector_of(plot) == "app_csv":
            application = company.applications[plot.name]
            files[plot.name] = feeds / f"{plot.name}.csv"
            shown = [_row(application, a) for a in application.accounts.values() if a.status != "deleted"]
            _write(files[plot.name], plot.columns, shown)
    return files


def _rows(person: Person, today: date, company: Company) -> list[dict[str, str]]:
    """The HR file's rows of somebody: what they are now, whatever the story says they were before."""
    now = {"department": person.department, "display_name": person.name, "work_email": person.email}
    return [row | now for row in person.rows(today, company.story_day)]


def _listed(person: Person, company: Company) -> bool:
    today = company.at.astimezone(BERLIN).date()
    return person.in_file(min(today, company.story_day), company.story_day)


def _abroad(person: Person) -> bool:
    return person.place in ABROAD and person.active_in is None


def _person(person: Person, company: Company) -> SandboxPerson:
    """Somebody as the HR system of the offices abroad knows them."""
    today = company.at.astimezone(BERLIN).date()
    given, _, family = person.name.partition(" ")
    contract = person.contract_end
    left = person.last_day if person.part == "leaver" else None
    return SandboxPerson(
        employee_id=person.employee_id,
        given=given,
        family=family,
        work_email=person.email,
        status="leave" if person.part == "leave" else "terminated" if company.left(person) else "active",
        hire_date=person.hired,
        termination_date=left,
        contract_end=date.fromisoformat(contract) if contract and not contract.startswith("9999") else None,
        worker_type=person.worker_type,
        department=person.department,
        title=person.title,
        manager_employee_id=person.manager_id or None,
        location=person.place,
        time_zone=person.time_zone or None,
        key=str(int(person.employee_id)),
    ).at(today)


def _row(application: SandboxApplication, account: SandboxAccount) -> dict[str, str]:
    names = [application.entitlements[g.entitlement_id] for g in application.held(account.id)]
    return {
        "account_id": account.id,
        "username": account.username,
        "email": account.email or "",
        "display_name": account.name,
        "status": _STATUS.get(account.status, "inactive"),
        "created_at": _time(account.created_at),
        "last_login_at": _time(account.last_seen_at) if account.last_seen_at else "never",
        "employee_id": account.employee_id or "",
        "department": account.department or "",
        "kind": account.kind,
        "mfa": {True: "true", False: "false", None: ""}[account.mfa],
        "entitlements": ";".join(e.name + ("!" if e.privileged else "") for e in names),
    }


def _write(path: Path, columns: Iterable[str], rows: Iterable[Mapping[str, str]]) -> None:
    beside = path.with_suffix(".new")
    with beside.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, tuple(columns), restval="", extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    os.replace(beside, path)


def _time(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# --- configuration ---


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
