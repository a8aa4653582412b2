"""Frozen records that are quickly made: a pull makes millions, and a frozen dataclass sets each field by a detour."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any, TypeVar

T = TypeVar("T")


def quickly_made(kind: type[T]) -> type[T]:
    """The same frozen dataclass with slots, with an `__init__` that takes a quarter of the time.

    While it is filled, and seen by nobody else, an instance is of a subclass that can be written; then it is frozen
    for good. Both have the same slots, which is what Python asks of a change of class.
    """
    plain = {"__slots__": (), "__setattr__": object.__setattr__, "__delattr__": object.__delattr__}
    writable = type(f"Writable{kind.__name__}", (kind,), {**plain, "__module__": kind.__module__})
    known: dict[str, Any] = {"__turn": object.__setattr__, "__writable": writable, "__frozen": kind}
    given, body = ["self"], ["__turn(self, '__class__', __writable)"]
    for field in fields(kind):  # type: ignore[arg-type]
        if field.default_factory is not MISSING or not field.init:
            raise TypeError(f"{kind.__name__}.{field.name}: only fields with plain defaults are quickly made")
        known[f"__{field.name}"] = field.default
        given.append(field.name if field.default is MISSING else f"{field.name}=__{field.name}")
        body.append(f"self.{field.name} = {field.name}")
    body.append("self.__class__ = __frozen")
    exec(f"def __init__({', '.join(given)}):\n " + "\n ".join(body), known)  # noqa: S102 - as dataclasses itself does
    made = known["__init__"]
    made.__qualname__ = f"{kind.__qualname__}.__init__"
    made.__annotations__ = kind.__init__.__annotations__
    kind.__init__ = made  # type: ignore[method-assign]
    return kind
