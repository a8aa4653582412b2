"""A real slapd on loopback for one test: as OpenLDAP with ppolicy, or with the attributes of Active Directory."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SUFFIX = "dc=nwl,dc=example"
ADMIN = f"cn=admin,{SUFFIX}"
READER = f"cn=reader,{SUFFIX}"
PASSWORD = "canary-7d31"
READ_PASSWORD = "canary-read-88aa"
SLAPD = shutil.which("slapd") or "/usr/sbin/slapd"

BASE = f"""
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/nis.schema
include /etc/ldap/schema/inetorgperson.schema
{{more}}
pidfile {{folder}}/slapd.pid
modulepath /usr/lib/ldap
moduleload back_mdb
{{modules}}
{{tls}}
rootDSE {{folder}}/root.ldif
database mdb
suffix "{SUFFIX}"
rootdn "{ADMIN}"
rootpw {PASSWORD}
directory {{folder}}/db
maxsize 104857600
limits * size.soft={{size}} size.hard={{size}} size.prtotal={{size}}
{{overlays}}
access to attrs=userPassword by anonymous auth by * none
access to * by dn.exact="{READER}" read by * none
"""


def missing() -> str | None:
    """Why slapd cannot run here."""
    return None if Path(SLAPD).exists() else "slapd is not installed (apt install slapd)"


def people() -> str:
    """The entries every directory begins with."""
    return f"""
dn: {SUFFIX}
objectClass: dcObject
objectClass: organization
o: Northwind Labs
dc: nwl

dn: {READER}
objectClass: organizationalRole
objectClass: simpleSecurityObject
cn: reader
userPassword: {READ_PASSWORD}

dn: ou=people,{SUFFIX}
objectClass: organizationalUnit
ou: people

dn: ou=groups,{SUFFIX}
objectClass: organizationalUnit
ou: groups
"""


@contextmanager
def openldap(folder: Path, entries: str, *, size: int = 5000, lastbind: bool = True) -> Iterator[str]:
    """OpenLDAP with ppolicy and lastbind; yields its address."""
    policy = f"""
dn: cn=policy,{SUFFIX}
objectClass: device
objectClass: pwdPolicy
cn: policy
pwdAttribute: userPassword
pwdLockout: TRUE
"""
    told = {
        "more": "",
        "modules": "moduleload ppolicy",
        "overlays": ("lastbind on\n" if lastbind else "") + f'overlay ppolicy\nppolicy_default "cn=policy,{SUFFIX}"',
        "tls": "",
        "size": size,
    }
    with _running(folder, told, "dn:\n", people() + policy + "\n" + entries) as url:
        yield url


@contextmanager
def active_directory(folder: Path, entries: str, *, size: int = 5000) -> Iterator[str]:
    """slapd with Microsoft's own schema that says it is Active Directory; yields its address."""
    schema = Path("/etc/ldap/schema/msuser.schema").read_text()
    # Microsoft compares these by value; the schema as shipped does not say how, so nothing could be found or deleted.
    schema = schema.replace("NAME 'objectGUID'", "NAME 'objectGUID' EQUALITY octetStringMatch")
    schema = schema.replace("NAME 'userAccountControl'", "NAME 'userAccountControl' EQUALITY integerMatch")
    (folder / "msuser.schema").write_text(schema)
    more = f"""include {folder}/msuser.schema
attributetype ( 1.3.6.1.4.1.4203.666.1.900 NAME 'supportedCapabilities' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
attributetype ( 1.3.6.1.4.1.4203.666.1.901 NAME 'defaultNamingContext' SYNTAX 1.3.6.1.4.1.1466.115.121.1.15 )
objectclass ( 1.3.6.1.4.1.4203.666.3.900 NAME 'capable' AUXILIARY MAY ( supportedCapabilities $ defaultNamingContext ) )
"""
    root = f"dn:\nsupportedCapabilities: 1.2.840.113556.1.4.800\ndefaultNamingContext: {SUFFIX}\n"
    told = {"more": more, "modules": "", "overlays": "", "tls": "", "size": size}
    with _running(folder, told, root, people() + "\n" + entries) as url:
        yield url


@contextmanager
def _running(folder: Path, told: dict, root: str, entries: str) -> Iterator[str]:
    (folder / "db").mkdir()
    (folder / "root.ldif").write_text(root)
    (folder / "slapd.conf").write_text(BASE.format(folder=folder, **told))
    (folder / "entries.ldif").write_text(entries)
    add = [str(Path(SLAPD).with_name("slapadd")), "-f", str(folder / "slapd.conf"), "-l", str(folder / "entries.ldif")]
    done = subprocess.run(add, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    url = f"ldap://127.0.0.1:{port}"
    with (folder / "slapd.log").open("wb") as log:
        command = [SLAPD, "-f", str(folder / "slapd.conf"), "-h", url, "-d", "0"]
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            for _ in range(100):
                assert process.poll() is None, (folder / "slapd.log").read_text()
                with socket.socket() as probe:
                    if probe.connect_ex(("127.0.0.1", port)) == 0:
                        break
                time.sleep(0.05)
            yield url
        finally:
            process.terminate()
            process.wait(10)
