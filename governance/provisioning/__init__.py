"""How single sign-on makes accounts: what an assertion says, whether it makes an account, and what that may do.

assertion  one record for SAML and OpenID Connect
reading    from what was pasted to that record, verified or marked unverified (envelope, saml, oidc, claims, ...)
trust      whose signatures count, for which application
mapping    attributes -> entitlements, as versioned data
decision   create, update or refuse, and why

reading and trust are imported from their own modules: what checks signatures is heavy, and most need none of it.
"""

from governance.provisioning.assertion import Assertion, Reading
from governance.provisioning.decision import Decision, Known, decide
from governance.provisioning.mapping import Condition, Line, RoleMap

__all__ = ["Assertion", "Condition", "Decision", "Known", "Line", "Reading", "RoleMap", "decide"]
