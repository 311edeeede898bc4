from __future__ import annotations

import re

from demo.app import make_app

SECRET = "a secret of the tests, long enough to be one"


def test_named_routes_lead_where_they_say(store):
    app = make_app(store, SECRET)
    assert app.reverse_url("post", 7) == "/posts/7"
    assert app.reverse_url("index") == "/"


def test_settings_can_be_overridden(store):
    assert make_app(store, SECRET, static_url_prefix="/s/").settings["static_url_prefix"] == "/s/"
    assert make_app(store, SECRET, login_url="/in").settings["login_url"] == "/in"


def test_static_files_are_versioned_and_may_be_kept_for_years(site):
    page = site.get("/").text
    for name, kind in (("style.css", "text/css"), ("favicon.svg", "image/svg+xml")):
        found = re.search(rf'"(/static/{re.escape(name)}\?v=[0-9a-f]+)"', page)
        assert found is not None
        response = site.get(found[1])
        assert response.status_code == 200
        assert response.headers["Content-Type"].startswith(kind)
        assert "max-age=" in response.headers["Cache-Control"]


def test_every_address_that_a_page_names_is_there(site, expect_log):
    pages = ["/", "/login", "/posts/1"]
    found = {path for page in pages for path in re.findall(r'(?:href|src)="(/[^"#]*)"', site.get(page).text)}
    assert len(found) > 8
    for path in found - {"/nothing-here", "/broken"}:
        assert site.get(path).status_code in (200, 302), path
