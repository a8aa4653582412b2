"""What can go wrong, sorted by what the caller must do next.

LeaverwatchError
  ConfigurationError      fix the settings, then start again (names the file, the key, what was expected)
  StoreError              the store is foreign, newer or damaged: nothing was written
  FeedError               a pull did not succeed; nothing changed
    AuthenticationFailed · RateLimited(until) · Unavailable · IncompleteFeed · UnexpectedAnswer(path)
  GuardStopped            the change is larger than policy allows; nothing changed; says which limit, how to release
  DecisionError           NotAllowed (SignInAgain) · FourEyesRequired · CampaignClosed · AlreadyDecided · PlanChanged
  RemediationError        ProtectedAccount · LastPrivilegedAccount · NotVerified · NotSupported
  SignOnError             an assertion was not taken: UnreadableAssertion · RefusedAssertion
  NotDelivered            a notice did not reach its channel; it is tried again by itself
"""

from __future__ import annotations

from datetime import datetime


class LeaverwatchError(Exception):
    """Anything Leaverwatch refuses or could not do, in one sentence a person can act on."""


class ConfigurationError(LeaverwatchError):
    """The settings are wrong: names the file, the key and what was expected."""


class StoreError(LeaverwatchError):
    """The store is foreign, newer or damaged: nothing was written."""


class FeedError(LeaverwatchError):
    """A pull did not succeed; nothing changed and the last good snapshot stays."""


class AuthenticationFailed(FeedError):
    """The credential was refused or lacks a scope: renew it, then pull again."""


class RateLimited(FeedError):
    """The other side asks to wait, longer than this pull may; `until` says when to try again."""

    def __init__(self, message: str, until: datetime | None = None) -> None:
        super().__init__(message)
        self.until = until


class Unavailable(FeedError):
    """The other side did not answer in time or answered with a server error."""


class IncompleteFeed(FeedError):
    """Fewer rows arrived than the feed holds: nothing is derived from them."""


class UnexpectedAnswer(FeedError):
    """The answer does not have the promised form; `path` is the file line or URL path it came from."""

    def __init__(self, message: str, path: str = "") -> None:
        super().__init__(message)
        self.path = path


class GuardStopped(LeaverwatchError):
    """The change is larger than policy allows; nothing changed until two actors release it."""


class DecisionError(LeaverwatchError):
    """A decision was not accepted; nothing changed."""


class NotAllowed(DecisionError):
    """The actor lacks the right to do this."""


class SignInAgain(NotAllowed):
    """The actor has the right, but signed in too long ago to decide: sign in again, then decide."""


class FourEyesRequired(DecisionError):
    """Somebody else must decide: not the proposer, not the subject."""


class CampaignClosed(DecisionError):
    """The campaign takes no decisions any more."""


class AlreadyDecided(DecisionError):
    """Somebody was faster, or this is not in a state that can be decided."""


class PlanChanged(DecisionError):
    """The facts changed since the approval: look again and decide anew."""


class RemediationError(LeaverwatchError):
    """An account was not changed."""


class ProtectedAccount(RemediationError):
    """The account is protected and never changed from here."""


class LastPrivilegedAccount(RemediationError):
    """The application would be left without an active privileged account."""


class NotVerified(RemediationError):
    """The account was read again and can still sign in."""


class NotSupported(RemediationError):
    """The application offers no way to do this: it becomes a person's task."""


class SignOnError(LeaverwatchError):
    """What an identity provider is said to assert was not taken."""


class UnreadableAssertion(SignOnError):
    """It is no SAML response and no id token, or damaged: says what was expected and where."""


class RefusedAssertion(SignOnError):
    """It must not be trusted: its signature, issuer, application or time is wrong; says which one."""


class NotDelivered(LeaverwatchError):
    """A notice did not reach its channel; it is tried again by itself."""
