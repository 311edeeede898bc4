from __future__ import annotations

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from gustnado.errors import UsageError
from gustnado.http import AsyncHTTPClient
from gustnado.web import Application, RequestHandler
from gustnado.web.auth import IDTokenError, ProviderError
from gustnado.web.auth.id_token import Expected
from gustnado.web.auth.openid_provider import KEEP, OpenIDProvider, is_secure_url, openid_provider

NOW = 1_800_000_000


class Configuration(RequestHandler):
    def get(self):
        asked = self.settings["asked"]
        asked.append("configuration")
        url = f"http://{self.request.host}"
        metadata = {
            "issuer": url,
            "authorization_endpoint": f"{url}/authorize",
            "token_endpoint": f"{url}/token",
            "jwks_uri": f"{url}/keys",
            **self.settings["metadata"],
        }
        self.write({name: value for name, value in metadata.items() if value is not None})


class Keys(RequestHandler):
    def get(self):
        self.settings["asked"].append("keys")
        self.write(self.settings["keys"])


def with_provider(sites, scenario, metadata=None, keys=None):
    """Run ``scenario(provider, client, asked, settings)``."""

    async def run(sites, browser):
        asked: list[str] = []
        url = sites.add(
            [("/.well-known/openid-configuration", Configuration), ("/keys", Keys)],
            metadata=metadata or {},
            keys={"keys": []} if keys is None else keys,
            asked=asked,
        )
        clock = [NOW]
        provider = OpenIDProvider(url, lambda: clock[0])
        settings = sites.servers[-1].request_callback.settings
        return await scenario(provider, AsyncHTTPClient(), asked, settings, clock)

    return sites(run)


def test_what_it_says_is_asked_for_once(sites):
    async def scenario(provider, client, asked, settings, clock):
        first = await provider.metadata(client)
        assert first["token_endpoint"] == f"{provider.issuer}/token"
        assert await provider.metadata(client) is first
        assert asked == ["configuration"]
        clock[0] += KEEP + 1
        await provider.metadata(client)
        assert asked == ["configuration"] * 2

    with_provider(sites, scenario)


@pytest.mark.parametrize(
    ("metadata", "message"),
    [
        ({"issuer": "https://other"}, "says to be 'https://other'"),
        ({"issuer": None}, "says to be None"),
        ({"authorization_endpoint": None}, "authorization_endpoint"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "authorization_endpoint"),
        ({"token_endpoint": "http://example.org/token"}, "token_endpoint"),
        ({"jwks_uri": ["https://x"]}, "jwks_uri"),
        ({"code_challenge_methods_supported": ["plain"]}, "PKCE"),
    ],
)
def test_160_what_it_says_is_checked(sites, metadata, message):
    async def scenario(provider, client, *args):
        with pytest.raises(ProviderError, match=message):
            await provider.metadata(client)
        with pytest.raises(ProviderError):
            await provider.metadata(client)  # nothing of it was kept

    with_provider(sites, scenario, metadata)


@pytest.mark.parametrize("keys", [{}, {"keys": 5}, {"keys": [5]}])
def test_keys_that_are_none(sites, keys):
    async def scenario(provider, client, *args):
        with pytest.raises(ProviderError, match="no list of keys"):
            await provider.keys(client)

    with_provider(sites, scenario, keys=keys)


def signed(key, issuer):
    claims = {"iss": issuer, "aud": "app", "sub": "7", "exp": NOW + 300, "iat": NOW, "nonce": "n"}
    return jwt.encode({"alg": "ES256", "kid": key.kid}, claims, key, algorithms=["ES256"])


def test_a_new_key_is_looked_for_once_and_an_old_one_is_dropped(sites):
    old, new, foreign = (ECKey.generate_key("P-256", {"kid": kid}) for kid in ("old", "new", "foreign"))

    async def scenario(provider, client, asked, settings, clock):
        expected = Expected(provider.issuer, "app", "n", "t", ["ES256"])
        await provider.claims(client, signed(old, provider.issuer), expected)
        await provider.claims(client, signed(old, provider.issuer), expected)
        assert asked == ["configuration", "keys"]
        settings["keys"] = {"keys": [new.as_dict(private=False)]}
        claims = await provider.claims(client, signed(new, provider.issuer), expected)
        assert claims["sub"] == "7"
        for key in (old, foreign):
            with pytest.raises(IDTokenError, match="none of the provider's keys"):
                await provider.claims(client, signed(key, provider.issuer), expected)
        assert asked == ["configuration", *["keys"] * 4]
        clock[0] += KEEP + 1
        await provider.keys(client)
        assert asked[5:] == ["configuration", "keys"]

    with_provider(sites, scenario, keys={"keys": [old.as_dict(private=False)]})


@pytest.mark.parametrize("token", [None, 5])
def test_no_token_at_all(sites, token):
    async def scenario(provider, client, *args):
        with pytest.raises(ProviderError, match="without an id_token"):
            await provider.claims(client, token, Expected("i", "a", "n", "t"))

    with_provider(sites, scenario)


@pytest.mark.parametrize(
    ("url", "secure"),
    [
        ("https://example.org", True),
        ("http://localhost:8888/x", True),
        ("http://127.0.0.1", True),
        ("http://[::1]:1", True),
        ("http://example.org", False),
        ("http://127.0.0.1.example.org", False),
        ("http://[::1", False),
        ("ftp://localhost", False),
        ("https:", False),
        ("//example.org", False),
        ("", False),
        (None, False),
    ],
)
def test_secure_urls(url, secure):
    assert is_secure_url(url) is secure


def test_an_issuer_is_a_secure_url():
    with pytest.raises(UsageError, match="https URL"):
        OpenIDProvider("http://example.org")


def test_an_application_has_one_of_each_issuer():
    app = Application()
    first = openid_provider(app, "https://a")
    assert openid_provider(app, "https://a") is first
    assert openid_provider(app, "https://b") is not first
    assert openid_provider(Application(), "https://a") is not first
