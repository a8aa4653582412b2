"""Keys made for a test run and thrown away after it."""

from __future__ import annotations

import functools
import json

from joserfc.jwk import RSAKey


@functools.cache
def private_key(name: str) -> str:
    """A private RSA key in PEM form, the same for the same name within one run."""
    return RSAKey.generate_key(2048, {"kid": name}).as_pem(private=True).decode()


@functools.cache
def public_key(name: str) -> str:
    """The public half."""
    return RSAKey.import_key(private_key(name)).as_pem(private=False).decode()


def service_account(name: str) -> str:
    """A key file of a Google service account."""
    return json.dumps(
        {
            "type": "service_account",
            "client_id": "1" * 21,
            "client_email": f"{name}@leaverwatch-test.example",
            "private_key_id": f"{name}-key",
            "private_key": private_key(name),
        }
    )
