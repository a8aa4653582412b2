"""Id tokens: what is accepted, thirty and more that are not, and what the claims become."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from joserfc import jws, jwt
from joserfc.jwk import OctKey, OKPKey, RSAKey
from signed import AT, AUDIENCE, CLAIMS, ISSUER, NOW, Signer

from governance.errors import ConfigurationError, RefusedAssertion, SignOnError, UnreadableAssertion
from governance.provisioning.assertion import PAIRWISE
from governance.provisioning.reading import read
from governance.provisioning.trust import Trust

IDP = Signer()
EVE = Signer("id.eve.example")
TRUST = IDP.trust()
GOOD = IDP.token()


def b64(value):
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unsigned(header, claims=CLAIMS, signature=b""):
    return f"{b64(header)}.{b64(claims)}.{b64(signature)}"


def by_secret(secret, header=None):
    """The classic confusion: the public key, which everybody has, taken for a shared one."""
    head = f"{b64({'alg': 'HS256', 'kid': 'k1', **(header or {})})}.{b64(CLAIMS)}"
    return f"{head}.{b64(hmac.digest(secret, head.encode(), hashlib.sha256))}"


def by_eve(**header):
    return EVE.token(header)


def changed(part, value):
    parts = GOOD.split(".")
    parts[part] = value
    return ".".join(parts)


PEM = IDP.jwk.as_pem(private=False)
JWK = IDP.jwk.as_dict(private=False)
THEIRS = EVE.jwk.as_dict(private=False)
FORGED = {
    "alg none": (unsigned({"alg": "none"}), "signed with none"),
    "alg None": (unsigned({"alg": "None"}), "signed with None"),
    "alg nOnE, with a signature": (unsigned({"alg": "nOnE"}, signature=b"x"), "signed with nOnE"),
    "no alg": (unsigned({"typ": "JWT"}), "signed with None"),
    "alg of another kind": (unsigned({"alg": ["ES256"]}), "signed with"),
    "alg empty": (unsigned({"alg": ""}), "signed with ;"),
    "none with the good signature": (changed(0, b64({"alg": "none"})), "signed with none"),
    "the public key as a secret": (by_secret(PEM), "signed with HS256"),
    "the certificate as a secret": (by_secret(IDP.certificate.encode()), "signed with HS256"),
    "the key's JSON as a secret": (by_secret(json.dumps(JWK).encode()), "signed with HS256"),
    "an empty secret": (by_secret(b""), "signed with HS256"),
    "another key under the same name": (by_eve(), "does not hold"),
    "another key with its own name": (by_eve(kid="k2"), "none of the trusted keys of the name k2"),
    "a name that is a path": (by_eve(kid="../../dev/null"), "none of the trusted keys of the name ../../dev/null"),
    "a name that is a query": (by_eve(kid="k1' UNION SELECT 'x"), "none of the trusted keys of the name k1'"),
    "a name that is an address": (by_eve(kid="https://eve.example/k"), "none of the trusted keys of the name https"),
    "a key inside": (by_eve(jwk=THEIRS), "does not hold"),
    "a key elsewhere": (by_eve(jku="https://eve.example/jwks.json"), "does not hold"),
    "a certificate elsewhere": (by_eve(x5u="https://eve.example/c.pem"), "does not hold"),
    "a certificate inside": (by_eve(x5c=["".join(EVE.certificate.split("\n")[1:-2])]), "does not hold"),
    "no name at all": (EVE.token({"kid": ""}), "none of the trusted keys"),
    "another audience": (IDP.token(aud="https://other.example/"), "is for https://other.example/, not for"),
    "no audience": (IDP.token(aud=None), "is for None, not for"),
    "an audience that begins alike": (IDP.token(aud=AUDIENCE + "x"), "is for"),
    "two audiences and nobody it was made for": (IDP.token(aud=[AUDIENCE, "https://other.example/"]), "was made for None"),
    "made for another": (IDP.token(azp="https://other.example/"), "was made for https://other.example/"),
    "another issuer": (IDP.token(iss="https://id.eve.example/"), "issued by https://id.eve.example/"),
    "no issuer": (IDP.token(iss=None), "issued by None"),
    "an issuer without its last sign": (IDP.token(iss=ISSUER.rstrip("/")), "issued by https://id.nwl.example,"),
    "run out": (IDP.token(exp=AT - 61), "held until 2026-11-23 08:10:59"),
    "run out a minute ago": (IDP.token(exp=AT - 60), "held until"),
    "never running out": (IDP.token(exp=None), "does not say exp"),
    "made later": (IDP.token(iat=AT + 61, nbf=None), "holds only from .* [(]iat[)]"),
    "holding later": (IDP.token(nbf=AT + 61), "holds only from .* [(]nbf[)]"),
    "made at no time": (IDP.token(iat=None), "does not say iat"),
    "for another question": (IDP.token(nonce="_q2"), "answers _q2"),
    "for no question": (IDP.token(nonce=None), "answers None"),
    "changed": (changed(1, b64({**CLAIMS, "sub": "root"})), "does not hold"),
    "without its signature": (changed(2, ""), "does not hold"),
    "with half its signature": (changed(2, GOOD.split(".")[2][:40]), "does not hold"),
    "with a signature of noughts": (changed(2, b64(bytes(64))), "does not hold"),
    "an access token": (IDP.token({"typ": "at+jwt"}), "of type at[+]jwt"),
    "a token of signing out": (IDP.token({"typ": "logout+jwt"}), "of type logout"),
    "an extension": (unsigned({"alg": "ES256", "kid": "k1", "crit": ["x"], "x": 1}), "an extension"),
    "a payload that is not encoded": (unsigned({"alg": "ES256", "kid": "k1", "crit": ["b64"], "b64": False}), "an extension"),
}  # fmt: skip


def test_there_are_thirty_and_more():
    assert len(FORGED) >= 30


@pytest.mark.parametrize("kind", FORGED)
def test_no_forged_token_is_accepted(kind):
    token, reason = FORGED[kind]
    with pytest.raises(RefusedAssertion, match=reason):
        read(token, trust=TRUST, now=NOW)


def test_a_good_one_is_accepted_and_says_by_whom():
    reading = read(GOOD, trust=TRUST, now=NOW)
    said = reading.assertion
    assert (reading.protocol, reading.signature, said.verified) == ("oidc", "verified", True)
    assert (said.issuer, said.audience, said.subject, said.subject_format) == (ISSUER, AUDIENCE, "p-1", PAIRWISE)
    assert (said.immutable_id, said.tenant_id, said.username, said.email) == ("00u1", "t1", "ada", "ada@nwl.example")
    assert (said.groups, said.amr, said.at) == (("sales",), ("pwd", "mfa"), NOW - timedelta(seconds=60))
    assert reading.by.startswith("key k1, SHA-256 thumbprint ")
    assert (reading.holds_from, reading.holds_until) == (NOW, NOW + timedelta(minutes=5))
    assert reading.warnings == ()
    assert dict(reading.told)["exp"] == (str(AT + 300),)


def test_clocks_may_differ_by_a_minute_and_no_more():
    for claims in ({"exp": AT - 59}, {"iat": AT + 60, "nbf": None}, {"nbf": AT + 60}):
        assert read(IDP.token(**claims), trust=TRUST, now=NOW).signature == "verified"
    exact = replace(TRUST, skew=timedelta())
    with pytest.raises(RefusedAssertion):
        read(IDP.token(exp=AT), trust=exact, now=NOW)
    with pytest.raises(ConfigurationError, match="skew"):
        replace(TRUST, skew=timedelta(seconds=61))


def test_a_run_out_one_passes_only_when_asked_for_and_is_marked():
    reading = read(IDP.token(exp=AT - 3600), trust=TRUST, now=NOW, expired_is_fine=True)
    assert (reading.signature, reading.expired) == ("verified", True)
    assert read(IDP.token(exp=AT - 3600), trust=None, now=NOW).expired
    with pytest.raises(RefusedAssertion, match="holds only from"):  # what does not hold yet is never fine
        read(IDP.token(nbf=AT + 3600), trust=TRUST, now=NOW, expired_is_fine=True)


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "EdDSA"])
def test_the_other_algorithms_are_checked_too(algorithm):
    made = ed25519.Ed25519PrivateKey.generate() if algorithm == "EdDSA" else rsa.generate_private_key(65537, 2048)
    key = (OKPKey if algorithm == "EdDSA" else RSAKey).import_key(made, {"alg": algorithm})
    trust = replace(TRUST, keys={"keys": [JWK, key.as_dict(private=False)]})
    if algorithm == "EdDSA":
        with pytest.warns(UserWarning, match="deprecated"):
            token = jwt.encode({"alg": algorithm}, CLAIMS, key, algorithms=[algorithm])
    else:
        token = jwt.encode({"alg": algorithm}, CLAIMS, key, algorithms=[algorithm])
    assert read(token, trust=trust, now=NOW).by.endswith(algorithm)
    with pytest.raises(RefusedAssertion, match=f"signed with {algorithm}"):
        read(token, trust=replace(trust, algorithms=("ES256",)), now=NOW)
    with pytest.raises(RefusedAssertion, match="none of the trusted keys can check"):
        read(token, trust=TRUST, now=NOW)


def test_keys_pointed_to_are_ignored_and_it_is_said():
    token = IDP.token({"jku": "https://eve.example/jwks.json", "jwk": THEIRS})
    assert read(token, trust=TRUST, now=NOW).warnings == (
        "the token points to a key by jku, which is ignored", "the token points to a key by jwk, which is ignored",
    )  # fmt: skip


def test_a_key_that_has_no_name_checks_any():
    nameless = {name: value for name, value in JWK.items() if name != "kid"}
    assert read(GOOD, trust=replace(TRUST, keys={"keys": [nameless]}), now=NOW).signature == "verified"
    with pytest.raises(RefusedAssertion, match="none of the trusted keys"):
        read(GOOD, trust=replace(TRUST, keys={"keys": [{**JWK, "use": "enc"}]}), now=NOW)


@pytest.mark.parametrize(
    ("keys", "reason"),
    [
        ("[", "no JSON"), ("[]", "expected a JSON Web Key Set"), ('{"keys": []}', "at least one key"),
        ('{"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}', "who can check with a shared key can also sign"),
        (json.dumps({"keys": [IDP.jwk.as_dict(private=True)]}), "a private key is among them"),
        ('{"keys": [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}]}', "one cannot be read"),
    ],
)  # fmt: skip
def test_keys_that_cannot_count_are_told_at_once(keys, reason):
    with pytest.raises(ConfigurationError, match=reason):
        Trust.of_keys(keys, issuer=ISSUER, audience=AUDIENCE)


def test_a_trust_is_whole_or_none():
    assert read(GOOD, trust=Trust.of_keys(json.dumps(IDP.jwks), issuer=ISSUER, audience=AUDIENCE), now=NOW).by
    with pytest.raises(ConfigurationError, match="HS256, none cannot count"):
        replace(TRUST, algorithms=("HS256", "none", "ES256"))
    with pytest.raises(ConfigurationError, match=r"certificates .* or keys"):
        Trust(ISSUER, AUDIENCE)
    with pytest.raises(ConfigurationError, match="issuer and the audience"):
        Trust("", AUDIENCE, (IDP.certificate,))
    with pytest.raises(ConfigurationError, match="BEGIN CERTIFICATE"):
        Trust.of_certificates("nothing", issuer=ISSUER, audience=AUDIENCE)
    edwards = Signer(key=ed25519.Ed25519PrivateKey.generate())
    with pytest.raises(ConfigurationError, match="holds no RSA or EC key: CN=id"):
        Trust(ISSUER, AUDIENCE, (edwards.certificate,))
    metadata = '<m:EntityDescriptor xmlns:m="urn:oasis:names:tc:SAML:2.0:metadata" entityID="i"><m:IDPSSODescriptor/>'
    with pytest.raises(ConfigurationError, match="names no signing certificate"):
        Trust.of_metadata(metadata + "</m:EntityDescriptor>", audience=AUDIENCE)
    with pytest.raises(ConfigurationError, match=r"metadata: 1,000,1\d\d bytes of XML"):
        Trust.of_metadata(metadata + " " * 1_000_000, audience=AUDIENCE)
    with pytest.raises(RefusedAssertion, match="the trust has no keys"):
        read(GOOD, trust=replace(TRUST, keys=None), now=NOW)
    with pytest.raises(RefusedAssertion, match="the trust has no certificate"):
        read(IDP.response(), trust=replace(TRUST, certificates=()), now=NOW)


def test_an_encrypted_token_is_told_as_encrypted():
    token = ".".join([b64({"alg": "RSA-OAEP", "enc": "A256GCM"}), "a", "b", "c", "d"])
    for trust in (TRUST, None):
        reading = read(token, trust=trust, now=NOW)
        assert (reading.signature, reading.assertion) == ("encrypted", None)
    with pytest.raises(UnreadableAssertion, match="does not say how"):
        read(".".join([b64({"alg": "dir"}), "a", "b", "c", "d"]), trust=None, now=NOW)


def test_a_shared_secret_never_counts_even_when_the_signature_would_hold():
    secret = OctKey.import_key("a shared secret of thirty-two bytes")
    token = jws.serialize_compact({"alg": "HS256"}, json.dumps(CLAIMS), secret, algorithms=["HS256"])
    with pytest.raises(SignOnError, match="signed with HS256"):
        read(token, trust=TRUST, now=NOW)


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        ("e30.e30.", "the token's claim iss: expected text, found None"),
        (unsigned({"alg": "ES256"}, {**CLAIMS, "sub": ""}), "the token's claim sub: expected text, found ''"),
        (unsigned({"alg": "ES256"}, {**CLAIMS, "sub": {"a": 1}}), "the token's claim sub: expected text"),
        (unsigned({"alg": "ES256"}, {**CLAIMS, "exp": "soon"}), "the token's claim exp: 'soon' is no time"),
        (unsigned({"alg": "ES256"}, {**CLAIMS, "exp": True}), "the token's claim exp: True is no time"),
        (unsigned({"alg": "ES256"}, {**CLAIMS, "iat": 10**30}), "the token's claim iat: 1000"),
        (unsigned({"alg": "ES256"}, {"iss": "i", "sub": "s"}), "auth_time or iat"),
        (unsigned({"alg": "ES256"}, b'{"iss": "a", "iss": "b"}'), "a name stands twice"),
        (unsigned({"alg": "ES256"}, b'{"iss": NaN}'), "NaN is no number"),
        (unsigned({"alg": "ES256"}, b'{"iss": "\\ud800"}'), "the token's payload is no JSON"),
        (unsigned({"alg": "ES256"}, b"[" * 100_000), "the token's payload is no JSON"),
        (unsigned({"alg": "ES256"}, b"[1]"), "the token's payload: expected an object"),
        (unsigned(b"\xff\xfe"), "the token's header is no JSON"),
        ("A.e30.", "the token's header is not in base64url"),
    ],
)
def test_a_damaged_one_says_what_was_expected_and_where(token, reason):
    with pytest.raises(UnreadableAssertion, match=reason):
        read(token, trust=None, now=NOW)


def claims(**more):
    return read(unsigned({"alg": "ES256"}, {**CLAIMS, **more}), trust=None, now=NOW)


class TestClaims:
    def test_of_entra(self):
        told = claims(
            sub="AAAA", oid="11111111-2222-3333-4444-555555555555", tid="99999999-2222-3333-4444-555555555555",
            preferred_username="ada@nwl.example", name="Ada Amaral", given_name="Ada", family_name="Amaral",
            groups=["aaaaaaaa-2222-3333-4444-555555555555"], roles=["Sales.Read"], wids=["w1"], xms_edov="0",
        ).assertion  # fmt: skip
        assert (told.immutable_id, told.tenant_id) == (
            "11111111-2222-3333-4444-555555555555", "99999999-2222-3333-4444-555555555555",
        )  # fmt: skip
        assert (told.username, told.first_name, told.last_name) == ("ada@nwl.example", "Ada", "Amaral")
        assert (told.roles, told.email_verified) == (("Sales.Read",), False)
        assert dict(told.attributes)["wids"] == ("w1",)

    def test_of_okta(self):
        told = claims(oid=None, uid="00u9", sub="ada@nwl.example", email_verified=True, idp="00o1").assertion
        assert (told.immutable_id, told.key, told.email_verified) == ("00u9", "00u9", True)
        assert claims(oid=None, sub="00u9").assertion.key == "00u9"

    @pytest.mark.parametrize(
        "overage", [{"hasgroups": True}, {"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {}}}]
    )
    def test_more_groups_than_fit_are_unknown_and_not_none(self, overage):
        reading = claims(groups=None, **overage)
        assert (reading.assertion.groups, reading.assertion.groups_overage) == (None, True)
        assert "more groups than fit" in reading.warnings[-1]

    def test_groups_that_are_not_told_are_not_none(self):
        absent, empty = claims(groups=None), claims(groups=[])
        assert (absent.assertion.groups, empty.assertion.groups) == (None, ())
        assert "no groups are told" in absent.warnings[0]
        assert not claims(hasgroups=False).assertion.groups_overage

    def test_what_will_surprise_is_said(self):
        reading = claims(
            department=["Sales", "Legal"], email_verified=False, oid=None, sub="ada@nwl.example",
            groups=["aaaaaaaa-2222-3333-4444-555555555555"],
        )  # fmt: skip
        assert reading.warnings == (
            "department has 2 values and the first is taken: Sales, Legal",
            "the groups are told by id, not by name: a mapping must ask for the ids",
            "the e-mail address was not verified: anybody may have entered it",
        )
        assert dict(reading.told)["department"] == ("Sales", "Legal")

    def test_of_several_values_the_first_is_the_field_and_a_mapping_is_told_all(self):
        told = claims(department=["Sales", "", " legal "], jobTitle="Seller", given_name=["Ada", "Augusta"]).assertion
        assert (told.department, told.title, told.first_name) == ("Sales", "Seller", "Ada")
        assert told.values("department") == ("Sales", " legal ")
        assert (told.values("title"), told.values("first_name")) == (("Seller",), ("Ada", "Augusta"))
        assert told.values("employee_type") is None
        assert claims(department=["", ""]).assertion.values("department") is None
