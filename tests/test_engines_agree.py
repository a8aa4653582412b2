"""One implementation, two engines: the demo company judged wholly on Polars and on Spark gives the same findings."""

from __future__ import annotations

import os

import polars as pl
import pytest
import spark_session

from connectors.sandbox.company import build
from connectors.sandbox.scim_server import serve
from governance.findings import evaluate
from governance.snapshots import PolarsEngine, SparkEngine
from jobs import home
from jobs.pull import pull

pytestmark = [
    pytest.mark.spark,
    pytest.mark.skipif(spark_session.missing() is not None, reason=str(spark_session.missing())),
    pytest.mark.filterwarnings("ignore:PySpark does not yet fully support pandas:FutureWarning"),
]


def test_the_demo_company_is_judged_alike_on_both_engines(tmp_path, now):
    company = build(tmp_path, now, wiki_port=0)
    server = serve(company.scim_state, token=company.token_file.read_text().strip(), port=0)
    try:
        configuration = tmp_path / "leaverwatch.toml"
        configuration.write_text(configuration.read_text().replace("http://127.0.0.1:0/scim/v2/", server.url))
        house = home.open_house(tmp_path, os.environ, now)
        assert {result.status for result in pull(house, [], now)} == {"published"}
    finally:
        server.stop()
    engine = SparkEngine(spark_session.session())
    told = {}
    for name, either in (("polars", PolarsEngine()), ("spark", engine)):
        evaluation = evaluate(house, now, tmp_path / name, either, house.settings)
        summary = {key: value for key, value in evaluation.summary.items() if key != "feeds"}
        told[name] = (evaluation.verdict.findings, evaluation.not_evaluable, summary)
        accounts = pl.scan_parquet(tmp_path / name / "accounts.parquet")
        told[name] += (accounts.select(sorted(accounts.collect_schema().names())).collect(),)
    house.store.close()
    assert told["polars"][0].height > 80
    assert told["spark"][0].equals(told["polars"][0])
    assert told["spark"][1:3] == told["polars"][1:3]
    columns = ["application", "account_id", "owner_id", "match", "match_key", "candidates", "owner_state", "stale_days"]
    pairs = [told[name][3].select(columns).sort("application", "account_id") for name in ("polars", "spark")]
    assert pairs[0].equals(pairs[1])
