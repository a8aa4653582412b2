"""Sixty texts a spreadsheet would calculate if it were let."""

from __future__ import annotations

LIVE = [
    f"{lead}{body}"
    for lead in ("", " ", "\t", "\r", "\n", "\0")
    for body in (
        "=1+1",
        "+1",
        "-1+2",
        "@SUM(A1)",
        '=HYPERLINK("http://x","y")',
        "=cmd|' /C calc'!A0",
        "-2+3+cmd",
        "+A1",
        "\t=1",
        "\r@x",
    )
]
