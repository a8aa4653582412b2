"""What every section of `leaverwatch.toml` is made of, and how a section refers to a secret."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, model_validator


class Section(BaseModel):
    """A frozen section that knows its keys: a misspelled one is refused."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Secret(Section):
    """Where a secret is kept: an environment variable, a file or the encrypted store. Never the secret itself."""

    env: str | None = None
    file: str | None = None
    store: str | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Secret:
        if sum(place is not None for place in (self.env, self.file, self.store)) != 1:
            raise ValueError('expected exactly one of { env = "NAME" }, { file = "PATH" } or { store = "NAME" }')
        return self
