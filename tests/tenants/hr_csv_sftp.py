"""The same export on a real SFTP server with a pinned host key, over a line that can break."""

from dataclasses import replace
from urllib.parse import urlsplit

from tests.sftp_server import public, ssh_key
from tests.tenants.app_csv import WITHOUT
from tests.tenants.hr_csv import TENANT as FOLDER


def options(url: str) -> dict[str, object]:
    return {
        "path": url,
        "username": urlsplit(url).path.strip("/"),
        "host_key": public(ssh_key("server", "ssh-ed25519")),
    }


TENANT = replace(
    FOLDER,
    name="hr_csv_sftp",
    ground="sftp",
    options=options,
    secrets=lambda application: {"password": application.token},
    source="sftp://127.0.0.1",
    without={
        **WITHOUT,
        **dict.fromkeys(("mutations", "columns"), "a file from afar is read like one here: see hr_csv"),
    },
)
