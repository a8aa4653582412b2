"""The only part that talks to the outside: one file per application or source of truth, found by walking the folder."""
