"""What a finding is made of: the rows of shipped rules are the same, whether they carry an account's columns or not."""

from __future__ import annotations

import shutil
from dataclasses import replace
from datetime import UTC, datetime

import narwhals as nw
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from governance.findings.evaluation import picture, with_providers
from governance.fired import fired, narrowed
from governance.rulebook import all_rules
from governance.snapshots import PolarsEngine
from governance.verdict import collected
from jobs import home
from tests.prepared_demo import judged_company

RULES = all_rules()


@pytest.fixture(scope="module")
def seen(tmp_path_factory):
    """The demo company's estate, its settings and the instant it is judged at."""
    folder = tmp_path_factory.mktemp("fired") / "home"
    shutil.copytree(judged_company(tmp_path_factory), folder)
    now = datetime.now(UTC)
    house = home.open_house(folder, {}, now)
    place = house.snapshots / "estates" / "fired"
    place.mkdir(parents=True)
    settings = with_providers(house, house.settings)
    _, estate = picture(house, now, place, PolarsEngine(), settings)
    yield estate, settings.policy, now
    house.store.close()


def test_what_is_read_apart_is_what_went_through_the_rule(seen):
    found = fired(*seen, RULES)
    for name, rule in RULES.items():
        [whole] = collected([narrowed(rule, rule(*seen))])
        assert found[name].height == whole.height
        if whole.height:
            assert_frame_equal(found[name], whole, check_row_order=False)
    assert sum(1 for rows in found.values() if rows.height) >= 20, "most rules fire on somebody there"


def test_a_rule_of_ones_own_may_give_a_column_another_value(seen):
    def shouted(estate, policy, now):
        return estate.accounts.with_columns(username=nw.col("username").str.to_uppercase())

    own = {"shouted": replace(RULES["ghost"], judge=shouted)}
    found = fired(*seen, own)["shouted"]
    assert found.height == seen[0].accounts.select(nw.len()).collect("polars").item()
    assert (found["username"] == found["username"].str.to_uppercase()).all()
    assert found["username"].str.contains(r"[A-Z]").any()
    assert found.schema["identity_name"] == pl.String
