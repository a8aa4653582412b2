"""Key files of two service accounts at the invented Google customer: one reads, one may also write."""

from __future__ import annotations

import json

from joserfc.jwk import RSAKey

from connectors.sandbox.model import SandboxApplication


def service_account(application: SandboxApplication, *, writes: bool) -> str:
    """A new key file; the customer's sandbox learns the public half and grants tokens to who holds the file."""
    name = "writer" if writes else "reader"
    email = f"{name}@leaverwatch-demo.example"
    key = RSAKey.generate_key(2048, {"kid": f"{name}-key"})
    application.settings.setdefault("service_accounts", {})[email] = key.as_pem(private=False).decode()
    if writes:
        application.settings["writer"] = email
    return json.dumps(
        {
            "type": "service_account",
            "client_id": "1" * 20 + ("2" if writes else "1"),
            "client_email": email,
            "private_key_id": f"{name}-key",
            "private_key": key.as_pem(private=True).decode(),
        }
    )
