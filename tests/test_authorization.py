"""How requests prove who asks: fixed credentials, tokens that are granted and renewed, assertions that verify."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import pytest
from conftest import NOW
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from wild_server import WildServer, raw, says

from connectors.kit.addresses import check_base
from connectors.kit.authorization import (
    Granted,
    basic,
    bearer,
    client_assertion,
    client_secret,
    jwt_bearer,
    scheme,
    signer,
    token_endpoint,
)
from connectors.kit.contract import Circumstances
from connectors.kit.http import Http
from governance.errors import AuthenticationFailed, ConfigurationError, UnexpectedAnswer

GIVEN = Circumstances(now=NOW, home=Path(), deadline_s=10)
PEM = serialization.Encoding.PEM
PLAIN = serialization.NoEncryption()


def http(server: WildServer, **more: Any) -> Http:
    return Http(check_base(server.origin + "/", "test"), GIVEN, "one", **more)


def header(head: bytes, name: str) -> str:
    lines = [line.partition(b": ") for line in head.split(b"\r\n")]
    return next(value.decode() for key, _, value in lines if key.decode().casefold() == name.casefold())


@pytest.fixture
def tokens() -> Iterator[WildServer]:
    """A token endpoint that grants a new token each time."""
    answers = [
        says(
            {"access_token": f"granted-{n}", "token_type": "Bearer", "expires_in": 3600, "scope": "read list"},
            kind="application/json",
        )
        for n in range(1, 5)
    ]
    with WildServer(*answers) as server:
        yield server


def test_fixed_credentials_take_their_form() -> None:
    assert bearer("t0ken", "x").header() == "Bearer t0ken"
    assert scheme("SSWS", "t0ken", "x").header() == "SSWS t0ken"
    assert basic("name", "wörd", "x").header() == "Basic bmFtZTp3w7ZyZA=="
    assert bearer(" ", "x").header() is None
    assert not bearer("t", "x").renew()


@pytest.mark.parametrize("token", ["two words", "line\nbreak", "emoji😀", "nul\0"])
def test_a_token_that_no_header_may_hold_is_refused(token: str) -> None:
    with pytest.raises(ConfigurationError, match="the token holds signs") as refusal:
        bearer(token, "x")
    assert token not in str(refusal.value)


def test_a_token_is_granted_once_and_used_for_every_request(tokens: WildServer) -> None:
    with WildServer(says({}, kind="application/json")) as api:
        endpoint = http(tokens)
        granted = Granted(token_endpoint(endpoint, "token", client_secret("id", "s3cret", "list"), "one"))
        asking = http(api, auth=granted)
        asking.get("a")
        asking.get("b")
        asking.close()
        endpoint.close()
        assert [header(head, "Authorization") for head in api.heads] == ["Bearer granted-1"] * 2
    assert len(tokens.heads) == 1
    assert granted.token.scopes == ("read", "list")


def test_after_a_401_one_other_token_is_tried_and_no_more(tokens: WildServer) -> None:
    refused = says({}, status=401, kind="application/json")
    with WildServer(refused, says({"ok": 1}, kind="application/json")) as api:
        endpoint = http(tokens)
        asking = http(api, auth=Granted(token_endpoint(endpoint, "token", client_secret("id", "s"), "one")))
        assert asking.get("a").data == {"ok": 1}
        assert [header(head, "Authorization") for head in api.heads] == ["Bearer granted-1", "Bearer granted-2"]
        asking.close()
        endpoint.close()
    with WildServer(refused) as api, WildServer(says({"access_token": "x"}, kind="application/json")) as other:
        endpoint = http(other)
        asking = http(api, auth=Granted(token_endpoint(endpoint, "token", client_secret("id", "s"), "one")))
        with pytest.raises(AuthenticationFailed):
            asking.get("a")
        assert len(api.heads) == 2
        asking.close()
        endpoint.close()


def test_a_token_is_renewed_before_it_ends() -> None:
    short = [says({"access_token": f"t{n}", "expires_in": 0.001}, kind="application/json") for n in range(4)]
    with WildServer(*short) as server, WildServer(says({}, kind="application/json")) as api:
        endpoint = http(server)
        asking = http(api, auth=Granted(token_endpoint(endpoint, "token", client_secret("id", "s"), "one")))
        asking.get("a")
        import time

        time.sleep(0.01)
        asking.get("b")
        assert [header(head, "Authorization") for head in api.heads] == ["Bearer t0", "Bearer t1"]
        asking.close()
        endpoint.close()


@pytest.mark.parametrize(
    ("answer", "kind", "said"),
    [
        (
            says({"error": "invalid_client", "error_description": "s3cret"}, status=401, kind="application/json"),
            AuthenticationFailed,
            "invalid_client",
        ),
        (says({"error": "<b>s3cret</b>"}, status=400, kind="application/json"), AuthenticationFailed, "400"),
        (says({"token": "x"}, kind="application/json"), UnexpectedAnswer, "no access_token"),
        (says({"access_token": "two words"}, kind="application/json"), UnexpectedAnswer, "no access_token"),
        (says(["x"], kind="application/json"), UnexpectedAnswer, "no access_token"),
        (says(b"<html>", kind="text/html"), UnexpectedAnswer, "instead of JSON"),
        (
            raw(b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n"),
            UnexpectedAnswer,
            "redirect",
        ),
    ],
)
def test_an_endpoint_that_grants_nothing_is_one_of_our_errors(answer: Any, kind: type[Exception], said: str) -> None:
    with WildServer(answer) as server:
        endpoint = http(server)
        granted = Granted(token_endpoint(endpoint, "token", client_secret("id", "s3cret"), "one"))
        with pytest.raises(kind, match=said) as failure:
            granted.header()
        endpoint.close()
    assert "s3cret" not in str(failure.value)


def rsa_key() -> tuple[str, bytes]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, PLAIN).decode(), public


def ec_key() -> tuple[str, bytes]:
    key = ec.generate_private_key(ec.SECP256R1())
    public = key.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    return key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, PLAIN).decode(), public


@pytest.mark.parametrize(("make", "algorithm", "read"), [(rsa_key, "RS256", RSAKey), (ec_key, "ES256", ECKey)])
def test_an_assertion_verifies_with_the_public_key(make: Any, algorithm: str, read: Any) -> None:
    private, public = make()
    sign = signer(private, "x", lambda: NOW, key_id="k1", lifetime_s=120)
    form = client_assertion("client", sign, "https://org.example/oauth2/v1/token", "read")()
    told = jwt.decode(form["client_assertion"], read.import_key(public), algorithms=[algorithm])
    assert told.header == {"alg": algorithm, "typ": "JWT", "kid": "k1"}
    assert told.claims["iss"] == told.claims["sub"] == "client"
    assert told.claims["aud"] == "https://org.example/oauth2/v1/token"
    assert told.claims["exp"] - told.claims["iat"] == 120
    assert told.claims["iat"] == int(NOW.timestamp())
    again = jwt.decode(
        client_assertion("client", sign, "a")()["client_assertion"], read.import_key(public), algorithms=[algorithm]
    )
    assert again.claims["jti"] != told.claims["jti"]  # none may be used twice
    assert form["scope"] == "read"
    exchange = jwt_bearer(sign, {"sub": "admin@nwl.example", "exp": int((NOW + timedelta(hours=1)).timestamp())})()
    claims = jwt.decode(exchange["assertion"], read.import_key(public), algorithms=[algorithm]).claims
    assert claims["exp"] == int((NOW + timedelta(hours=1)).timestamp())  # what the caller says goes first


@pytest.mark.parametrize("text", ["", "no key", "-----BEGIN PRIVATE KEY-----\nMIIB\n-----END PRIVATE KEY-----"])
def test_what_is_no_private_key_is_a_configuration_error(text: str) -> None:
    with pytest.raises(ConfigurationError, match="expected an unencrypted private key"):
        signer(text, "x: private_key", lambda: NOW)


def test_a_public_key_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="public key"):
        signer(rsa_key()[1].decode(), "x", lambda: NOW)


def test_the_form_is_sent_as_a_form(tokens: WildServer) -> None:
    bodies: list[str] = []
    import socket

    def answer(sock: socket.socket, server: WildServer) -> None:
        head = server.heads[-1]
        body = head.partition(b"\r\n\r\n")[2]
        length = int(header(head, "Content-Length"))
        while len(body) < length:
            body += sock.recv(65536)
        bodies.append(body.decode())
        says({"access_token": "x"}, kind="application/json")(sock, server)

    with WildServer(answer) as server:
        endpoint = http(server)
        Granted(token_endpoint(endpoint, "token", client_secret("id", "a&b=c", "one two"), "one")).header()
        assert header(server.heads[0], "Content-Type") == "application/x-www-form-urlencoded"
        endpoint.close()
    assert parse_qs(bodies[0]) == {
        "grant_type": ["client_credentials"],
        "client_id": ["id"],
        "client_secret": ["a&b=c"],
        "scope": ["one two"],
    }
