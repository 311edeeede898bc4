"""Users, posts and their pictures in SQLite.

The standard library's driver blocks, so all of it runs in one thread: an executor with a single worker,
which owns the only connection. Queries queue up there and the event loop never waits. One writer at a
time is what SQLite wants anyway; with a database server, use a pool or an asynchronous driver instead.
"""

from __future__ import annotations

import dataclasses
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Concatenate, ParamSpec, TypeVar

from demo.passwords import hash_password
from demo.pictures import Picture
from gustnado.events import IOLoop

__all__ = ["DEMO_PASSWORD", "DEMO_USER", "Post", "Store", "User"]

P = ParamSpec("P")
T = TypeVar("T")

DEMO_USER, DEMO_PASSWORD = "demo", "twister"
"""The account of a new database. The sign-in page tells it to everybody: it guards nothing."""

SCHEMA = """
CREATE TABLE IF NOT EXISTS users (
    name TEXT PRIMARY KEY,
    password_hash TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS posts (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    author TEXT NOT NULL REFERENCES users (name),
    title TEXT NOT NULL,
    body TEXT NOT NULL,
    created INTEGER NOT NULL
);
CREATE TABLE IF NOT EXISTS pictures (
    post INTEGER PRIMARY KEY REFERENCES posts (id),
    kind TEXT NOT NULL,
    caption TEXT NOT NULL,
    data BLOB NOT NULL
);
"""

SEED_POSTS = {
    "What a gustnado is": (
        "A gustnado is a short-lived whirl at the front of a thunderstorm's outflow. It is small, it is "
        "quick, and it reaches from the ground up.\n\nIt is no tornado: it needs no cloud above it."
    ),
    "Three rings": (
        "The event system is at the core, the HTTP server around it, the web framework around both. "
        "Each ring can be used without those outside of it."
    ),
    "<b>Markup</b> & other things people type": (
        "Templates escape what they show. A title such as this one is text and stays text:\n\n"
        "<script>alert('this does not run')</script>"
    ),
}
"""Title -> text, oldest first."""


@dataclasses.dataclass(frozen=True)
class User:
    """Somebody with an account."""

    name: str
    password_hash: str


@dataclasses.dataclass(frozen=True)
class Post:
    """One entry of the weblog."""

    id: int
    author: str
    title: str
    body: str
    created: datetime
    caption: str | None = None
    """What its picture shows, in words; ``None`` where it has no picture."""

    @property
    def paragraphs(self) -> list[str]:
        """The body, split at blank lines."""
        return [paragraph for paragraph in self.body.split("\n\n") if paragraph.strip()]


def _post(row: tuple[int, str, str, str, int, str | None]) -> Post:
    number, author, title, body, created, caption = row
    return Post(number, author, title, body, datetime.fromtimestamp(created, UTC), caption)


def _prepare(connection: sqlite3.Connection) -> None:
    """Sets the connection up, and fills the database if it is new."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.executescript(SCHEMA)
    if connection.execute("SELECT count(*) FROM users").fetchone() == (0,):
        with connection:
            connection.execute("INSERT INTO users VALUES (?, ?)", (DEMO_USER, hash_password(DEMO_PASSWORD)))
            for title, body in SEED_POSTS.items():
                _add_post(connection, DEMO_USER, title, body)


def _open(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path)
    try:
        _prepare(connection)
    except BaseException:
        connection.close()
        raise
    return connection


def _find_user(connection: sqlite3.Connection, name: str) -> User | None:
    row = connection.execute("SELECT name, password_hash FROM users WHERE name = ?", (name,)).fetchone()
    return row and User(*row)


def _list_posts(connection: sqlite3.Connection, before: int | None, limit: int) -> list[Post]:
    query = """
        SELECT id, author, title, body, created, caption FROM posts LEFT JOIN pictures ON post = id
        WHERE ? IS NULL OR id < ? ORDER BY id DESC LIMIT ?
    """
    return [_post(row) for row in connection.execute(query, (before, before, limit))]


def _find_post(connection: sqlite3.Connection, number: int) -> Post | None:
    query = """
        SELECT id, author, title, body, created, caption FROM posts LEFT JOIN pictures ON post = id WHERE id = ?
    """
    row = connection.execute(query, (number,)).fetchone()
    return row and _post(row)


def _find_picture(connection: sqlite3.Connection, number: int) -> Picture | None:
    row = connection.execute("SELECT kind, data, caption FROM pictures WHERE post = ?", (number,)).fetchone()
    return row and Picture(*row)


def _add_post(
    connection: sqlite3.Connection, author: str, title: str, body: str, picture: Picture | None = None
) -> int:
    query = "INSERT INTO posts (author, title, body, created) VALUES (?, ?, ?, ?) RETURNING id"
    with connection:
        (number,) = connection.execute(query, (author, title, body, int(time.time()))).fetchone()
        if picture is not None:
            values = (number, picture.kind, picture.caption, picture.data)
            connection.execute("INSERT INTO pictures (post, kind, caption, data) VALUES (?, ?, ?, ?)", values)
    return int(number)


class Store:
    """The database, for coroutines. Make it before the loop runs: opening waits for the disk."""

    def __init__(self, path: Path) -> None:
        """Opens the database in the file ``path``; makes and fills it if it is not there.

        :raises sqlite3.Error: if the file cannot be opened or is no database.
        """
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sqlite")
        try:
            self._connection = self._thread.submit(_open, path).result()
        except sqlite3.Error:
            self._thread.shutdown()
            raise

    def close(self) -> None:
        """Closes the database, after all that is still queued."""
        self._thread.submit(self._connection.close).result()
        self._thread.shutdown()

    async def _run(
        self, query: Callable[Concatenate[sqlite3.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Runs a query in the database's thread."""
        return await IOLoop.current().run_in_executor(
            self._thread, lambda: query(self._connection, *args, **kwargs)
        )

    async def find_user(self, name: str) -> User | None:
        """The user of that name, if there is one."""
        return await self._run(_find_user, name)

    async def list_posts(self, *, before: int | None = None, limit: int) -> list[Post]:
        """At most ``limit`` posts, newest first; only those older than the one numbered ``before``."""
        return await self._run(_list_posts, before, limit)

    async def find_post(self, number: int) -> Post | None:
        """The post of that number, if there is one."""
        return await self._run(_find_post, number)

    async def find_picture(self, number: int) -> Picture | None:
        """The picture of the post of that number, if there is one."""
        return await self._run(_find_picture, number)

    async def add_post(self, author: str, title: str, body: str, picture: Picture | None = None) -> int:
        """Adds a post by an existing user, with its picture or neither, and returns its number."""
        return await self._run(_add_post, author, title, body, picture)
