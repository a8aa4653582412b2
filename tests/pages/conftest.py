"""What tests of pages share: two applications, the demo company read and judged, and one ghost."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime

import pytest

from tests import seeded
from tests.prepared_demo import judged_company
from tests.screen import NOW, ROOT
from tests.seeded import put_findings, put_run


@pytest.fixture
def settings():
    return seeded.TWO_APPLICATIONS


@pytest.fixture(autouse=True)
def _in_the_clone(monkeypatch):
    """Streamlit reads .streamlit/config.toml from where it is started."""
    monkeypatch.chdir(ROOT)


@pytest.fixture(scope="session")
def demo(tmp_path_factory):
    """The demo company, read and judged once; nothing is changed in this folder."""
    return judged_company(tmp_path_factory)


@pytest.fixture
def company(demo, tmp_path):
    """A copy of the demo company of one's own."""
    from jobs import home

    folder = tmp_path / "home"
    shutil.copytree(demo, folder)
    house = home.open_house(folder, {}, datetime.now(UTC))
    yield house
    house.store.close()


@pytest.fixture
def ghost(house):
    """A ghost in the wiki, which can be closed from here, in an estate that knows its account."""
    seeded.put_connectors(house)
    put_run(
        house, NOW, [seeded.account("wiki", "a0", owner_id="hr:0", owner_state="ended"), seeded.account("wiki", "a9")]
    )
    return put_findings(house, NOW, {"application": "wiki", "account_id": "a0"})[0]
