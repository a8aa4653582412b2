"""Snapshots: what feeds said, whole and immutable, as Parquet files made visible by one committed row."""

from governance.snapshots.doubts import Doubt, doubts, doubts_told
from governance.snapshots.engine import Engine, PolarsEngine, SparkEngine, engine_of
from governance.snapshots.given_back import given_back
from governance.snapshots.keeping import (
    believed,
    demand_estate,
    facts,
    last_told,
    lost,
    newest_estate,
    newest_told,
    publish,
    sweep,
)
from governance.snapshots.laying import Before
from governance.snapshots.memory import Absence, Change
from governance.snapshots.readings import Readings, Rows, readings
from governance.snapshots.staging import stage
from governance.snapshots.unread import unread_ids
from governance.snapshots.writing import make_root, on_disk

__all__ = [
    "Absence",
    "Before",
    "Change",
    "Doubt",
    "Engine",
    "PolarsEngine",
    "Readings",
    "Rows",
    "SparkEngine",
    "believed",
    "demand_estate",
    "doubts",
    "doubts_told",
    "engine_of",
    "facts",
    "given_back",
    "last_told",
    "lost",
    "make_root",
    "newest_estate",
    "newest_told",
    "on_disk",
    "publish",
    "readings",
    "stage",
    "sweep",
    "unread_ids",
]
