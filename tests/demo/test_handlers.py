from __future__ import annotations

import logging

import pytest
from demo.pictures import MAX_PICTURE, MAX_UPLOAD
from demo.store import DEMO_PASSWORD, DEMO_USER


def test_the_front_page_lists_posts_newest_first(site):
    response = site.get("/")
    assert response.status_code == 200
    assert response.text.index("Three rings") < response.text.index("What a gustnado is")


def test_what_people_typed_is_escaped(site):
    text = site.get("/posts/3").text
    assert "&lt;b&gt;Markup&lt;/b&gt; &amp; other" in text
    assert "<script" not in text


def test_pages_allow_no_script_and_no_frame(site):
    for path in ("/", "/nothing-here"):
        policy = site.get(path).headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert site.get(path).headers["X-Content-Type-Options"] == "nosniff"


def test_an_unchanged_page_is_not_sent_again(site):
    etag = site.get("/").headers["Etag"]
    assert site.client.get("/", headers={"If-None-Match": etag}).status_code == 304


def test_older_posts_are_a_page_away(site):
    site.sign_in()
    for number in range(12):
        site.submit("/posts/new", title=f"Note {number}", body="text")
    first = site.get("/").text
    assert "Note 11" in first
    assert "Three rings" not in first
    assert 'href="/?before=6"' in first
    assert "Three rings" in site.get("/?before=6").text
    assert "Older notes" not in site.get("/?before=6").text


@pytest.mark.parametrize("before", ["x", "-1", "1.5", "9" * 30, "²"])
def test_a_page_start_that_is_no_number_is_a_bad_request(site, before, expect_log):
    with expect_log("gustnado.general", "is no number of a post"):
        assert site.client.get("/", params={"before": before}).status_code == 400


def test_writing_asks_for_signing_in_and_comes_back(site):
    response = site.get("/posts/new")
    assert (response.status_code, response.headers["Location"]) == (302, "/login?next=%2Fposts%2Fnew")
    response = site.submit(
        "/login", form=response.headers["Location"], name=DEMO_USER, password=DEMO_PASSWORD, next="/posts/new"
    )
    assert (response.status_code, response.headers["Location"]) == (303, "/posts/new")
    assert "New note" in site.get("/posts/new").text


def test_the_target_of_the_sign_in_is_in_its_form(site):
    assert 'name="next" value="/posts/new"' in site.get("/login?next=/posts/new").text


@pytest.mark.parametrize("target", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_t24_signing_in_never_leads_to_another_site(site, target):
    assert "evil" not in site.client.get("/login", params={"next": target}).text
    response = site.submit("/login", name=DEMO_USER, password=DEMO_PASSWORD, next=target)
    assert response.headers["Location"] == "/"


def test_the_session_cookie_is_out_of_reach_of_scripts_and_other_sites(site):
    response = site.submit("/login", name=DEMO_USER, password=DEMO_PASSWORD)
    (cookie,) = [value for value in response.headers.get_list("Set-Cookie") if value.startswith("session=")]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie


@pytest.mark.parametrize(("name", "password"), [(DEMO_USER, "wrong"), ("nobody", DEMO_PASSWORD), ("", "")])
def test_161_a_wrong_name_or_password_is_told_alike_and_the_name_is_kept(site, name, password):
    response = site.submit("/login", name=name, password=password)
    assert response.status_code == 422
    assert "No account has this name and password." in response.text
    assert f'name="name" value="{name}"' in response.text
    assert "session" not in site.client.cookies


def test_a_forged_session_is_nobodys(site):
    site.client.cookies.set("session", "2|1:0|10:1700000000|7:session|8:ZGVtbw==|" + "0" * 64)
    assert site.get("/posts/new").status_code == 302


def test_signing_out_ends_the_session(site):
    site.sign_in()
    assert "Sign out" in site.get("/").text
    assert site.submit("/logout", form="/").status_code == 303
    assert "Sign in" in site.get("/").text


def test_a_new_post_is_shown_and_listed(site):
    site.sign_in()
    response = site.submit("/posts/new", title=" <i>Gust</i> ", body="one\r\n\r\ntwo")
    assert (response.status_code, response.headers["Location"]) == (303, "/posts/4")
    assert "<p>one</p>" in site.get("/posts/4").text
    assert "&lt;i&gt;Gust&lt;/i&gt;" in site.get("/").text


def test_wrong_fields_say_so_and_keep_what_was_typed(site):
    site.sign_in()
    response = site.submit("/posts/new", title='"quoted" & long' + "x" * 100, body="")
    assert response.status_code == 422
    assert 'id="title-error"' in response.text
    assert 'id="body-error"' in response.text
    assert 'value="&quot;quoted&quot; &amp; long' in response.text
    assert len(site.get("/api/posts").json()["posts"]) == 3


def test_a_form_without_its_token_is_refused(site, expect_log):
    with expect_log("gustnado.general", "_xsrf"):
        response = site.client.post("/login", data={"name": DEMO_USER, "password": DEMO_PASSWORD})
    assert response.status_code == 403
    assert "reload the page" in response.text


def test_posting_without_signing_in_is_refused(site):
    response = site.submit("/posts/new", form="/login", title="a", body="b")
    assert response.status_code == 403
    assert len(site.get("/api/posts").json()["posts"]) == 3


def test_the_api_lists_posts_and_leads_to_older_ones(site):
    data = site.get("/api/posts").json()
    assert [post["id"] for post in data["posts"]] == [3, 2, 1]
    assert data["posts"][0]["title"] == "<b>Markup</b> & other things people type"
    assert data["next"] is None
    site.sign_in()
    for number in range(10):
        site.submit("/posts/new", title=f"Note {number}", body="text")
    following = site.get("/api/posts").json()["next"]
    assert [post["id"] for post in site.get(following).json()["posts"]] == [3, 2, 1]


def test_the_api_gives_one_post(site):
    response = site.get("/api/posts/1")
    assert response.headers["Content-Type"].startswith("application/json")
    assert response.json()["url"] == "/posts/1"


def test_errors_of_the_api_are_json(site):
    response = site.get("/api/posts/99")
    assert (response.status_code, response.json()) == (404, {"error": {"status": 404, "reason": "Not Found"}})


@pytest.mark.parametrize(
    "path", ["/nothing-here", "/posts/99", "/posts/" + "9" * 40, "/api/nothing", "/static/nothing"]
)
def test_a_missing_page_is_told_clearly(site, path):
    response = site.get(path)
    assert response.status_code == 404
    assert "Not Found" in response.text


def test_a_form_sent_to_a_missing_page_gets_404_too(site):
    assert site.client.post("/nothing-here").status_code == 404


def test_a_method_that_a_page_does_not_have_is_told(site):
    response = site.client.put("/", headers={"X-Xsrftoken": site.token("/login")})
    assert response.status_code == 405
    assert "does not take that kind of request" in response.text


def test_a_bug_gives_the_error_page_and_the_log_and_tells_nothing_more(site, expect_log):
    with expect_log("gustnado.application", "/broken", level=logging.ERROR):
        response = site.get("/broken")
    assert response.status_code == 500
    assert "Internal Server Error" in response.text
    assert "RuntimeError" not in response.text
    assert "on purpose" not in response.text


def test_a_picture_is_shown_and_served_as_what_it_is(site, picture):
    site.sign_in()
    response = site.upload(picture, name="../../sky.html", kind="text/html", caption="An <evening> sky")
    assert (response.status_code, response.headers["Location"]) == (303, "/posts/4")
    page = site.get("/posts/4").text
    assert '<img src="/posts/4/picture" alt="An &lt;evening&gt; sky">' in page
    assert "sky.html" not in page
    assert 'src="/posts/4/picture"' in site.get("/").text
    response = site.get("/posts/4/picture")
    assert response.content == picture
    assert response.headers["Content-Type"] == "image/png"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in response.headers["Content-Security-Policy"]


@pytest.mark.parametrize("number", [1, 99])
def test_a_post_without_a_picture_has_none(site, number):
    assert site.get(f"/posts/{number}/picture").status_code == 404
    assert "/picture" not in site.get("/").text


def test_what_is_no_picture_is_refused_whatever_it_calls_itself(site):
    site.sign_in()
    response = site.upload(b"<script>alert(1)</script>", name="sky.png", kind="image/png")
    assert response.status_code == 422
    assert "This is no picture" in response.text
    assert 'value="Sky"' in response.text
    assert len(site.get("/api/posts").json()["posts"]) == 3


def test_a_picture_that_is_too_large_is_told_in_the_form(site, picture):
    site.sign_in()
    response = site.upload(picture + bytes(MAX_PICTURE))
    assert response.status_code == 422
    assert "The picture has 2.0 MiB; at most 2 fit." in response.text


def test_one_that_is_far_too_large_does_not_even_arrive(site, picture, expect_log):
    site.sign_in()
    with expect_log("gustnado.general", "body|too large|Content-Length", level=logging.INFO):
        response = site.upload(picture + bytes(MAX_UPLOAD))
    assert response.status_code == 413
    assert "A picture may have 2 MiB" in response.text


def test_a_description_without_a_picture_asks_for_one(site):
    site.sign_in()
    assert "Choose the picture" in site.upload(b"", name="", caption="A sky").text
    assert site.upload(b"", name="").status_code == 303


def test_t24_161_a_token_from_before_the_sign_in_is_worth_nothing(site, expect_log):
    before = site.token("/login")
    site.sign_in()
    with expect_log("gustnado.general", "XSRF cookie does not match"):
        response = site.client.post("/posts/new", data={"_xsrf": before, "title": "a", "body": "b"})
    assert response.status_code == 403
