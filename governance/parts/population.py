"""The statement over every list: what was looked at, and what could not be judged."""

from __future__ import annotations

from governance.parts.notes import note
from governance.parts.text import plain
from governance.views.population import Population


def population_statement(population: Population, before: str) -> None:
    """`before` names the list (`241 open findings by 8 rules over`); the rest says what it is drawn from."""
    if population.accounts is None or population.identities is None:
        note(f"{plain(_capital(population.looked_at))}. {plain(population.read)}.")
        return
    left_behind = f"  \n{plain(population.left_behind)}." if population.left_behind else ""
    note(
        f"{plain(before)} **{plain(population.looked_at)}**. {plain(_capital(population.unjudged))}.  \n"
        f"{plain(population.read)}.{left_behind}"
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
