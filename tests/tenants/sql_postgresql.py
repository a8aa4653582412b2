"""The same tables in a real PostgreSQL, read over a line that can break by a name that may only read."""

from dataclasses import replace

from tests.tenants.sql import TENANT as SQLITE
from tests.tenants.sql import WITHOUT

TENANT = replace(SQLITE, name="sql_postgresql", ground="postgresql", source="postgresql+psycopg://", without=WITHOUT)
