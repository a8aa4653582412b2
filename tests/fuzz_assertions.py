"""The reader under coverage-guided fuzzing: python -m tests.fuzz_assertions --seconds 600 (needs atheris).

atheris steers the bytes by the branches they reach. The first byte chooses what the rest is: pasted as it is, or patches of
one of our documents. A crash is any exception but the two named errors, or a
document that is called verified and says something else than was signed.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import atheris

with atheris.instrument_imports(include=["governance.provisioning", "governance.errors", "signxml", "joserfc"]):
    from governance.errors import RefusedAssertion, UnreadableAssertion
    from governance.provisioning.reading import read

from signed import NOW, Signer, around, assertion

IDP = Signer()
TRUST = IDP.trust()
WHOLE = [
    *(IDP.response(signed=kind).encode() for kind in ("assertion", "response", "both")),
    IDP.token().encode(),
    around(assertion()).encode(),
]
TRUE = [read(data, trust=TRUST, now=NOW).assertion for data in WHOLE[:4]]
seen: Counter[str] = Counter()


def pasted(data: bytes) -> bytes:
    """The document the fuzzer's bytes stand for."""
    kind = data[0] % 8 if data else 7
    if kind >= len(WHOLE):
        return data[1:]
    source = atheris.FuzzedDataProvider(data[1:])
    text = bytearray(WHOLE[kind])
    for _ in range(source.ConsumeIntInRange(0, 6)):
        at = source.ConsumeIntInRange(0, len(text))
        text[at : at + source.ConsumeIntInRange(0, 80)] = source.ConsumeBytes(source.ConsumeIntInRange(0, 60))
    return bytes(text)


def one(data: bytes) -> None:
    """One input, with and without a trust."""
    text = pasted(data)
    for trust in (TRUST, None):
        try:
            reading = read(text, trust=trust, now=NOW, expired_is_fine=True)
        except (RefusedAssertion, UnreadableAssertion) as error:
            seen[type(error).__name__] += 1
            continue
        seen[reading.signature] += 1
        if reading.signature == "verified" and reading.assertion not in TRUE:
            raise AssertionError(f"called verified: {text!r}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--corpus", help="a folder to begin with and to keep what reaches new branches")
    asked = parser.parse_args()
    options = [sys.argv[0], f"-max_total_time={asked.seconds}", "-max_len=8192", "-rss_limit_mb=1024", "-timeout=20"]
    if asked.corpus:
        options.append(f"-artifact_prefix={asked.corpus}/")
        for number, whole in enumerate(WHOLE):
            Path(asked.corpus, f"seed-{number}").write_bytes(b"\x07" + whole)

    def told(data: bytes) -> None:
        one(data)
        if sum(seen.values()) % 50_000 == 0:
            sys.stderr.write(f"{dict(seen)}\n")

    atheris.Setup([*options, *([asked.corpus] if asked.corpus else [])], told)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
