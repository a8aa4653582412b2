"""Requests and answers against the vendors' own specifications (../shared/contracts/specs, OpenAPI 3.0 and 3.1).

check = SpecCheck("okta")
assert check.problems(sandbox.requests) == []
"""

from __future__ import annotations

import copy
import functools
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from connectors.sandbox.exchange import Seen

FOLDER = Path(os.environ.get("LEAVERWATCH_TEST_SPECS", Path(__file__).parents[2] / "shared/contracts/specs"))
FILES: Mapping[str, tuple[str, ...]] = {
    "slack": ("slack", "slack_scim_audit"),
    "jira": ("jira", "atlassian_admin"),
    "confluence": ("confluence", "atlassian_admin", "jira"),
    "scim": ("scim2",),
    "workday": ("workday_raas",),
}
FORGETFUL = ("salesforce",)  # specifications of ours that forget that any value may be null
METHODS = ("get", "put", "post", "delete", "patch")
_formats = FormatChecker(formats=())


@_formats.checks("date-time", raises=ValueError)
def _instant(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@_formats.checks("date", raises=ValueError)
def _day(value: object) -> bool:
    return not isinstance(value, str) or (len(value) == 10 and bool(datetime.fromisoformat(value)))


class SpecCheck:
    """What one vendor's specifications say about requests that were seen and the answers to them."""

    def __init__(self, vendor: str, files: tuple[str, ...] = (), free: str = "") -> None:
        names = files or FILES.get(vendor, (vendor,))
        if not FOLDER.is_dir():
            pytest.skip(f"the vendors' specifications are not here ({FOLDER})")
        missing = [n for n in names if not (FOLDER / f"{n}.json").exists()]
        if missing:
            pytest.skip(f"no specification is kept of {', '.join(missing)}")
        self._documents = [_document(name) for name in names]
        self._free = free
        self._forgets_nulls = vendor in FORGETFUL

    def problems(self, requests: Iterable[Seen], most: int = 20) -> list[str]:
        """What differs from the specification, each said once; requests that a fault spoiled are passed over."""
        found: dict[str, None] = {}
        for seen in requests:
            if seen.spoiled or (self._free and re.search(self._free, seen.path)):
                continue
            if self._forgets_nulls:
                seen = replace(seen, answer=_without_nulls(seen.answer))
            for problem in self._one(seen):
                found[problem] = None
                if len(found) >= most:
                    return list(found)
        return list(found)

    def _one(self, seen: Seen) -> Iterator[str]:
        place = f"{seen.method} {seen.path}"
        for document in self._documents:
            if operation := document.operation(seen):
                template, item, details = operation
                yield from (f"{seen.method} {template}: {p}" for p in document.request(seen, item, details))
                yield from (f"{seen.method} {template}: {p}" for p in document.answer(seen, details))
                return
        yield f"{place}: no specification knows this request"


class _Document:
    def __init__(self, raw: dict[str, Any]) -> None:
        self._raw = raw
        self._prefixes = {"", *(urlsplit(s["url"]).path.rstrip("/") for s in raw.get("servers", ()))}
        self._templates = [(_pattern(t), t, item) for t, item in raw["paths"].items()]
        self._templates.sort(key=lambda entry: entry[1].count("{"))  # fixed words before names
        self._registries = {side: _registry(raw, side) for side in ("request", "answer")}
        self._validators: dict[tuple[str, str], Draft202012Validator] = {}

    def operation(self, seen: Seen) -> tuple[str, dict[str, Any], dict[str, Any]] | None:
        for prefix in sorted(self._prefixes, key=len, reverse=True):
            if not seen.path.startswith(prefix):
                continue
            path = seen.path[len(prefix) :]
            for pattern, template, item in self._templates:
                if pattern.fullmatch(path) and seen.method.lower() in item:
                    return template, item, item[seen.method.lower()]
        return None

    def request(self, seen: Seen, item: dict[str, Any], details: dict[str, Any]) -> Iterator[str]:
        declared = {}
        for parameter in (*item.get("parameters", ()), *details.get("parameters", ())):
            told = self._resolved(parameter)
            declared[told["in"], told["name"]] = told
        queries = {name: told for (where, name), told in declared.items() if where == "query"}
        exploding = any(_is_object(self._resolved(t.get("schema", {}))) for t in queries.values())
        for name in seen.query:
            if name not in queries and name.partition("[")[0] not in queries and not exploding:  # page[limit]
                yield f"query parameter {name} is not in the specification"
        for name, told in queries.items():
            if told.get("required") and name not in seen.query and name != "token":  # the token goes in a header
                yield f"query parameter {name} is required"
            if name in seen.query and "schema" in told:
                value = _typed(seen.several[name], self._resolved(told["schema"]))
                yield from (f"query parameter {name}: {p}" for p in self._against("request", told["schema"], value))
        body = self._resolved(details.get("requestBody", {}))
        if seen.body is None:
            if body.get("required"):
                yield "the body is required"
            return
        media = _media(body.get("content", {}), seen.headers.get("content-type", ""))
        if media is None:
            if seen.method not in ("GET", "DELETE") or body:
                yield f"a body of type {seen.headers.get('content-type')} is not in the specification"
        elif "schema" in media and "form" not in seen.headers.get("content-type", ""):
            yield from (f"body: {p}" for p in self._against("request", media["schema"], seen.body))

    def answer(self, seen: Seen, details: dict[str, Any]) -> Iterator[str]:
        answers = details["responses"]
        status = str(seen.status)
        told = answers.get(status) or answers.get(f"{status[0]}XX") or answers.get("default")
        if told is None:
            if seen.status < 400:  # specifications seldom list every refusal
                yield f"status {status} is not in the specification"
            return
        media = _media(self._resolved(told).get("content", {}), seen.answer_headers.get("content-type", ""))
        if media is not None and "schema" in media and seen.answer is not None:
            yield from (f"answer {status}: {p}" for p in self._against("answer", media["schema"], seen.answer))

    def _against(self, side: str, schema: dict[str, Any], value: Any) -> Iterator[str]:
        key = side, json.dumps(schema, sort_keys=True)
        if key not in self._validators:
            self._validators[key] = Draft202012Validator(
                _modern(_absolute(copy.deepcopy(schema)), side),
                registry=self._registries[side],
                format_checker=_formats,
            )
        for error in self._validators[key].iter_errors(value):
            where = "".join("[]" if isinstance(step, int) else f".{step}" for step in error.absolute_path)
            yield f"{where or '(all)'}: {error.message[:160]}"

    def _resolved(self, part: dict[str, Any]) -> dict[str, Any]:
        while "$ref" in part:
            target: Any = self._raw
            for step in part["$ref"].removeprefix("#/").split("/"):
                target = target[step.replace("~1", "/").replace("~0", "~")]
            part = target
        return part


def _without_nulls(data: Any) -> Any:
    if isinstance(data, dict):
        return {key: _without_nulls(value) for key, value in data.items() if value is not None}
    return [_without_nulls(value) for value in data] if isinstance(data, list) else data


@functools.cache
def _document(name: str) -> _Document:
    return _Document(json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8")))


def _pattern(template: str) -> re.Pattern[str]:
    # A name takes one step of the path; ids that hold a slash or a query are never sent bare.
    parts = re.split(r"(\{[^}]+\})", template)
    return re.compile("".join("[^/]+" if p.startswith("{") else re.escape(p) for p in parts))


def _registry(raw: dict[str, Any], side: str) -> Registry:
    components = _modern(_absolute(copy.deepcopy({"components": raw.get("components", {})})), side)
    return Registry().with_resource("spec:all", Resource(components, DRAFT202012))


def _absolute(node: Any) -> Any:
    """References lead into the registered document."""
    if isinstance(node, dict):
        return {
            k: f"spec:all{v}" if k == "$ref" and isinstance(v, str) and v.startswith("#") else _absolute(v)
            for k, v in node.items()
        }
    return [_absolute(v) for v in node] if isinstance(node, list) else node


def _ref(ref: str) -> str:
    return f"spec:all{ref}" if ref.startswith("#") else ref


def _modern(node: Any, side: str) -> Any:
    """OpenAPI 3.0's own dialect as JSON Schema: nullable, one-sided properties, exclusive limits, no siblings of $ref."""
    if isinstance(node, list):
        return [_modern(v, side) for v in node]
    if not isinstance(node, dict):
        return node
    if isinstance(node.get("$ref"), str):
        plain: dict[str, Any] = {"$ref": node["$ref"]}
        return {"anyOf": [plain, {"type": "null"}]} if node.get("nullable") is True else plain
    out = {
        k: v if k in ("enum", "example", "default", "examples", "const") else _modern(v, side) for k, v in node.items()
    }
    if isinstance(out.get("required"), list) and isinstance(node.get("properties"), dict):
        hidden = "readOnly" if side == "request" else "writeOnly"
        properties = node["properties"]
        out["required"] = [n for n in out["required"] if not _flag(properties.get(n), hidden)]
    mapping = (node.get("discriminator") or {}).get("mapping") if isinstance(node.get("discriminator"), dict) else None
    if mapping and "oneOf" in out:  # the property decides which one is meant, however many would fit
        name = node["discriminator"]["propertyName"]
        del out["oneOf"]
        out["allOf"] = [
            *out.get("allOf", ()),
            *(
                {"if": {"properties": {name: {"const": value}}, "required": [name]}, "then": {"$ref": _ref(ref)}}
                for value, ref in mapping.items()
            ),
        ]
    for limit, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(out.get(exclusive), bool) and out.pop(exclusive) and limit in out:
            out[exclusive] = out.pop(limit)
    if out.pop("nullable", None) is True:
        if isinstance(out.get("type"), str):
            out["type"] = [out["type"], "null"]
        if isinstance(out.get("enum"), list) and None not in out["enum"]:
            out["enum"] = [*out["enum"], None]
        if "type" not in out and ({"allOf", "anyOf", "oneOf"} & out.keys()):
            return {"anyOf": [out, {"type": "null"}]}
    return out


def _flag(schema: Any, name: str) -> bool:
    return isinstance(schema, dict) and schema.get(name) is True


def _is_object(schema: dict[str, Any]) -> bool:
    return schema.get("type") == "object"


def _typed(values: list[str], schema: dict[str, Any]) -> Any:
    """A query's text as the type it stands for; text where it is not that."""
    if schema.get("type") == "array":
        items = schema.get("items", {})
        parts = values if len(values) > 1 else values[0].split(",")
        return [_typed([part], items) for part in parts]
    text = values[0]
    kind = schema.get("type")
    if kind == "boolean":
        return {"true": True, "false": False}.get(text.lower(), text)
    if kind in ("integer", "number"):
        try:
            return int(text) if kind == "integer" else float(text)
        except ValueError:
            return text
    return text


def _media(content: dict[str, Any], kind: str) -> dict[str, Any] | None:
    """The entry for a media type; JSON of any flavour fits JSON."""
    plain = kind.partition(";")[0].strip().lower()
    for name, media in content.items():
        told = name.partition(";")[0].strip().lower()
        if told in (plain, "*/*") or ("json" in told and "json" in plain):
            return dict(media)
    return None
