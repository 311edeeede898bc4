"""The demo in a real browser. What it looks like is kept in ``build/screenshots/``."""

from __future__ import annotations

from pathlib import Path

import pytest
from demo.store import DEMO_PASSWORD, DEMO_USER

SCREENSHOTS = Path(__file__).parents[2] / "build/screenshots"


@pytest.fixture
def page(chromium):
    """A page; at the end of a test it must have had nothing to complain of but what the test took out."""
    opened = chromium.new_page()
    opened.call("Network.clearBrowserCookies")
    yield opened
    opened.run("1")  # whatever has been said until now has arrived then
    assert opened.complaints == []


@pytest.fixture
def url(site):
    return str(site.client.base_url).rstrip("/")


def sign_in(page, url):
    page.open(f"{url}/login")
    page.type_into("#name", DEMO_USER)
    page.type_into("#password", DEMO_PASSWORD)
    page.click("form.form button")


def test_sign_in_and_post(page, url):
    page.open(url)
    page.screenshot(SCREENSHOTS / "1-start.png")
    assert page.text("h1") == "Notes"
    page.click("nav a.button")  # Sign in
    page.screenshot(SCREENSHOTS / "2-sign-in.png")
    page.type_into("#name", DEMO_USER)
    page.type_into("#password", DEMO_PASSWORD)
    page.click("form.form button")
    assert page.url == f"{url}/"
    assert DEMO_USER in page.text("nav")

    page.open(f"{url}/posts/new")
    page.type_into("#title", "Dust <devil>")
    page.type_into("#body", "Seen at noon.\n\n<script>document.title = 'broken into'</script>")
    page.screenshot(SCREENSHOTS / "3-writing.png")
    page.click("form.form button")
    page.screenshot(SCREENSHOTS / "4-post.png")
    assert page.text("h1") == "Dust <devil>"
    assert "<script>" in page.text(".text")
    assert page.run("document.title") == "Dust <devil> \u2013 Storm notes"

    page.click("nav form button")  # Sign out
    assert "Sign in" in page.text("nav")


def test_upload_a_picture(page, url, tmp_path, picture):
    file = tmp_path / "sky.png"
    file.write_bytes(picture)
    sign_in(page, url)
    page.open(f"{url}/posts/new")
    page.type_into("#title", "Evening sky")
    page.type_into("#body", "Behind the front it cleared up within minutes, and the sun came out once more.")
    page.choose_file("#picture", file)
    page.type_into("#caption", "The sun low in an orange sky")
    page.screenshot(SCREENSHOTS / "9-upload.png")
    page.click("form.form button")
    assert page.text("h1") == "Evening sky"
    assert page.run("(i => [i.complete, i.naturalWidth, i.alt])(document.querySelector('figure img'))") == [
        True, 480, "The sun low in an orange sky"
    ]  # fmt: skip
    page.screenshot(SCREENSHOTS / "10-picture.png")
    page.open(url)
    # It is loaded lazily, so that it may come after the page.
    page.call("Runtime.evaluate", expression="document.querySelector('.thumbnail').decode()", awaitPromise=True)
    assert page.run("document.querySelector('.thumbnail').naturalWidth") == 480
    page.screenshot(SCREENSHOTS / "11-list-with-picture.png")


def test_upload_what_is_no_picture(page, url, tmp_path):
    file = tmp_path / "sky.png"
    file.write_text("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>")
    sign_in(page, url)
    page.open(f"{url}/posts/new")
    page.type_into("#title", "Evening sky")
    page.type_into("#body", "text")
    page.choose_file("#picture", file)
    page.click("form.form button")
    page.screenshot(SCREENSHOTS / "12-no-picture.png")
    assert "This is no picture" in page.text("#picture-error")
    page.complaints = [line for line in page.complaints if "422" not in line]


def test_a_form_with_something_missing(page, url):
    sign_in(page, url)
    page.open(f"{url}/posts/new")
    page.click("form.form button")
    page.screenshot(SCREENSHOTS / "5-form-error.png")
    assert page.run("document.querySelectorAll('[aria-invalid]').length") == 2
    page.complaints = [line for line in page.complaints if "422" not in line]  # the status is an error to it


def test_a_wrong_password(page, url):
    page.open(f"{url}/login")
    page.type_into("#name", DEMO_USER)
    page.type_into("#password", "wrong")
    page.click("form.form button")
    page.screenshot(SCREENSHOTS / "6-wrong-password.png")
    assert "No account has this name and password." in page.text()
    page.complaints = [line for line in page.complaints if "422" not in line]


@pytest.mark.parametrize(
    ("path", "status", "advice"), [("/nothing-here", 404, "nothing at"), ("/broken", 500, "logged")]
)
def test_error_pages(page, url, expect_log, path, status, advice):
    if status == 500:
        with expect_log("gustnado.application", "Uncaught exception GET /broken"):
            page.open(url + path)
    else:
        page.open(url + path)
    page.screenshot(SCREENSHOTS / f"7-error-{status}.png")
    assert page.text(".status") == str(status)
    assert advice in page.text("main")
    page.complaints = [line for line in page.complaints if str(status) not in line]


def test_pages_look_right_in_the_dark_and_on_a_telephone(page, url):
    features = [{"name": "prefers-color-scheme", "value": "dark"}]
    page.call("Emulation.setEmulatedMedia", features=features)
    page.call("Emulation.setDeviceMetricsOverride", width=360, height=740, deviceScaleFactor=2, mobile=True)
    page.open(url)
    page.screenshot(SCREENSHOTS / "8-telephone-dark.png")
    assert page.run("document.documentElement.scrollWidth") <= 360
