"""Evidence: one signed file that proves a closed campaign to somebody who does not trust us.

`build` writes it; `verify` proves it with the public key alone, without this program's store or any network.
"""

from governance.evidence.packing import build
from governance.evidence.signing import fingerprint, public_key, public_key_file
from governance.evidence.verifying import Proof, verify

__all__ = ["Proof", "build", "fingerprint", "public_key", "public_key_file", "verify"]
