from __future__ import annotations

import sqlite3
from datetime import UTC

import pytest
from demo.store import DEMO_USER, SEED_POSTS, Store


def test_a_new_database_has_an_account_and_posts(store, run):
    user = run(store.find_user(DEMO_USER))
    assert user is not None
    assert user.password_hash.startswith("scrypt$")
    assert len(run(store.list_posts(limit=100))) == len(SEED_POSTS)


def test_posts_come_newest_first_and_page_by_page(store, run):
    ids = [post.id for post in run(store.list_posts(limit=2))]
    assert ids == [3, 2]
    assert [post.id for post in run(store.list_posts(before=ids[-1], limit=2))] == [1]
    assert run(store.list_posts(before=1, limit=2)) == []


def test_a_post_is_found_by_its_number_as_it_was_added(store, run):
    number = run(store.add_post(DEMO_USER, "'; DROP TABLE posts; --", "one\n\ntwo\nstill two\n\n\n"))
    post = run(store.find_post(number))
    assert (post.author, post.title) == (DEMO_USER, "'; DROP TABLE posts; --")
    assert post.paragraphs == ["one", "two\nstill two"]
    assert post.created.tzinfo is UTC


def test_what_is_not_there_is_none(store, run):
    assert run(store.find_post(99)) is None
    assert run(store.find_user("nobody")) is None


def test_only_users_have_posts(store, run):
    with pytest.raises(sqlite3.IntegrityError):
        run(store.add_post("nobody", "title", "body"))


def test_posts_survive_closing_and_are_not_seeded_twice(tmp_path, run):
    path = tmp_path / "again.sqlite3"
    first = Store(path)
    run(first.add_post(DEMO_USER, "kept", "body"))
    first.close()
    second = Store(path)
    titles = [post.title for post in run(second.list_posts(limit=100))]
    second.close()
    assert titles[0] == "kept"
    assert len(titles) == len(SEED_POSTS) + 1


def test_a_file_that_is_no_database_is_an_error(tmp_path):
    path = tmp_path / "note.txt"
    path.write_text("this is no database, but it is long enough to be looked at" * 50)
    with pytest.raises(sqlite3.DatabaseError):
        Store(path)
