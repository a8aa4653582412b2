"""Proving evidence offline: the signature, every file's hash, and every byte of the archive around them."""

from __future__ import annotations

import hashlib
import json
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from governance.errors import ConfigurationError
from governance.evidence.container import first_difference, write
from governance.evidence.signing import fingerprint, public_key

MANIFEST = "manifest.json"
SIGNATURE = "manifest.sig"
KEY = "public.pem"
ENCRYPTED: Final = 0x1  # bit of a member's flags (APPNOTE.TXT 4.4.4)


@dataclass(frozen=True)
class Proof:
    """What was found. `problems` is empty when the evidence is exactly what was signed."""

    problems: tuple[str, ...]
    files: int
    manifest: dict[str, Any]
    key: str  # fingerprint of the key it was verified with
    trusted: bool  # whether that key was given; else it is the one inside the file, which proves no origin

    @property
    def ok(self) -> bool:
        """Whether nothing was changed."""
        return not self.problems


def verify(file: Path, pem: bytes | None = None) -> Proof:
    """Prove an evidence file; `pem` is the public key as it was handed over.

    Every changed, added or missing file is named, and where a change lies that is in none of them. ConfigurationError
    when it is no evidence at all.
    """
    try:
        archive = zipfile.ZipFile(file)
    except FileNotFoundError as error:
        named = "expected one as leaverwatch evidence export writes it, such as REVIEW.zip"
        raise ConfigurationError(f"{file}: there is no evidence file of that name; {named}") from error
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read: {error.strerror or error}") from error
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise ConfigurationError(f"{file}: this is no evidence file, or it is damaged: {error}") from error
    with archive, tempfile.TemporaryDirectory() as folder:
        members, broken = _unpacked(archive, Path(folder))
        missing = [name for name in (MANIFEST, SIGNATURE, KEY) if name not in members]
        if missing:
            named = "; ".join([*broken, *(f"{name} is missing" for name in missing)])
            raise ConfigurationError(f"{file}: this is no evidence file, or it is damaged: {named}")
        told = members[MANIFEST].read_bytes()
        own = members[KEY].read_bytes()
        key = public_key(pem if pem is not None else own, "the public key" if pem is not None else f"{file}: {KEY}")
        problems = [*broken, *_signature(key, members[SIGNATURE].read_bytes(), told)]
        if pem is not None and fingerprint(public_key(own, f"{file}: {KEY}")) != fingerprint(key):
            problems.append(f"{KEY} is another key than the one given")
        manifest = _manifest(told)
        problems += _files(manifest.get("files") or {}, members)
        again = Path(folder) / "again.zip"
        write(again, members)
        at = first_difference(file, again)
        if at is not None and not problems:
            problems.append(f"byte {at:,} of the file was changed, outside of its members")
        return Proof(tuple(problems), len(members), manifest, fingerprint(key), pem is not None)


def _unpacked(archive: zipfile.ZipFile, folder: Path) -> tuple[dict[str, Path], list[str]]:
    """Every member as a file in the folder, under a number; and those that can't be read or stand there twice."""
    members: dict[str, Path] = {}
    broken: list[str] = []
    for place, info in enumerate(archive.infolist()):
        if info.filename in members:
            broken.append(f"{info.filename} is in the file twice")
            continue
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits & ENCRYPTED:
            broken.append(f"{info.filename} was changed (it is stored as it is, never packed or locked)")
            continue
        path = folder / str(place)
        try:
            with archive.open(info) as source, path.open("wb") as into:
                while portion := source.read(1 << 20):
                    into.write(portion)
        except (zipfile.BadZipFile, OSError, NotImplementedError, ValueError, EOFError) as error:
            broken.append(f"{info.filename} was changed ({error})")
            path.unlink(missing_ok=True)
            continue
        members[info.filename] = path
    return members, broken


def _signature(key: Any, signature: bytes, told: bytes) -> Iterator[str]:
    from cryptography.exceptions import InvalidSignature

    try:
        key.verify(signature, told)
    except InvalidSignature:
        yield f"{MANIFEST} or its signature was changed, or another key signed it"


def _manifest(told: bytes) -> dict[str, Any]:
    try:
        manifest = json.loads(told)
    except ValueError:
        return {}
    return manifest if isinstance(manifest, dict) else {}


def _files(told: dict[str, Any], members: dict[str, Path]) -> Iterator[str]:
    for name in sorted(set(told) | set(members) - {MANIFEST, SIGNATURE, KEY}):
        if name not in members:
            yield f"{name} is missing"
        elif name not in told:
            yield f"{name} was added"
        else:
            with members[name].open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
            if digest != (told[name] or {}).get("sha256"):
                yield f"{name} was changed"
