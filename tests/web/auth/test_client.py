from __future__ import annotations

import pytest

from gustnado.http import AsyncHTTPClient, HTTPClientError
from gustnado.web import RequestHandler
from gustnado.web.auth import AuthDeniedError, ProviderError
from gustnado.web.auth.client import MAX_ANSWER, AuthClientMixin, fetch_answer, json_object, missing_extra


def answering(body, status=200):
    class Answer(RequestHandler):
        def get(self):
            self.set_status(status)
            self.finish(body)

    return Answer


def fetch(sites, body, status=200):
    async def scenario(sites, browser):
        url = sites.add([("/x", answering(body, status)), ("/to", Elsewhere)])
        return json_object(await fetch_answer(AsyncHTTPClient(), f"{url}/x?secret=1"))

    return sites(scenario)


class Elsewhere(RequestHandler):
    def get(self):
        self.redirect("/x")


def test_an_object_is_returned(sites):
    assert fetch(sites, '{"a": 1}') == {"a": 1}


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (b"<html>", "no JSON"),
        (b"", "no JSON"),
        (b"\xff", "no JSON"),
        (b"[1]", "a JSON list, not with an object"),
        (b" " * (MAX_ANSWER + 1), f"{MAX_ANSWER + 1} bytes"),
    ],
)
def test_anything_else_is_the_providers_error_and_shows_no_arguments(sites, body, message):
    with pytest.raises(ProviderError, match=message) as info:
        fetch(sites, body)
    assert "secret" not in str(info.value)


@pytest.mark.parametrize("status", [400, 401])
def test_an_error_of_oauth_is_a_refusal(sites, status):
    with pytest.raises(AuthDeniedError, match="invalid_grant \\(used\\)"):
        fetch(sites, '{"error": "invalid_grant", "error_description": "used"}', status)


@pytest.mark.parametrize(
    ("status", "body"), [(400, "<html>"), (400, "{}"), (400, '{"error": 1}'), (500, '{"error": "x"}')]
)
def test_other_errors_are_the_clients(sites, status, body):
    with pytest.raises(HTTPClientError) as info:
        fetch(sites, body, status)
    assert info.value.code == status


def test_a_redirect_is_not_followed(sites):
    async def scenario(sites, browser):
        url = sites.add([("/x", answering("{}")), ("/to", Elsewhere)])
        with pytest.raises(HTTPClientError) as info:
            await fetch_answer(AsyncHTTPClient(), f"{url}/to")
        return info.value.code

    assert sites(scenario) == 302


def test_the_client_is_that_of_the_loop(run):
    async def main():
        client = AuthClientMixin().get_auth_http_client()
        assert client is AsyncHTTPClient()
        client.close()

    run(main())


def test_a_missing_package_is_named():
    message = str(missing_extra("OAuth 1", ImportError(name="oauthlib")))
    assert message == "OAuth 1 needs oauthlib, which is not installed: pip install 'gustnado[auth]'"
