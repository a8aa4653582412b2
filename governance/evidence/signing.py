"""The key that signs evidence: Ed25519 (RFC 8032), made once for a house, its public half to be handed to auditors."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

from governance.errors import ConfigurationError

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

FOLDER: Final = "evidence"
PRIVATE: Final = "signing.key"  # 0600, never leaves the house
PUBLIC: Final = "public.pem"


def private_key(home: Path) -> Ed25519PrivateKey:
    """The house's signing key, made at the first call; ConfigurationError names the file that is not one."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    file = home / FOLDER / PRIVATE
    if not file.exists():
        _make(file)
    try:
        key = load_pem_private_key(file.read_bytes(), password=None)
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"{file}: the key that signs evidence can't be read: {error}") from error
    if not isinstance(key, Ed25519PrivateKey):
        raise ConfigurationError(f"{file}: expected an Ed25519 key")
    return key


def public_key_file(home: Path) -> Path:
    """The file with the public half, for auditors; made with the key if it is not there yet."""
    file = home / FOLDER / PUBLIC
    told = public_pem(private_key(home).public_key())
    if not file.exists() or file.read_bytes() != told:
        file.write_bytes(told)
    return file


def public_key(pem: bytes, where: str = "the public key") -> Ed25519PublicKey:
    """The public key of these bytes; ConfigurationError when they are none."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        key = load_pem_public_key(pem)
    except ValueError as error:
        raise ConfigurationError(f"{where}: expected a public key as PEM") from error
    if not isinstance(key, Ed25519PublicKey):
        raise ConfigurationError(f"{where}: expected an Ed25519 public key")
    return key


def public_pem(key: Ed25519PublicKey) -> bytes:
    """A public key as PEM."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def fingerprint(key: Ed25519PublicKey) -> str:
    """What two people compare over the telephone: the first 16 hex digits of the SHA-256 of the raw key."""
    digest = hashlib.sha256(key.public_bytes_raw()).hexdigest()[:16]
    return " ".join(digest[start : start + 4] for start in range(0, 16, 4))


def _make(file: Path) -> None:
    """A new key file, whole or not at all; of two who make one at once the first one's stays."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    told = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with os.fdopen(os.open(draft, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as stream:
            stream.write(told)
            stream.flush()
            os.fsync(stream.fileno())
        try:
            os.link(draft, file)
        except FileExistsError:
            return
    finally:
        draft.unlink(missing_ok=True)
