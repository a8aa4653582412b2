"""Sessions: who is signed in, remembered here so that it can be ended here.

The provider's cookie says who somebody was when they signed in, up to thirty days later and after signing out
elsewhere too. So every run of a page asks `current`, which knows the record of that one sign-in: it ends when nobody
used it for a while, when it is too old, when its actor has no role any more or has left, and when somebody ends it.
"""

from governance.sessions.claims import AGAIN, Told, read_claims
from governance.sessions.keeping import (
    HAS_LEFT,
    NO_ROLE,
    SIGNED_IN_AGAIN,
    SIGNED_OUT,
    Find,
    Out,
    Place,
    Signed,
    current,
    still,
)
from governance.sessions.links import LOCAL, local, local_administrator, make_link, may_link, open_link
from governance.sessions.listing import end, end_all, forget, groups_of, listed, sign_out

__all__ = [
    "AGAIN",
    "HAS_LEFT",
    "LOCAL",
    "NO_ROLE",
    "SIGNED_IN_AGAIN",
    "SIGNED_OUT",
    "Find",
    "Out",
    "Place",
    "Signed",
    "Told",
    "current",
    "end",
    "end_all",
    "forget",
    "groups_of",
    "listed",
    "local",
    "local_administrator",
    "make_link",
    "may_link",
    "open_link",
    "read_claims",
    "sign_out",
    "still",
]
