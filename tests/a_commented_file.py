"""A home whose file has comments, one source and two applications' files, and what is typed to add a feed to it."""

from __future__ import annotations

from datetime import UTC, datetime

from governance import configuring
from governance.access import Actor
from governance.configuring import Draft
from jobs import home
from jobs.configuring import add_feed

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
ADMIN = Actor("admin@x.example", "Ada", frozenset({"admin"}))
SECURITY = Actor("sec@x.example", "Sam", frozenset({"security"}))
CANARY = "canary-token-0123456789"
TOML = """# Our company.
[policy]
stale_days = 90     # as agreed with the board

[[source]]
name = "hr"
connector = "hr_csv"
path = "hr.csv"
every = "1d"

# --- applications ---
[[application]]
name = "crm"
connector = "app_csv"
path = "crm.csv"      # dropped every night
every = "1d"
[application.columns]
account_id = "id"

# --- people ---
[[actor]]
email = "admin@x.example"
roles = ["admin"]
"""
LEDGER = {"name": "ledger", "title": "Ledger", "connector": "app_csv", "path": "ledger.csv", "every": "1d"}
WIKI = {"name": "wiki", "connector": "scim", "base_url": "http://127.0.0.1:1/"}


def a_house(folder):
    """It opened as the command line does it; closed when the test that asked for it is done."""
    (folder / "leaverwatch.toml").write_text(TOML)
    (folder / "leaverwatch.toml").chmod(0o640)
    (folder / "hr.csv").write_text("employee_id,status,work_email\n1,active,ada@x.example\n")
    (folder / "crm.csv").write_text("id,username,status\na1,ada,active\n")
    (folder / "ledger.csv").write_text("account_id,username,status\nb1,ada,active\nb2,bob,active\n")
    house = home.open_house(folder, {}, home.clock())
    home.announce(house, home.clock())
    yield house
    house.store.close()


def asked(house, table=LEDGER, kind="application", **typed):
    return configuring.add(house, ADMIN, NOW, Draft(kind, table, typed))


def write(house, request, **environ):
    return add_feed(house, ADMIN, request.arguments, environ)


def text(house):
    return (house.home / "leaverwatch.toml").read_text()
