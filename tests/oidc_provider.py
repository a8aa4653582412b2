"""A real OpenID Connect provider for the tests of signing in: Canaille on loopback, with four people and two groups."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.foreign_servers import CANAILLE, _await, free_port

CLIENT, SECRET = "leaverwatch", "canary-client-secret-7731"
PASSWORD = "correct horse battery staple"
# name -> groups at the provider; all are employees of tests.homes, where Cy has left
PEOPLE = {"ada": ("grp-security",), "bob": ("grp-admins",), "eve": (), "cy": ("grp-security",)}

# Run by Canaille's own Python: its command line needs three seconds for each of these.
_FILL = """
import json, sys
from canaille import create_app
from canaille.app import models
from canaille.backends import Backend
told = json.loads(sys.argv[1])
app = create_app()
with app.app_context(), Backend.instance.session():
    people = {}
    for name in told["people"]:
        one = models.User(user_name=name, formatted_name=name.capitalize(), given_name=name, family_name=name.capitalize(),
            emails=[f"{name}@x.example"], password=told["password"])
        Backend.instance.save(one)
        people[name] = one
    for group in sorted({g for groups in told["people"].values() for g in groups}):
        members = [people[n] for n, groups in told["people"].items() if group in groups]
        Backend.instance.save(models.Group(display_name=group, members=members))
    Backend.instance.save(models.Client(client_id=told["client"], client_secret=told["secret"], client_name="Leaverwatch",
        client_uri=told["address"], redirect_uris=[told["address"] + "/oauth2callback"],
        post_logout_redirect_uris=[told["address"] + "/oauth2callback"], grant_types=["authorization_code"],
        response_types=["code"], scope=["openid", "profile", "email", "groups"],
        token_endpoint_auth_method="client_secret_basic"))
"""


@dataclass(frozen=True)
class Provider:
    """Where it is, and how Leaverwatch's settings name it."""

    issuer: str

    def settings(self, address: str) -> str:
        """The part of leaverwatch.toml about signing in."""
        return f"""
[sign_in]
address = "{address}"

[sign_in.groups]
grp-security = ["security"]
grp-admins = ["admin"]

[[sign_in.provider]]
name = "canaille"
title = "Canaille"
issuer = "{self.issuer}"
client_id = "{CLIENT}"
client_secret = {{ env = "LW_TEST_CLIENT_SECRET" }}
scope = "openid email profile groups"
"""


@contextmanager
def provider(folder: Path, address: str) -> Iterator[Provider]:
    """A running provider that knows Leaverwatch under this address; it ends with the block."""
    import json

    port = free_port()
    told = os.environ | {
        "CANAILLE__SECRET_KEY": "only for this test",
        "CANAILLE__SERVER_NAME": f"127.0.0.1:{port}",
        "CANAILLE__PREFERRED_URL_SCHEME": "http",
        "CANAILLE__DATABASE": "sql",
        "CANAILLE_SQL__DATABASE_URI": f"sqlite:///{folder / 'provider.db'}",
        "CANAILLE_SQL__PASSWORD_SCHEMES": "plaintext",
    }
    people = {"people": PEOPLE, "password": PASSWORD, "client": CLIENT, "secret": SECRET, "address": address}
    log = folder / "provider.log"
    with log.open("wb") as out:
        for command in (
            [CANAILLE, "db", "upgrade"],
            [CANAILLE.with_name("python"), "-c", _FILL, json.dumps(people)],
        ):
            done = subprocess.run(command, cwd=folder, env=told, stdout=out, stderr=out, check=False)
            assert done.returncode == 0, log.read_text()
        process = subprocess.Popen(
            [CANAILLE, "run", "--bind", f"127.0.0.1:{port}"],
            cwd=folder,
            env=told,
            stdout=out,
            stderr=out,
            start_new_session=True,
        )
        try:
            _await(f"http://127.0.0.1:{port}/", process, log)
            yield Provider(f"http://127.0.0.1:{port}")
        finally:
            os.killpg(process.pid, 15)
            process.wait(10)
