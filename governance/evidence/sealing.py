"""Sealing files: one archive with a manifest of their hashes, and a signature over the manifest."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from governance import audit
from governance.evidence.container import write
from governance.evidence.signing import private_key, public_key_file
from governance.evidence.verifying import KEY, MANIFEST, SIGNATURE
from governance.house import House


def seal(
    house: House, folder: Path, members: Mapping[str, Path], about: Mapping[str, Any], now: datetime, into: Path
) -> Path:
    """Write the archive of these files to `into` in one step. `about` stands in the manifest; `verify` proves it.

    `folder`: where drafts may lie, on the same disk as `into` (see `beside`).
    """
    manifest = {**about, **_manifest(house, members, now)}
    text = json.dumps(manifest, sort_keys=True, ensure_ascii=False, indent=1, default=str).encode()
    (folder / MANIFEST).write_bytes(text)
    (folder / SIGNATURE).write_bytes(private_key(house.home).sign(text))
    (folder / KEY).write_bytes(public_key_file(house.home).read_bytes())
    draft = folder / "pack.zip"
    write(draft, {**members, **{name: folder / name for name in (MANIFEST, SIGNATURE, KEY)}})
    os.replace(draft, into)
    return into


def beside(into: Path) -> Path:
    """The folder of a file to come, made if it is not there."""
    into.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    return into.parent


def _manifest(house: House, members: Mapping[str, Path], now: datetime) -> dict[str, Any]:
    files = {}
    for name, path in sorted(members.items()):
        with path.open("rb") as file:
            files[name] = {"sha256": hashlib.file_digest(file, "sha256").hexdigest(), "bytes": path.stat().st_size}
    with house.store.read() as session:
        tip = audit.tip(session)
    return {
        "program": f"leaverwatch {version('leaverwatch')}",
        "made_at": now.isoformat(),
        "audit_tip": tip,
        "files": files,
    }
