"""The application: its routes and its settings."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from demo import handlers
from demo.store import Store
from gustnado.web import Application, URLSpec

__all__ = ["make_app"]

HERE = Path(__file__).parent
NUMBER = "([0-9]{1,15})"


def make_app(store: Store, cookie_secret: str, **settings: Any) -> Application:
    """The weblog on ``store``; further settings override its own."""
    routes = [
        URLSpec("/", handlers.Index, name="index"),
        URLSpec("/posts/new", handlers.NewPost, name="new_post"),
        URLSpec(f"/posts/{NUMBER}", handlers.PostPage, name="post"),
        URLSpec(f"/posts/{NUMBER}/picture", handlers.PictureFile, name="picture"),
        URLSpec("/login", handlers.Login, name="login"),
        URLSpec("/logout", handlers.Logout, name="logout"),
        URLSpec("/api/posts", handlers.ApiPosts, name="api_posts"),
        URLSpec(f"/api/posts/{NUMBER}", handlers.ApiPost, name="api_post"),
        URLSpec("/broken", handlers.BrokenPage, name="broken"),
    ]
    defaults: dict[str, Any] = {
        "store": store,
        "cookie_secret": cookie_secret,
        "login_url": "/login",
        "xsrf_cookies": True,
        "xsrf_cookie_kwargs": {"httponly": True, "samesite": "Lax"},
        "template_path": str(HERE / "templates"),
        "static_path": str(HERE / "static"),
        "default_handler_class": handlers.MissingPage,
    }
    return Application(routes, **defaults | settings)
