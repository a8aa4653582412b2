"""What tests of the command line share: a home of two feeds, read and judged or not, and a wiki that speaks SCIM."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from homes import CRM, HR, SETTINGS, Home

from connectors.sandbox.scim_server import ScimSandbox

WIKI = """
[[application]]
name = "wiki"
connector = "scim"
base_url = "{url}"
token = {{ file = "wiki.token" }}
write_token = {{ file = "wiki.token" }}
"""


def begun(folder: Path) -> Home:
    (folder / "leaverwatch.toml").write_text(SETTINGS)
    (folder / "hr.csv").write_text(HR)
    (folder / "crm.csv").write_text(CRM)
    return Home(folder)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return begun(tmp_path)


@pytest.fixture(scope="session")
def judged(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that was read and judged. Nothing is changed in this folder."""
    made = begun(tmp_path_factory.mktemp("judged"))
    made.do("pull")
    made.do("detect")
    return made.folder


@pytest.fixture
def read_home(judged: Path, tmp_path: Path) -> Home:
    """A copy of one's own."""
    return Home(Path(shutil.copytree(judged, tmp_path, dirs_exist_ok=True)))


@pytest.fixture
def wiki(home: Home) -> Iterator[ScimSandbox]:
    people = [
        {
            "userName": f"{name}@x.example",
            "active": True,
            "externalId": number,
            "emails": [{"value": f"{name}@x.example"}],
        }
        for number, name in enumerate(("ada", "bob", "cy", "dee", "eve"), 1)
    ]
    for person in people:
        person["externalId"] = str(person["externalId"])
    with ScimSandbox(people, token="t") as server:
        (home.folder / "wiki.token").write_text("t")
        (home.folder / "leaverwatch.toml").write_text(SETTINGS + WIKI.format(url=server.url))
        yield server
