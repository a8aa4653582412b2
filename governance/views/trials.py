"""One sign-in that was tried out, in words and as a document."""

from __future__ import annotations

from typing import Any

from governance.mappings.trying import Trial, because
from governance.provisioning import Reading, RoleMap

VERBS = {"create": "An account would be made", "update": "The account would be brought up to date", "refuse": "Refused"}


def signature(reading: Reading, by: str | None) -> str:
    """What is known of the signature, in a sentence."""
    if reading.signature == "encrypted":
        return "Encrypted: only the application can read it"
    if reading.signature == "verified":
        return f"Signature verified with what is registered for {by}" + (", expired" if reading.expired else "")
    return "Unverified: no certificate or key of this issuer is known here ([[sign_on]])"


def rows(trial: Trial | None, reading: Reading, by: str | None, mapping: RoleMap) -> list[dict[str, str]]:
    """The trial as pairs of what and said, for a table."""
    found = [{"what": "signature", "said": signature(reading, by)}]
    if reading.by:
        found.append({"what": "signed by", "said": reading.by})
    assertion = reading.assertion
    if trial is None or assertion is None:
        return found
    said = {
        "issuer": assertion.issuer,
        "audience": assertion.audience,
        "subject": f"{assertion.subject} ({assertion.subject_format})",
        "valid": validity(reading),
        **{name: ", ".join(values) for name, values in reading.told},
        "line": because(trial.given, mapping),
        "gives": ", ".join(trial.given.entitlements) or "nothing",
        "decision": f"{VERBS[trial.decision.verb]}: {trial.decision.why}",
        "whose": str((trial.person or {}).get("display_name") or "nobody the sources of truth know"),
        "holds today": ", ".join(trial.held) or "nothing",
        "would get": ", ".join(trial.grant) or "nothing",
        "would lose": ", ".join(trial.revoke) or "nothing",
    }
    return found + [{"what": name, "said": text} for name, text in said.items()]


def validity(reading: Reading) -> str:
    """From when until when it holds, and whether that is over."""
    if reading.holds_until is None:
        return "no end is stated"
    begins = f"{reading.holds_from:%Y-%m-%d %H:%M} to " if reading.holds_from else "until "
    over = ", expired: fine for a test" if reading.expired else ""
    return (
        f"{begins}{reading.holds_until:%H:%M}Z{over}"
        if reading.holds_from and (reading.holds_from.date() == reading.holds_until.date())
        else f"{begins}{reading.holds_until:%Y-%m-%d %H:%M}Z{over}"
    )


def told(trial: Trial | None, reading: Reading, by: str | None, mapping: RoleMap) -> dict[str, Any]:
    """The trial as one document."""
    found: dict[str, Any] = {
        "protocol": reading.protocol, "signature": reading.signature, "checked_by": by, "key": reading.by,
        "expired": reading.expired,
    }  # fmt: skip
    assertion = reading.assertion
    if trial is None or assertion is None:
        return found | {"warnings": list(reading.warnings)}
    return found | {
        "issuer": assertion.issuer,
        "audience": assertion.audience,
        "subject": assertion.subject,
        "subject_format": assertion.subject_format,
        "immutable_id": assertion.immutable_id,
        "groups": None if assertion.groups is None else list(assertion.groups),
        "groups_overage": assertion.groups_overage,
        "attributes": {name: list(values) for name, values in reading.told},
        "lines": list(trial.given.lines),
        "gives": list(trial.given.entitlements),
        "default": trial.given.by_default,
        "unknown": list(trial.given.unknown),
        "decision": trial.decision.verb,
        "why": trial.decision.why,
        "account_id": trial.decision.account_id,
        "met_by": trial.decision.by,
        "identity_id": (trial.person or {}).get("identity_id"),
        "held": list(trial.held),
        "grant": list(trial.grant),
        "revoke": list(trial.revoke),
        "lacking": list(trial.lacking),
        "beyond": list(trial.beyond),
        "warnings": list(trial.warnings),
    }
