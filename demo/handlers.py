"""What answers requests: pages for people, JSON for programs."""

from __future__ import annotations

import re
from collections.abc import Mapping
from http import HTTPStatus
from http.client import responses
from typing import Any

from demo.forms import PostForm, local_path
from demo.passwords import verify_password
from demo.pictures import MAX_UPLOAD
from demo.store import DEMO_PASSWORD, DEMO_USER, Post, Store
from gustnado.http.body_limits import BodyLimits
from gustnado.web import HTTPError, RequestHandler, authenticated

__all__ = [
    "ApiPost",
    "ApiPosts",
    "BaseHandler",
    "BrokenPage",
    "Index",
    "Login",
    "Logout",
    "MissingPage",
    "NewPost",
    "PictureFile",
    "PostPage",
]

PAGE_SIZE = 10
SESSION_COOKIE = "session"
SESSION_DAYS = 30
CONTENT_SECURITY_POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
ADVICE: Mapping[int, str] = {
    HTTPStatus.FORBIDDEN: "This form is too old, or cookies are off. Go back, reload the page and try again.",
    HTTPStatus.NOT_FOUND: "There is nothing at this address. It may have been mistyped.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "That is too large. A picture may have 2 MiB: make it smaller and try again.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This address does not take that kind of request.",
}
"""What the error page says, by status."""


def reason(status: int) -> str:
    """The usual words for a status; nothing that an exception may have brought along."""
    return responses.get(status, "Error")


class BaseHandler(RequestHandler):
    """What all handlers share: who is signed in, the store, security headers, the error page."""

    @property
    def store(self) -> Store:
        """The database of this application."""
        store: Store = self.settings["store"]
        return store

    def set_default_headers(self) -> None:
        self.set_header("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        self.set_header("X-Content-Type-Options", "nosniff")
        self.set_header("Referrer-Policy", "same-origin")
        self.set_header("Cache-Control", "private, no-cache")

    async def prepare(self) -> None:
        """Finds who is signed in: the signed cookie says the name, the store whether they still exist."""
        name = self.get_signed_cookie(SESSION_COOKIE, max_age_days=SESSION_DAYS)
        self.current_user = await self.store.find_user(name.decode()) if name else None

    def page_start(self) -> int | None:
        """The argument ``before``: the number of the post that the page begins after, if it is given.

        :raises HTTPError: 400, if it is no number of a post.
        """
        before = self.get_query_argument("before", None)
        if before is None:
            return None
        if re.fullmatch("[0-9]{1,15}", before) is None:
            raise HTTPError(HTTPStatus.BAD_REQUEST, "before=%r is no number of a post", before)
        return int(before)

    async def find_post(self, number: str) -> Post:
        """The post of that number.

        :raises HTTPError: 404, if there is none.
        """
        post = await self.store.find_post(int(number))
        if post is None:
            raise HTTPError(HTTPStatus.NOT_FOUND)
        return post

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        """The error page. It tells what to do next and nothing of what went wrong inside."""
        advice = ADVICE.get(status_code, "That did not work. It has been logged.")
        self.render("error.html", status=status_code, reason=reason(status_code), advice=advice)


class Index(BaseHandler):
    """The newest posts, a page at a time."""

    async def get(self) -> None:
        posts = await self.store.list_posts(before=self.page_start(), limit=PAGE_SIZE + 1)
        older = posts[PAGE_SIZE - 1].id if len(posts) > PAGE_SIZE else None
        self.render("index.html", posts=posts[:PAGE_SIZE], older=older)


class PostPage(BaseHandler):
    """One post."""

    async def get(self, number: str) -> None:
        self.render("post.html", post=await self.find_post(number))


class PictureFile(BaseHandler):
    """The picture of a post."""

    async def get(self, number: str) -> None:
        picture = await self.store.find_picture(int(number))
        if picture is None:
            raise HTTPError(HTTPStatus.NOT_FOUND)
        self.set_header("Content-Type", picture.kind)
        self.set_header("Content-Security-Policy", "default-src 'none'; sandbox")
        self.set_header("Cache-Control", "private, max-age=86400, immutable")
        self.write(picture.data)


class NewPost(BaseHandler):
    """The form that adds a post."""

    body_limits = BodyLimits(max_body_size=MAX_UPLOAD, max_parts=10)

    @authenticated
    def get(self) -> None:
        self.render("new_post.html", form=PostForm())

    @authenticated
    async def post(self) -> None:
        uploads = self.request.files.get("picture", ())
        form = PostForm.check(
            self.get_body_argument("title", ""),
            self.get_body_argument("body", ""),
            uploads[0].body if uploads else b"",
            self.get_body_argument("caption", ""),
        )
        if form.errors:
            self.set_status(HTTPStatus.UNPROCESSABLE_ENTITY)
            self.render("new_post.html", form=form)
            return
        number = await self.store.add_post(self.current_user.name, form.title, form.body, form.picture)
        self.redirect(self.reverse_url("post", number), status=HTTPStatus.SEE_OTHER)


class Login(BaseHandler):
    """Signing in. ``next`` says where to go afterwards, within this site."""

    def show(self, name: str = "", error: str | None = None) -> None:
        """Shows the form, with what was wrong the last time."""
        target = local_path(self.get_argument("next", "/"))
        account = (DEMO_USER, DEMO_PASSWORD)
        self.render("login.html", name=name, error=error, target=target, account=account)

    def get(self) -> None:
        self.show()

    async def post(self) -> None:
        name = self.get_body_argument("name", "")
        user = await self.store.find_user(name)
        password = self.get_body_argument("password", "", strip=False)
        right = await verify_password(password, user.password_hash if user else None)
        if user is None or not right:
            self.set_status(HTTPStatus.UNPROCESSABLE_ENTITY)
            self.show(name, "No account has this name and password.")
            return
        self.renew_xsrf_token()
        self.set_signed_cookie(
            SESSION_COOKIE,
            user.name,
            expires_days=SESSION_DAYS,
            httponly=True,
            samesite="Lax",
            secure=self.request.protocol == "https",
        )
        self.redirect(local_path(self.get_body_argument("next", "/")), status=HTTPStatus.SEE_OTHER)


class Logout(BaseHandler):
    """Signing out: a POST, so that no link or image of another site can do it."""

    def post(self) -> None:
        self.clear_cookie(SESSION_COOKIE)
        self.redirect("/", status=HTTPStatus.SEE_OTHER)


class ApiHandler(BaseHandler):
    """What the JSON endpoints share."""

    def as_json(self, post: Post) -> dict[str, Any]:
        """A post as programs see it."""
        return {
            "id": post.id,
            "title": post.title,
            "author": post.author,
            "body": post.body,
            "created": post.created.isoformat(),
            "url": self.reverse_url("post", post.id),
        }

    def write_error(self, status_code: int, **kwargs: Any) -> None:
        self.finish({"error": {"status": status_code, "reason": reason(status_code)}})


class ApiPosts(ApiHandler):
    """``GET /api/posts``: the newest posts; ``next`` leads to older ones."""

    async def get(self) -> None:
        posts = await self.store.list_posts(before=self.page_start(), limit=PAGE_SIZE + 1)
        more = len(posts) > PAGE_SIZE
        following = f"{self.reverse_url('api_posts')}?before={posts[PAGE_SIZE - 1].id}" if more else None
        self.write({"posts": [self.as_json(post) for post in posts[:PAGE_SIZE]], "next": following})


class ApiPost(ApiHandler):
    """``GET /api/posts/<number>``: one post."""

    async def get(self, number: str) -> None:
        self.write(self.as_json(await self.find_post(number)))


class MissingPage(BaseHandler):
    """What answers where no route matches."""

    def check_xsrf_cookie(self) -> None:
        """Nothing is here to be protected; whatever the method, the answer is 404."""

    async def prepare(self) -> None:
        await super().prepare()
        raise HTTPError(HTTPStatus.NOT_FOUND)


class BrokenPage(BaseHandler):
    """A handler with a bug, to show what people and the log see of one."""

    def get(self) -> None:
        raise RuntimeError("this page is broken on purpose")
