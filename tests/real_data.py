"""Where the real input lies; absent, tests that need it skip and say so."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

FOLDER = Path(os.environ.get("LEAVERWATCH_TEST_DATA", Path(__file__).parents[2] / "shared" / "data"))


def real(name: str) -> Path:
    """The folder of that name; skips the test when the real data is not here."""
    if not (FOLDER / name).exists():
        pytest.skip(f"real data {name} is not at {FOLDER} (LEAVERWATCH_TEST_DATA)")
    return FOLDER / name
