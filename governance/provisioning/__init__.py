"""How single sign-on makes accounts: what an assertion says, whether it makes an account, and what that may do.

assertion  one record for SAML and OpenID Connect
mapping    attributes -> entitlements, as versioned data
decision   create, update or refuse, and why
"""

from governance.provisioning.assertion import Assertion
from governance.provisioning.decision import Decision, Known, decide
from governance.provisioning.mapping import Condition, Line, RoleMap

__all__ = ["Assertion", "Condition", "Decision", "Known", "Line", "RoleMap", "decide"]
