"""The tables of the README, made from what rules and connectors declare: `python -m jobs.catalogue` renews them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from governance.rulebook import all_rules
from jobs.commands import feeds, rules

README: Final = Path(__file__).resolve().parent.parent / "README.md"


def rules_table() -> str:
    """Every rule, the most severe first."""
    rows = [
        (
            f"`{r['rule']}`",
            r["title"],
            r["severity"],
            ", ".join(f"`{s}`" for s in r["signals"]),
            ", ".join(r["controls"]),
        )
        for r in rules.declared(all_rules())
    ]
    return _table(("Rule", "What it finds", "Severity", "Needs to know", "Controls"), rows)


def connectors_table() -> str:
    """Every connector: what it closes, and what it cannot tell. `connectors check NAME` says the rest."""
    rows = [
        (
            f"`{c['name']}`",
            c["title"],
            c["kind"],
            "yes" if "events" in c["capabilities"] else "–",
            "yes" if "changes" in c["capabilities"] else "–",
            "yes" if "mapping" in c["capabilities"] else "–",
            ", ".join(feeds.closes(c)) or "–",
            _listed(feeds.untold(c)) or "–",
        )
        for c in feeds.declared()
    ]
    return _table(
        ("Connector", "Reads", "Kind", "Events", "Only changes", "Role mapping", "Closes", "Does not tell"), rows
    )


def _first_line(rule: str) -> str:
    return all_rules()[rule].explanation.partition("\n")[0]


def _listed(words: Sequence[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)


def _table(header: Sequence[str], rows: Sequence[Sequence[Any]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", r"\|") for cell in line) + " |" for line in lines)


TABLES: Final[dict[str, Callable[[], str]]] = {"rules": rules_table, "connectors": connectors_table}


def rendered(readme: str) -> str:
    """The README with its generated tables as they must be; equal to what is written when nothing is out of date."""
    for name, make in TABLES.items():
        before, start, rest = readme.partition(f"<!-- {name} -->\n")
        _, end, after = rest.partition(f"<!-- /{name} -->")
        if not start or not end:
            raise ValueError(f"the README has no place for the table of {name}")
        readme = f"{before}{start}{make()}\n{end}{after}"
    return readme


if __name__ == "__main__":  # python -m jobs.catalogue
    README.write_text(rendered(README.read_text(encoding="utf-8")), encoding="utf-8")
