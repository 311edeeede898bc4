"""Sign-in by other services: OAuth 1 and 2, OpenID Connect, and what Google, Facebook and Twitter make of them.

Each class here is a mixin of a :class:`~gustnado.web.RequestHandler`. A login handler redirects to the service
(``authorize_redirect``), and asks for the user when the browser is back (``get_authenticated_user``). New programs take
:class:`OpenIDConnectMixin`, which nearly all services that sign users in speak, and which does most by itself.

What waits for a service can be awaited, or be given a ``callback=``, which gets ``None`` where nobody was signed in;
the errors are in :mod:`gustnado.web.auth.errors`. OAuth 1 and OpenID Connect need the extra ``auth``:
``pip install 'gustnado[auth]'``.
"""

from __future__ import annotations

from gustnado.web.auth.errors import AuthDeniedError, AuthError, AuthStateError, IDTokenError, ProviderError
from gustnado.web.auth.facebook import FacebookGraphMixin, FacebookMixin
from gustnado.web.auth.google import GoogleMixin, GoogleOAuth2Mixin
from gustnado.web.auth.oauth1 import OAuthMixin
from gustnado.web.auth.oauth2 import OAuth2Mixin
from gustnado.web.auth.openid import OpenIdMixin
from gustnado.web.auth.openid_connect import OpenIDConnectMixin
from gustnado.web.auth.twitter import TwitterMixin

__all__ = [
    # protocols
    "OAuth2Mixin",
    "OAuthMixin",
    "OpenIDConnectMixin",
    "OpenIdMixin",
    # services
    "FacebookGraphMixin",
    "FacebookMixin",
    "GoogleMixin",
    "GoogleOAuth2Mixin",
    "TwitterMixin",
    # errors
    "AuthDeniedError",
    "AuthError",
    "AuthStateError",
    "IDTokenError",
    "ProviderError",
]
