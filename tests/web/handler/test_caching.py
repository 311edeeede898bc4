from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gustnado.web import Application, RequestHandler
from gustnado.web.handler.caching import etag_matches, etag_matches_strongly


class Page(RequestHandler):
    def get(self) -> None:
        self.set_header("Content-Language", "en")
        self.set_header("X-Wind", "3")
        self.set_cookie("a", "b")
        self.write("wind and ")
        self.write("rain")

    head = post = get


APP = Application([("/", Page)])


def ask(fetch, wanted: str | None, app: Application = APP, method: str = "GET"):
    return fetch(app, "/", method=method, headers=None if wanted is None else {"If-None-Match": wanted})


class TestEtag:
    def test_is_of_the_content(self, fetch):
        class Other(RequestHandler):
            def get(self):
                self.write(self.request.query or "wind and rain")

        other = Application([("/", Other)])
        etag = ask(fetch, None).headers["Etag"]
        assert etag.strip('"').isalnum()
        assert etag[0] == etag[-1] == '"'
        assert fetch(other, "/").headers["Etag"] == etag
        assert fetch(other, "/?x").headers["Etag"] != etag

    def test_is_there_for_head(self, fetch):
        assert ask(fetch, None, method="HEAD").headers["Etag"] == ask(fetch, None).headers["Etag"]

    def test_is_for_what_was_asked_for_only(self, fetch):
        class Missing(RequestHandler):
            def get(self):
                self.set_status(404)
                self.write("none")

        assert "Etag" not in fetch(Application([("/", Missing)]), "/").headers
        assert "Etag" not in ask(fetch, None, method="POST").headers

    def test_may_be_none(self, fetch):
        class Plain(Page):
            def compute_etag(self):
                return None

        app = Application([("/", Plain)])
        response = ask(fetch, "*", app)
        assert (response.code, "Etag" in response.headers) == (200, False)

    def test_may_be_set_by_the_program(self, fetch):
        class Versioned(Page):
            def compute_etag(self):
                return None

            def get(self):
                self.set_header("Etag", 'W/"v7"')
                self.write("page")

        app = Application([("/", Versioned)])
        assert ask(fetch, None, app).headers["Etag"] == 'W/"v7"'
        assert ask(fetch, '"v7"', app).code == 304

    def test_one_that_the_program_has_set_is_not_replaced(self, fetch):
        class Versioned(Page):
            def get(self):
                self.set_header("ETag", '"v8"')
                self.write("page")

        app = Application([("/", Versioned)])
        assert ask(fetch, None, app).headers["Etag"] == '"v8"'
        assert ask(fetch, '"v8"', app).code == 304
        assert ask(fetch, '"v7"', app).body == b"page"

    def test_may_be_computed_otherwise(self, fetch):
        class Versioned(Page):
            def compute_etag(self):
                return '"v1"'

        assert ask(fetch, '"v1"', Application([("/", Versioned)])).code == 304

    def test_may_be_asked_early(self, fetch):
        class Early(RequestHandler):
            def compute_etag(self):
                return '"v1"'

            def get(self):
                self.set_etag_header()
                if self.check_etag_header():
                    self.set_status(304)
                    return
                self.write("page")

        app = Application([("/", Early)])
        assert ask(fetch, '"v1"', app).code == 304
        assert ask(fetch, '"v2"', app).body == b"page"


class TestNotModified:
    @pytest.mark.parametrize("method", ["GET", "HEAD"])
    @pytest.mark.parametrize("form", ["{}", "W/{}", '"x", {}', '"x",W/{} , "y"', "*"])
    def test_who_has_it_gets_304(self, fetch, method, form):
        etag = ask(fetch, None).headers["Etag"]
        response = ask(fetch, form.format(etag), method=method)
        assert (response.code, response.reason, response.body) == (304, "Not Modified", b"")
        assert response.headers["Etag"] == etag

    def test_only_what_describes_the_body_is_left_out(self, fetch):
        headers = ask(fetch, "*").headers
        assert not {"Content-Length", "Content-Type", "Content-Language"} & set(headers)
        assert headers["X-Wind"] == "3"
        assert headers["Set-Cookie"].startswith("a=b")

    @pytest.mark.parametrize("wanted", ['"x"', "", "x", '"', "W/", '"x" "', "**"])
    def test_others_get_it(self, fetch, wanted):
        response = ask(fetch, wanted)
        assert (response.code, response.body) == (200, b"wind and rain")

    def test_other_methods_do_not_care(self, fetch):
        assert ask(fetch, "*", method="POST").body == b"wind and rain"

    def test_other_statuses_do_not_either(self, fetch):
        class Created(RequestHandler):
            def get(self):
                self.set_status(201)
                self.write("new")

        assert ask(fetch, "*", Application([("/", Created)])).code == 201


TAGS = st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters='"'), max_size=5)


class TestEtagMatches:
    @given(st.lists(st.tuples(st.booleans(), TAGS)), TAGS, st.booleans())
    @settings(deadline=None, max_examples=200)
    def test_a_list_is_read_as_it_is_written(self, tags, tag, weak):
        field = ", ".join([f'W/"{text}"' if is_weak else f'"{text}"' for is_weak, text in tags])
        etag = f'W/"{tag}"' if weak else f'"{tag}"'
        assert etag_matches(field, etag) == (tag in [text for _, text in tags])

    @given(st.text('"W/*, a', max_size=12))
    @settings(deadline=None, max_examples=200)
    def test_anything_can_be_read(self, field):
        found = etag_matches(field, '"a"')
        assert not found or '"a"' in field or field.strip() == "*"

    def test_nothing_matches_where_there_is_no_tag(self):
        assert not etag_matches("*", "")

    @pytest.mark.parametrize("field", ['"' * 100_000, '"",' * 50_000, "W/" * 50_000, 'W/"' * 50_000, " " * 100_000])
    def test_a_long_list_is_read_to_its_end(self, field):
        assert not etag_matches(field, '"a"')
        assert etag_matches('"a",' + field, '"a"')


@pytest.mark.parametrize(
    ("wanted", "etag", "matches"),
    [
        ('"a"', '"a"', True),
        ('"b", "a"', '"a"', True),
        ('W/"a"', '"a"', False),
        ('W/"a", "a"', '"a"', True),
        ('"a"', 'W/"a"', False),
        ("*", '"a"', True),
        ("*", "", False),
        (" * ", '"a"', True),
        ('"a', '"a"', False),
        ("", '"a"', False),
        ("a", '"a"', False),
        ('"b",' * 100_000, '"a"', False),
    ],
)
def test_150_strong_comparison(wanted, etag, matches):
    assert etag_matches_strongly(wanted, etag) is matches
