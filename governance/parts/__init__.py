"""Shared drawing of the pages: what stands on more than one page is drawn in one way."""
