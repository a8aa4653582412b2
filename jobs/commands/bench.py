"""The figures: time, memory and growth on a seeded estate."""

from __future__ import annotations

from jobs.commands.options import noun

app = noun("The figures.")
