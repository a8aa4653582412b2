"""The identity providers whose assertions can be checked here, as `[[sign_on]]` names them."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from governance.errors import ConfigurationError
from governance.house import House
from governance.provisioning import Reading
from governance.provisioning.reading import read
from governance.provisioning.trust import Trust
from governance.settings import SignOnSettings


def trusts(house: House, application: str) -> list[tuple[SignOnSettings, Trust]]:
    """Every trust for an application; ConfigurationError names the file that cannot be read and why."""
    return [
        (told, _trust(house, told))
        for told in house.settings.sign_on
        if not told.applications or application in told.applications
    ]


def _trust(house: House, told: SignOnSettings) -> Trust:
    issuer, audience = told.issuer, told.audience
    try:
        if told.metadata:
            return Trust.of_metadata(
                _file(house, told.metadata), issuer=issuer, audience=audience, legacy_sha1=told.legacy_sha1
            )
        pem = "\n".join(_file(house, name) for name in told.certificates)
        certificates = Trust.of_certificates(pem, issuer=issuer, audience=audience).certificates if pem else ()
        keys = Trust.of_keys(_file(house, told.keys), issuer=issuer, audience=audience).keys if told.keys else None
        return Trust(issuer, audience, certificates, keys, legacy_sha1=told.legacy_sha1)
    except ConfigurationError as error:
        raise ConfigurationError(f"[[sign_on]] {told.name}: {error}") from error


def _file(house: House, name: str) -> str:
    path = house.home / Path(name).expanduser()
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: it cannot be read: {type(error).__name__}") from error


def read_here(house: House, application: str, pasted: str | bytes, now: datetime) -> tuple[Reading, str | None]:
    """What was pasted, checked against the provider that has its issuer, and that provider's name.

    Without one it is only read, and unverified. An expired one is fine here: it is a test. Raises UnreadableAssertion,
    and RefusedAssertion when a provider of its issuer is known and anything about it does not hold.
    """
    unchecked = read(pasted, trust=None, now=now)
    issuer = unchecked.assertion.issuer if unchecked.assertion else None
    for told, trust in trusts(house, application):
        if trust.issuer == issuer:
            return read(pasted, trust=trust, now=now, expired_is_fine=True), told.name
    return unchecked, None
