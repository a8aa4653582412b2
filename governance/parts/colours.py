"""The colours charts need beyond the theme, for light and dark: the values of the design's tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import streamlit as st


@dataclass(frozen=True)
class Palette:
    """One theme's colours by what they mean."""

    text: str
    text_dim: str
    line: str
    grid: str
    panel: str
    accent: str
    accent_soft: str
    critical: str
    critical_soft: str
    critical_text: str
    high: str
    high_text: str
    good: str
    medium: str
    medium_text: str
    unknown: str
    counts: tuple[str, ...]  # heat map: few to many, the first is none
    ghosts: tuple[str, ...]
    on_dark_cell: str


LIGHT: Final = Palette(
    text="#1c2230",
    text_dim="#596275",
    line="#e4e7ec",
    grid="#eceef2",
    panel="#ffffff",
    accent="#3b5bdb",
    accent_soft="#bac8ff",
    critical="#d92d20",
    critical_soft="rgba(217,45,32,.28)",
    critical_text="#b42318",
    high="#e8590c",
    high_text="#a8480c",
    good="#2f9e44",
    medium="#d9a400",
    medium_text="#7a5a00",
    unknown="#aab1be",
    counts=("#f3f5fa", "#dbe4ff", "#bac8ff", "#91a7ff", "#748ffc", "#6a88fb", "#4263eb", "#3b5bdb"),
    ghosts=("#f3f5fa", "#fad4d0", "#f2a39b", "#d92d20", "#b42318"),
    on_dark_cell="#ffffff",
)
DARK: Final = Palette(
    text="#e6e9ef",
    text_dim="#a3acbd",
    line="#262c38",
    grid="#222833",
    panel="#12161d",
    accent="#748ffc",
    accent_soft="#3a4a86",
    critical="#f0564a",
    critical_soft="rgba(240,86,74,.34)",
    critical_text="#ff9b93",
    high="#f08c3c",
    high_text="#ffb37a",
    good="#3fb566",
    medium="#d9b13b",
    medium_text="#f2d16b",
    unknown="#58616f",
    counts=("#171c26", "#1e2745", "#26335f", "#304182", "#3d53a6", "#4760c0", "#6a84f0", "#8da2ff"),
    ghosts=("#171c26", "#471f1e", "#702a26", "#9f342d", "#c93a30"),
    on_dark_cell="#0d1224",
)


def dark() -> bool:
    """Whether the reader's theme is the dark one."""
    return getattr(st.context.theme, "type", None) == "dark"


def palette() -> Palette:
    """The colours of the reader's theme."""
    return DARK if dark() else LIGHT
