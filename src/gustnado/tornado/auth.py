"""``tornado.auth``: sign-in by other services."""

from __future__ import annotations

from gustnado.web.auth import (
    AuthError,
    FacebookGraphMixin,
    FacebookMixin,
    GoogleMixin,
    GoogleOAuth2Mixin,
    OAuth2Mixin,
    OAuthMixin,
    OpenIDConnectMixin,
    OpenIdMixin,
    TwitterMixin,
)

__all__ = [
    "AuthError",
    "FacebookGraphMixin",
    "FacebookMixin",
    "GoogleMixin",
    "GoogleOAuth2Mixin",
    "OAuth2Mixin",
    "OAuthMixin",
    "OpenIDConnectMixin",
    "OpenIdMixin",
    "TwitterMixin",
]
