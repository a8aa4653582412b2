"""Small documents that want to become large or slow, each read in a process that may use 50 MB and a second more.

Run by test_assertion_bombs.py: prints one JSON object, name -> what became of it.
"""

from __future__ import annotations

import base64
import json
import resource
import signal
import sys
import zlib

from signed import ATTRIBUTES, NOW, Signer, around, assertion

from governance.errors import SignOnError
from governance.provisioning.reading import read

MORE = 50 * 2**20  # bytes
SECONDS = 1.0  # of the processor


def deflated(data: bytes, wbits: int = -15) -> str:
    machine = zlib.compressobj(9, wbits=wbits)
    return base64.b64encode(machine.compress(data) + machine.flush()).decode()


def laughs() -> str:
    entities = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10}">' for i in range(1, 10))
    return f'<!DOCTYPE r [<!ENTITY l0 "lol">{entities}]><r>&l9;</r>'


def token(body: bytes) -> str:
    head = base64.urlsafe_b64encode(b'{"alg":"ES256"}').rstrip(b"=").decode()
    return f"{head}.{base64.urlsafe_b64encode(body).rstrip(b'=').decode()}.AA"


def bombs(idp: Signer) -> dict[str, str]:
    """Every bomb by name. Those that are signed take the longest way through the reader."""
    many = "".join(
        f'<saml:Attribute Name="a{i}"><saml:AttributeValue>x</saml:AttributeValue></saml:Attribute>'
        for i in range(4000)
    )
    groups = "<saml:AttributeValue>group</saml:AttributeValue>" * 9000
    return {
        "a billion laughs": laughs(),
        "a billion laughs, deflated": deflated(laughs().encode()),
        "quadratic": f'<!DOCTYPE r [<!ENTITY a "{"a" * 50_000}">]><r>{"&a;" * 50_000}</r>',
        "parameters": '<!DOCTYPE r [<!ENTITY % a "<!ENTITY b \'%a;%a;\'>"> %a;]><r>&b;</r>',
        "noughts, deflated": deflated(bytes(2**20) * 20),
        "elements, deflated": deflated(b"<a>" * 7_000_000),
        "deflated twice": deflated(deflated(bytes(2**20) * 20).encode()),
        "deep": "<a>" * 300_000,
        "wide": "<a>" + "<b/>" * 200_000 + "</a>",
        "attributes": "<a" + "".join(f' a{i}=""' for i in range(80_000)) + "/>",
        "namespaces": "<a" + "".join(f' xmlns:a{i}="x"' for i in range(40_000)) + "/>",
        "namespaces all the way": "".join(f'<a xmlns:b{i}="x">' for i in range(30_000)),
        "a long name": "<" + "a" * 900_000 + "/>",
        "a long text": around(assertion(attributes=ATTRIBUTES.replace("ada", "a" * 900_000))),
        "comments": around(assertion(attributes="<!---->" * 120_000)),
        "open comments": "<!--" * 240_000,
        "instructions": "<?a?>" * 190_000,
        "forms": "<input name=" * 80_000,
        "forms with spaces": "<input name" + " " * 900_000,
        "addresses": "SAMLResponse=" * 70_000,
        "per cents": "%25" * 330_000,
        "dots": "a.b." * 240_000,
        "quotes": "<input name='" + "'" * 900_000,
        "braces": "{" * 900_000,
        "lists in a token": token(b"[" * 700_000),
        "objects in a token": token(b'{"a":' * 140_000),
        "a large number": token(b'{"iss":' + b"9" * 700_000 + b"}"),
        "names in a token": token(b"{" + b",".join(b'"%d":1' % i for i in range(60_000)) + b"}"),
        "signed, with many attributes": idp.response(signed="both", attributes=many),
        "signed, with many values": idp.response(signed="both", attributes=f'<saml:Attribute Name="groups">{groups}</saml:Attribute>'),
        "signed, with a long text": idp.response(signed="both", attributes=ATTRIBUTES.replace("ada", "a" * 300_000)),
        "signed, with comments": idp.response(signed="both", attributes="<!-- -->" * 90_000),
    }  # fmt: skip


def main() -> None:
    idp = Signer()
    trust = idp.trust()
    made = bombs(idp)
    read(idp.response(signed="both"), trust=trust, now=NOW)  # what is loaded once is no cost of a bomb
    told: dict[str, list[str]] = {}
    for name, bomb in made.items():
        for against in (trust, None):
            with open("/proc/self/statm") as now_used:
                used = int(now_used.read().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + MORE, resource.RLIM_INFINITY))
            signal.setitimer(signal.ITIMER_PROF, SECONDS)  # SIGPROF ends the process
            try:
                became = read(bomb, trust=against, now=NOW).signature
            except SignOnError as error:
                became = f"refused: {error}"[:120]
            signal.setitimer(signal.ITIMER_PROF, 0)
            resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
            told.setdefault(name, []).append(became)
    json.dump(told, sys.stdout)


if __name__ == "__main__":
    main()
