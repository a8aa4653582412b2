"""One small Spark session for all tests of this process, in UTC; or the reason why there is none."""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import warnings
from typing import Any

# It will not run for long: to compile less of itself, and less well, takes a fifth less of its processor time.
_SHORT = "-XX:TieredStopAtLevel=1 -XX:CompileThresholdScaling=4 -XX:+UseSerialGC"


def missing() -> str | None:
    """Why Spark cannot run here."""
    if importlib.util.find_spec("pyspark") is None:
        return "pyspark is not installed (tests/spark.lock)"
    if shutil.which("java") is None and not os.environ.get("JAVA_HOME"):
        return "Java is not installed, which Spark needs"
    return None


@functools.cache
def session() -> Any:
    """The session, started by the first who asks; it ends with the process."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas", category=FutureWarning)
        from pyspark.sql import SparkSession

        started = (
            SparkSession.builder.master("local[2]")
            .appName("leaverwatch-tests")
            .config("spark.sql.session.timeZone", "UTC")
            .config("spark.driver.memory", "768m")
            .config("spark.driver.host", "127.0.0.1")
            .config("spark.driver.bindAddress", "127.0.0.1")
            .config("spark.ui.enabled", "false")
            .config("spark.ui.showConsoleProgress", "false")
            .config("spark.sql.shuffle.partitions", "2")
            # A few rows are interpreted and planned once sooner than code is compiled and plans are made anew for them;
            # test_spark_cluster runs with plans that adapt, as Spark does by itself.
            .config("spark.sql.codegen.wholeStage", "false")
            .config("spark.sql.codegen.factoryMode", "NO_CODEGEN")
            .config("spark.sql.adaptive.enabled", "false")
            .config("spark.python.sql.dataFrameDebugging.enabled", "false")  # as governance.snapshots.engine does
            .config("spark.driver.extraJavaOptions", _SHORT)
            .getOrCreate()
        )
    started.sparkContext.setLogLevel("ERROR")
    return started
