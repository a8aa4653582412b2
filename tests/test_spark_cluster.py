"""A real Spark cluster from the command line: two worker processes, one shared folder, the findings of Polars."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import spark_session
from sqlmodel import select

from governance.errors import ConfigurationError
from governance.findings.kept import table
from governance.snapshots import SparkEngine
from governance.tables import DetectRun, Finding
from jobs import home
from tests import seeded

ROOT = Path(__file__).parents[1]
CONF = """spark.sql.shuffle.partitions 2
spark.sql.codegen.wholeStage false
spark.driver.memory 768m
spark.driver.host 127.0.0.1
spark.driver.bindAddress 127.0.0.1
"""
with_spark = pytest.mark.skipif(spark_session.missing() is not None, reason=str(spark_session.missing()))


@pytest.fixture
def company(tmp_path):
    """The demo company, read and judged on Polars; a copy of it that Spark shall judge."""
    first, second = tmp_path / "polars", tmp_path / "spark"
    first.mkdir()
    seeded.demo_company(first, datetime.now(UTC))
    shutil.copytree(first, second)
    (tmp_path / "conf").mkdir()
    (tmp_path / "conf" / "spark-defaults.conf").write_text(CONF)
    return first, second


def detected(folder, as_of, **environ):
    done = subprocess.run(
        [sys.executable, "-m", "jobs", "detect", "--as-of", as_of, "--format", "json"],
        cwd=ROOT,
        env={**os.environ, "LEAVERWATCH_HOME": str(folder), **environ},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def kept(folder):
    """Everything a run stored: findings row by row, the numbers of the pages, and the estate's accounts."""
    house = home.open_house(folder, {}, datetime.now(UTC))
    with house.store.read() as session:
        findings = {row.fingerprint: row.model_dump() for row in session.exec(select(Finding))}
        run = session.exec(select(DetectRun).order_by(DetectRun.id.desc())).first()
    estate = table(house.snapshots / run.estate, "accounts")
    house.store.close()
    columns = ["application", "account_id", "owner_id", "match", "match_key", "candidates", "owner_state", "stale_days"]
    return findings, run.not_evaluable, run.summary, estate.select(columns).sort("application", "account_id").collect()


@pytest.mark.soak
@pytest.mark.spark
@with_spark
def test_detect_on_a_cluster_of_two_workers_finds_what_polars_finds(company, tmp_path):
    """Executors are processes of their own (1 GiB each), which read and write the shared folder."""
    as_of = datetime.now(UTC).isoformat()
    answers = [
        detected(company[0], as_of),
        detected(
            company[1],
            as_of,
            LEAVERWATCH_ENGINE__KIND="spark",
            LEAVERWATCH_ENGINE__MASTER="local-cluster[2,1,1024]",
            SPARK_CONF_DIR=str(tmp_path / "conf"),
            SPARK_LOCAL_IP="127.0.0.1",
        ),
    ]
    assert answers[1] == answers[0]
    told = [kept(folder) for folder in company]
    assert len(told[0][0]) > 80
    assert told[1][0] == told[0][0]
    assert told[1][1:3] == told[0][1:3]
    assert told[1][3].equals(told[0][3])


class TestWhatIsMissingIsNamed:
    def test_without_java(self, monkeypatch, tmp_path):
        monkeypatch.setenv("PATH", str(tmp_path))
        monkeypatch.delenv("JAVA_HOME", raising=False)
        with pytest.raises(ConfigurationError, match=r"engine\.kind = \"spark\" needs Java 17 or newer"):
            SparkEngine.connected("local[1]")

    def test_with_a_java_home_that_holds_none(self, monkeypatch, tmp_path):
        monkeypatch.setenv("JAVA_HOME", str(tmp_path))
        with pytest.raises(ConfigurationError, match="needs Java 17 or newer"):
            SparkEngine.connected("local[1]")

    def test_without_pyspark(self, monkeypatch):
        monkeypatch.setattr(sys, "path", [ROOT.as_posix()])
        sys.path_importer_cache.clear()
        loaded = {name: module for name, module in sys.modules.items() if name.partition(".")[0] == "pyspark"}
        for name in loaded:
            monkeypatch.delitem(sys.modules, name)
        with pytest.raises(ConfigurationError, match="needs pyspark: pip install"):
            SparkEngine.connected("local[1]")

    @with_spark
    def test_when_no_master_answers(self):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            place = f"spark://127.0.0.1:{free.getsockname()[1]}"
        with pytest.raises(ConfigurationError, match=f"no Spark master answers at {place}"):
            SparkEngine.connected(place)

    @with_spark
    def test_from_the_command_line_it_is_wrong_configuration(self, company):
        environ = {"LEAVERWATCH_HOME": str(company[1]), "LEAVERWATCH_ENGINE__KIND": "spark", "JAVA_HOME": "/nowhere"}
        done = subprocess.run(
            [sys.executable, "-m", "jobs", "detect"],
            cwd=ROOT,
            env={**os.environ, **environ},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 2
        assert "needs Java 17 or newer" in done.stderr
        assert "Traceback" not in done.stderr
