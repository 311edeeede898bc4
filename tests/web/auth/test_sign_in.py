from __future__ import annotations

import re
import time

import pytest

from gustnado.web import Application, RequestHandler
from gustnado.web.auth import AuthDeniedError, AuthStateError
from gustnado.web.auth.sign_in import SignIn, resume, token

STATE = "s" * 43


class Begin(RequestHandler):
    def get(self):
        SignIn(STATE, "verifier", "nonce", "https://here/").remember(self)


class End(RequestHandler):
    def get(self):
        try:
            sign_in = resume(self)
        except (AuthStateError, AuthDeniedError) as error:
            self.write(f"{type(error).__name__} {error}")
        else:
            self.write(f"{sign_in.verifier} {sign_in.nonce} {sign_in.redirect_uri}")


@pytest.fixture
def app(secret):
    return Application([("/begin", Begin), ("/end", End)], cookie_secret=secret)


def cookie_of(response):
    (header,) = response.headers.get_list("Set-Cookie")
    return header.partition(";")[0]


def end(fetch, app, cookie, state=STATE, more=""):
    return fetch(app, f"/end?state={state}{more}", headers={"Cookie": cookie})


def test_a_token_has_256_bits():
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token())
    assert token() != token()


def test_the_challenge_is_that_of_rfc_7636():
    """Its appendix B."""
    sign_in = SignIn("state", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")
    assert sign_in.challenge == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_what_is_remembered_comes_back_once(fetch, app):
    cookie = cookie_of(fetch(app, "/begin"))
    response = end(fetch, app, cookie)
    assert response.text == "verifier nonce https://here/"
    (cleared,) = response.headers.get_list("Set-Cookie")
    assert cleared.startswith(cookie.partition("=")[0] + '="";')


@pytest.mark.parametrize(("protocol", "secure"), [("http", False), ("https", True)])
def test_the_cookie_is_for_the_browser_alone(fetch, app, protocol, secure):
    (header,) = fetch(app, "/begin", protocol=protocol).headers.get_list("Set-Cookie")
    assert "HttpOnly" in header
    assert "SameSite=Lax" in header
    assert ("Secure" in header) is secure
    assert "expires=" in header


@pytest.mark.parametrize("state", ["", "t" * 43, "%00", "s" * 42, "a%20b"])
def test_another_state_is_refused(fetch, app, state):
    assert end(fetch, app, cookie_of(fetch(app, "/begin")), state).text.startswith("AuthStateError")


def test_without_the_cookie_it_is_refused(fetch, app):
    assert fetch(app, f"/end?state={STATE}").text.startswith("AuthStateError")


def test_a_forged_cookie_is_refused(fetch, app):
    name, _, value = cookie_of(fetch(app, "/begin")).partition("=")
    assert end(fetch, app, f"{name}={value[:-2]}00").text.startswith("AuthStateError")


def test_the_cookie_of_another_sign_in_under_this_ones_name_is_refused(fetch, app):
    class Other(RequestHandler):
        def get(self):
            SignIn("other").remember(self)

    app.add_handlers(".*", [("/other", Other)])
    name = cookie_of(fetch(app, "/begin")).partition("=")[0]
    value = cookie_of(fetch(app, "/other")).partition("=")[2]
    assert end(fetch, app, f"{name}={value}").text.startswith("AuthStateError")


def test_an_old_one_is_refused(fetch, app, monkeypatch):
    then = time.time() - 601
    monkeypatch.setattr(time, "time", lambda: then)
    cookie = cookie_of(fetch(app, "/begin"))
    monkeypatch.undo()
    assert end(fetch, app, cookie).text.startswith("AuthStateError")


def test_an_error_of_the_provider_is_told(fetch, app):
    cookie = cookie_of(fetch(app, "/begin"))
    response = end(fetch, app, cookie, more="&error=access_denied&error_description=not+today")
    assert response.text == "AuthDeniedError the provider refused: access_denied (not today)"


def test_an_error_without_a_sign_in_is_not_believed(fetch, app):
    assert fetch(app, "/end?state=x&error=access_denied").text.startswith("AuthStateError")
