"""XML from outside, parsed so that it can neither read files, nor call anybody, nor grow.

A first pass (defusedxml, streaming) refuses what has no place in an assertion before anything is built from it:
document types and entities, and more depth, elements, attributes or namespaces than an assertion has. What is read
later comes from one parser only, lxml's.
"""

from __future__ import annotations

from typing import Any, Final
from xml.parsers.expat import ErrorString, ExpatError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import DefusedXMLParser, ParseError
from lxml import etree

from governance.errors import UnreadableAssertion

LIMIT: Final = 1_000_000  # bytes, of what was pasted and of what it unfolds to
DEPTH: Final = 64
ELEMENTS: Final = 10_000
_ATTRIBUTES: Final = 128  # of one element
_NAMESPACES: Final = 128  # in force at one place


def parse(text: str, *, comments: bool = True) -> Any:
    """The root element. `comments` False leaves comments and processing instructions out, as reading a value needs it.

    Raises UnreadableAssertion with line and column.
    """
    data = text.encode("utf-8", "surrogatepass")
    if len(data) > LIMIT:
        raise UnreadableAssertion(f"{len(data):,} bytes of XML: more than {LIMIT:,} are not read")
    _inspect(data)
    return build(data, comments=comments)


def build(data: bytes, *, comments: bool = True) -> Any:
    """The root element of UTF-8 bytes that were looked at before. Raises UnreadableAssertion."""
    parser = etree.XMLParser(
        encoding="utf-8",
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        collect_ids=False,
        remove_comments=not comments,
        remove_pis=not comments,
    )
    try:
        return etree.fromstring(data, parser)
    except etree.XMLSyntaxError as error:
        raise UnreadableAssertion(f"no well-formed XML: {error.msg}") from error


class _Inspector:
    """Counts while the first pass runs, and keeps nothing."""

    def __init__(self) -> None:
        self.depth = self.elements = self.namespaces = 0

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        self.depth += 1
        self.elements += 1
        if self.depth > DEPTH:
            raise UnreadableAssertion(f"elements inside each other more than {DEPTH} deep: no assertion is like that")
        if self.elements > ELEMENTS:
            raise UnreadableAssertion(f"more than {ELEMENTS:,} elements: no assertion is like that")
        if len(attributes) > _ATTRIBUTES:
            raise UnreadableAssertion(f"an element with more than {_ATTRIBUTES} attributes: no assertion is like that")

    def end(self, tag: str) -> None:
        self.depth -= 1

    def start_ns(self, prefix: str, uri: str) -> None:
        self.namespaces += 1
        if self.namespaces > _NAMESPACES:
            raise UnreadableAssertion(f"more than {_NAMESPACES} namespaces at one place: no assertion is like that")

    def end_ns(self, prefix: str) -> None:
        self.namespaces -= 1

    def close(self) -> None:
        return None


def _inspect(data: bytes) -> None:
    parser = DefusedXMLParser(target=_Inspector(), encoding="utf-8", forbid_dtd=True)
    try:
        parser.feed(data)
        parser.close()
    except DefusedXmlException as error:
        raise UnreadableAssertion("a document type or an entity is declared: an assertion has none") from error
    except ParseError as error:
        line, column = error.position
        raise UnreadableAssertion(
            f"no well-formed XML: {ErrorString(error.code)} (line {line}, column {column + 1})"
        ) from error
    except (ExpatError, ValueError) as error:
        raise UnreadableAssertion(f"no well-formed XML: {error}") from error
