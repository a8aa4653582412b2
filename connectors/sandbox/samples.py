"""Assertions of the invented company to try the mapping lab with, and what checks them: certificate and keys."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Final

from connectors.sandbox.simulation import Company, claims

FOLDER: Final = "assertions"
AUDIENCE: Final = "salesforce"
CERTIFICATE: Final = "okta-signing.pem"
KEYS: Final = "okta-keys.json"


def write_samples(company: Company, folder: Path) -> None:
    """Signed anew each time: the keys are made at start and kept nowhere."""
    (folder / CERTIFICATE).write_text(company.idp.certificate, encoding="ascii")
    (folder / KEYS).write_text(json.dumps(company.idp.keys), encoding="ascii")
    into = folder / FOLDER
    into.mkdir(exist_ok=True)
    people = {person.name: person for person in company.people.values()}
    told = {name: claims(company, people[name], AUDIENCE) for name in ("Jonas Weidmann", "Rafael Ortega", "Aiko Mori")}
    at, idp = company.at, company.idp
    jonas = idp.saml(told["Jonas Weidmann"], AUDIENCE, at)
    samples = {
        "Jonas Weidmann, SAML": jonas,
        "Aiko Mori, SAML with the e-mail as subject": idp.saml(told["Aiko Mori"], AUDIENCE, at, by_email=True),
        "Jonas Weidmann, SAML, changed after signing": jonas.replace(b">Sales<", b">Finance<"),
    }
    for name, document in samples.items():
        (into / f"{name}.txt").write_text(base64.b64encode(document).decode(), encoding="ascii")
    token = idp.id_token(told["Rafael Ortega"], AUDIENCE, at)
    (into / "Rafael Ortega, id token.txt").write_text(token, encoding="ascii")
