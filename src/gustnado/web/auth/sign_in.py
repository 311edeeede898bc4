"""What is remembered of a sign-in while the browser is at the provider: a signed cookie.

A sign-in begins with a random *state*, which goes to the provider and comes back. Only the browser that began
has the cookie that belongs to it, so that nobody can be signed in by a link that somebody else has made
(RFC 6749 section 10.12). The cookie also holds what else has to be compared later: nonce, PKCE's verifier
(RFC 7636), the redirect URI.

- Cookies have names of their own, so that several tabs can sign in at once; each is used once.
- They live for ``MAX_AGE`` seconds, are out of reach of scripts, and go over TLS alone where the request came so.
- ``SameSite=Lax`` is right: coming back from the provider is a navigation of the top level.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from gustnado.escape import utf8
from gustnado.web.auth.errors import AuthDeniedError, AuthStateError

if TYPE_CHECKING:
    from gustnado.web.handler import RequestHandler

__all__ = ["COOKIE_OPTIONS", "MAX_AGE", "SignIn", "cookie_options", "resume", "token"]

MAX_AGE = 600
"""Seconds from the redirect to the provider until the browser is back."""

_DAY = 86400
_PREFIX = "_sign_in_"
_FOREIGN = "sign-in: the answer belongs to none that this browser has begun in the last %d s"

COOKIE_OPTIONS = {"httponly": True, "samesite": "Lax"}
"""Attributes of all cookies here."""


def token() -> str:
    """A random token of 256 bits, of characters that need no escaping anywhere."""
    return secrets.token_urlsafe(32)


def cookie_options(handler: RequestHandler) -> dict[str, Any]:
    """Arguments of ``set_cookie`` for this request."""
    return {**COOKIE_OPTIONS, "secure": handler.request.protocol == "https"}


@dataclass
class SignIn:
    """One sign-in.

    :param state: comes back from the provider.
    :param verifier: PKCE's, or empty.
    :param nonce: comes back in the ID token; or empty.
    :param redirect_uri: where the provider sends the browser.
    """

    state: str
    verifier: str = ""
    nonce: str = ""
    redirect_uri: str = ""

    @property
    def challenge(self) -> str:
        """PKCE's challenge of method S256 (RFC 7636 section 4.2)."""
        digest = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()

    def remember(self, handler: RequestHandler) -> None:
        """Set the cookie."""
        handler.set_signed_cookie(
            _cookie_name(self.state),
            json.dumps(asdict(self)),
            expires_days=MAX_AGE / _DAY,
            **cookie_options(handler),
        )


def resume(handler: RequestHandler) -> SignIn:
    """The sign-in to which this request is the provider's answer. It cannot be resumed again.

    :raises AuthDeniedError: where the answer is an error.
    :raises AuthStateError: where it belongs to none that this browser has begun, or not in time.
    """
    state = handler.get_query_argument("state", "")
    name = _cookie_name(state)
    kept = handler.get_signed_cookie(name, max_age_days=MAX_AGE / _DAY, min_version=2) if state else None
    if kept is None:
        raise AuthStateError(_FOREIGN % MAX_AGE)
    handler.clear_cookie(name, **cookie_options(handler))
    sign_in = SignIn(**json.loads(kept))
    if not hmac.compare_digest(utf8(sign_in.state), utf8(state)):
        raise AuthStateError(_FOREIGN % MAX_AGE)
    code = handler.get_query_argument("error", None)
    if code is not None:
        raise AuthDeniedError(code[:200], handler.get_query_argument("error_description", "")[:500])
    return sign_in


def _cookie_name(state: str) -> str:
    return _PREFIX + hashlib.sha256(state.encode()).hexdigest()[:16]
