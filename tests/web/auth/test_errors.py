from __future__ import annotations

import pytest

from gustnado.errors import ProtocolError
from gustnado.web.auth import AuthDeniedError, AuthError, AuthStateError, IDTokenError, ProviderError


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (AuthError("no"), 403),
        (AuthStateError("no"), 403),
        (AuthDeniedError("no"), 403),
        (ProviderError("no"), 502),
        (IDTokenError("no"), 502),
    ],
)
def test_each_is_an_auth_error_with_its_status(error, status):
    assert isinstance(error, AuthError)
    assert isinstance(error, ProtocolError)
    assert error.status == status


def test_a_refusal_tells_code_and_description():
    error = AuthDeniedError("access_denied", "not today")
    assert (error.code, error.description) == ("access_denied", "not today")
    assert str(error) == "the provider refused: access_denied (not today)"
