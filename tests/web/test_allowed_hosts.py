from __future__ import annotations

import pytest

from gustnado.web.allowed_hosts import AllowedHosts


@pytest.mark.parametrize(
    ("names", "host", "expected"),
    [
        (["example.org"], "example.org", True),
        (["Example.Org"], "example.org", True),
        (["example.org"], "example.org.", True),
        (["example.org"], "www.example.org", False),
        ([".example.org"], "example.org", True),
        ([".example.org"], "a.b.example.org", True),
        ([".example.org"], "badexample.org", False),
        ([".example.org"], "example.org.evil.example", False),
        (["::1"], "::1", True),
        (["example.org"], "", False),
        ([], "example.org", False),
    ],
)
def test_names_and_domains(names, host, expected):
    assert (host in AllowedHosts(names)) is expected


@pytest.mark.parametrize("names", ["example.org", b"example.org"])
def test_one_string_is_no_list(names):
    with pytest.raises(TypeError, match="a list of names"):
        AllowedHosts(names)
