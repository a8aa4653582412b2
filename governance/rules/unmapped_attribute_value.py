"""Values of the source of truth that a role mapping does not know."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import narwhals as nw

from governance.declaration import Remedy, Row, rule, told
from governance.estate import Estate
from governance.lines import ROLE_MAPPING, beside, says
from governance.provisioning.coverage import ATTRIBUTES, covered, mapped, unnamed
from governance.settings import Policy

SHOWN: Final = 5  # values named, those of most people first; the others are counted


def _sentence(row: Row) -> str:
    count = row["values_count"]
    more = f" and {count - SHOWN} more" if count > SHOWN else ""
    return (
        f"The role mapping of {row['where']} does not know {count} value{'s' if count > 1 else ''} of people who have"
        f" an account there: {row['unmapped']}{more}."
    )


@rule(
    title="Value the role mapping does not know",
    severity="low",
    ends_when="a line of the role mapping names each of these values or fits these people otherwise, or they have no"
    " active account there any more",
    remedy=Remedy.CONFIGURE,
    identity=("application",),
    needs=("source.read", "account.active", "owner.state", "owner.attributes"),
    controls=("ISO 27001 A.5.15", "ISO 27001 A.5.18", "SOC 2 CC6.3", "NIST AC-2(7)", "PCI DSS 7.2.1", "CIS 6.8"),
    evidence=("unmapped", "values_count"),
    lines={
        "unmapped": says(ROLE_MAPPING, "no line names {value}"),
        "values_count": beside,
    },
    sentence=_sentence,
    applies=lambda settings: mapped(settings) & nw.col("owner_state").is_in(["current", "leave", "unknown"]),
)
def unmapped_attribute_value(estate: Estate, policy: Policy, now: datetime) -> nw.LazyFrame[Any]:
    """People use an application whose role mapping does not know their department or title.

    Fires once for an application when somebody who works here or is on leave has an active account there, no line of
    its role mapping fits them, and they have a department or title that the mapping looks at but names in no line. The
    five values of most people are named with how many people have each.
    Quiet for people whom a line fits by other attributes, for attributes that no line of the mapping looks at, where
    all values are named though not together, and for applications without a role mapping.
    Not evaluable for accounts as long as no source of truth was read, or where it is not told whether the account is
    active, whether its owner works here, or an attribute that the application's mapping looks at.
    """
    settings = estate.settings
    left_over = estate.accounts.filter(
        mapped(settings),
        nw.col("active"),
        nw.col("owner_state").is_in(["current", "leave"]),
        told(settings)["owner.attributes"],
        ~covered(settings),
    )
    counted = []
    for attribute in ATTRIBUTES:
        people = left_over.filter(unnamed(settings, attribute)).group_by("application", f"owner_{attribute}")
        counted.append(
            people.agg(nw.col("owner_id").n_unique().cast(nw.Int64).alias("people"), nw.col("criticality").max())
            .rename({f"owner_{attribute}": "value"})
            .with_columns(attribute=nw.lit(attribute))
        )
    columns = ("application", "criticality", "attribute", "value", "people")
    return _listed(nw.concat([frame.select(*columns) for frame in counted], how="vertical"))


def _listed(values: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
    """One row an application: how many values, and those of most people."""
    ranked = values.with_columns(one=nw.lit(1), fewer=-nw.col("people")).with_columns(
        place=nw.col("one").cum_sum().over("application", order_by=["fewer", "attribute", "value"])
    )
    many = nw.when(nw.col("people") == 1).then(nw.lit(" person)")).otherwise(nw.lit(" people)"))
    said = nw.concat_str(
        nw.col("attribute"), nw.lit(" “"), nw.col("value"), nw.lit("” ("), nw.col("people").cast(nw.String), many
    )
    places = [f"place_{number}" for number in range(1, SHOWN + 1)]
    spread = ranked.with_columns(
        nw.when(nw.col("place") == number).then(said).alias(name) for number, name in enumerate(places, start=1)
    )
    together = spread.group_by("application").agg(
        nw.col("criticality").max(), nw.col("one").sum(), *(nw.col(name).max() for name in places)
    )
    return together.select(
        "application",
        "criticality",
        nw.concat_str(*places, separator=", ", ignore_nulls=True).alias("unmapped"),
        nw.col("one").cast(nw.Int64).alias("values_count"),
    )
