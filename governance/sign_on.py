"""Single sign-on as the settings tell it: who asserts what, and what an application makes of it."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag, model_validator

from governance.sections import Section

WORKFORCE: Final = ("department", "title", "kind")  # attributes the sources of truth tell of everybody
ASSERTED: Final = ("groups", "roles", "email", "username", "employee_number", "employee_type")  # a sign-in tells these
_CLAIM: Final = re.compile(r"claim\.\S.*")


def _several(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Values = Annotated[tuple[str, ...], BeforeValidator(_several)]


class ValueTest(Section):
    """How an attribute is compared: exactly one of these, with one value or several of which any will do.

    Regular expressions must fit the whole value. They are read by more than one engine, so look-around and references
    back are refused.
    """

    equals: Values = ()
    prefix: Values = ()
    contains: Values = ()
    regex: Values = ()
    ignore_case: bool = False  # blanks around the value too

    @model_validator(mode="after")
    def _one(self) -> ValueTest:
        given = [name for name in ("equals", "prefix", "contains", "regex") if getattr(self, name)]
        if len(given) != 1:
            raise ValueError("expected one of equals, prefix, contains, regex, with a value")
        if "" in getattr(self, given[0]):
            raise ValueError(f"{given[0]} needs a value that is not empty")
        for pattern in self.regex:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression: {error}") from error
            if re.search(r"\(\?[=!<P>(]|\\[1-9]", pattern.replace(r"\\", "")):
                raise ValueError(f"{pattern!r}: look-around, names and references back are not understood everywhere")
        if self.regex and self.ignore_case:
            raise ValueError("write (?i) into the regular expression instead of ignore_case")
        return self


def _form(value: Any) -> str | None:
    if isinstance(value, str):
        return "text"
    if isinstance(value, list | tuple):
        return "list"
    return "table" if isinstance(value, dict | ValueTest) else None


Test = Annotated[
    Annotated[str, Tag("text")] | Annotated[tuple[str, ...], Tag("list")] | Annotated[ValueTest, Tag("table")],
    Discriminator(
        _form, custom_error_type="test", custom_error_message="expected a text, a list of texts or a table such as"
        " { prefix = \"Support\" }",
    ),
]  # fmt: skip


class RoleMapping(Section):
    """One line of a role mapping: whose attributes pass these tests is entitled to these entitlements.

    A test is a text the value must equal, a list of which it must equal one, or a table (`ValueTest`).
    """

    application: str
    when: dict[str, Test]
    gives: tuple[str, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _known(self) -> RoleMapping:
        for name, test in self.when.items():
            if name not in (*WORKFORCE, *ASSERTED) and not _CLAIM.fullmatch(name):
                known = ", ".join((*WORKFORCE, *ASSERTED))
                raise ValueError(f"no attribute is named {name!r}; there are: {known}, and claim.NAME for any other")
            if test in ("", ()) or (isinstance(test, tuple) and "" in test):
                raise ValueError(f"{name} needs a value that is not empty")
        return self


class MappingWay(Section):
    """How an application follows its role mapping."""

    matching: Literal["first", "all"] = "all"  # whether the first line that fits decides, or all that fit give
    updates: Literal["create_only", "authoritative", "explicit"] = "create_only"


class SignOnSettings(Section):
    """An identity provider whose assertions can be checked here: what is known of it, and for which audience."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,62}$")
    issuer: str
    audience: str  # whom assertions must be for
    certificates: tuple[str, ...] = ()  # PEM files, SAML
    metadata: str | None = None  # SAML metadata of the provider, a file
    keys: str | None = None  # JWKS, a file: OpenID Connect
    legacy_sha1: bool = False  # whether SHA-1 signatures are believed
    applications: tuple[str, ...] = ()  # those that people reach through it; none named: any

    @model_validator(mode="after")
    def _checkable(self) -> SignOnSettings:
        if not (self.certificates or self.metadata or self.keys):
            raise ValueError("name certificates, metadata or keys: without one nothing can be checked")
        return self
