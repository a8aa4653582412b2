"""What a SCIM server says about itself: ServiceProviderConfig, ResourceTypes and Schemas (RFC 7643, 5 to 7)."""

from __future__ import annotations

from typing import Any

from connectors.sandbox.directory import CORE, ENTERPRISE, EXTENSION
from connectors.sandbox.manners import Resource

LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"


def provider(page_size: int, patch: bool) -> Resource:
    """What this server supports."""
    return {
        "schemas": [CORE + "ServiceProviderConfig"],
        "patch": {"supported": patch},
        "bulk": {"supported": False, "maxOperations": 0, "maxPayloadSize": 0},
        "filter": {"supported": True, "maxResults": page_size},
        "changePassword": {"supported": False},
        "sort": {"supported": False},
        "etag": {"supported": True},
        "authenticationSchemes": [
            {"type": "oauthbearertoken", "name": "Bearer token", "description": "RFC 6750", "primary": True}
        ],
        "meta": {"resourceType": "ServiceProviderConfig", "location": "ServiceProviderConfig"},
    }


def resource_types() -> list[Resource]:
    """The two kinds of resources there are."""
    extensions = [{"schema": urn, "required": False} for urn in (ENTERPRISE, EXTENSION)]
    return [
        _resource_type("User", "/Users", {"schemaExtensions": extensions}),
        _resource_type("Group", "/Groups", {}),
    ]


def schemas() -> list[Resource]:
    """The attributes this server knows, the vendor's own extension among them."""
    member = [_attribute("value"), _attribute("display"), _attribute("type")]
    return [
        _schema(
            CORE + "User",
            "User",
            _attribute("userName", required=True, uniqueness="server"),
            _attribute("externalId", caseExact=True),
            _attribute("displayName"),
            _attribute("title"),
            _attribute("userType"),
            _attribute("active", "boolean"),
            _attribute("emails", "complex", multiValued=True, subAttributes=[_attribute("value"), _attribute("type")]),
            _attribute("groups", "complex", multiValued=True, mutability="readOnly", subAttributes=member),
        ),
        _schema(CORE + "Group", "Group", _attribute("displayName"), _attribute("members", "complex", multiValued=True)),
        _schema(ENTERPRISE, "EnterpriseUser", _attribute("employeeNumber"), _attribute("department")),
        _schema(
            EXTENSION,
            "Last sign-in",
            _attribute("lastSignInAt", mutability="readOnly", description="A UTC time, or `never`; absent: not told"),
            _attribute("mfaEnabled", "boolean", mutability="readOnly", description="Absent: not told"),
        ),
    ]


def _resource_type(name: str, endpoint: str, more: Resource) -> Resource:
    return {
        "schemas": [CORE + "ResourceType"],
        "id": name,
        "name": name,
        "endpoint": endpoint,
        "schema": CORE + name,
        **more,
    }


def _schema(urn: str, name: str, *attributes: Resource) -> Resource:
    return {"schemas": [CORE + "Schema"], "id": urn, "name": name, "attributes": list(attributes)}


def _attribute(name: str, kind: str = "string", **more: Any) -> Resource:
    defaults = {"multiValued": False, "required": False, "mutability": "readWrite", "returned": "default"}
    return {"name": name, "type": kind, **defaults, **more}
