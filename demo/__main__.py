"""The command line: ``python -m demo``."""

from __future__ import annotations

import logging
import sqlite3
from pathlib import Path

import click

from demo.app import make_app
from demo.secret import load_secret
from demo.store import Store
from gustnado.http import run_until_signal
from gustnado.web import Application

__all__ = ["main"]

DATABASE = Path(__file__).parent / "var" / "demo.sqlite3"
GRACE = 10.0  # seconds that requests have to end after Ctrl-C


def open_store(database: Path) -> tuple[Store, str]:
    """The database, and the secret kept beside it; both are made at the first run.

    :raises click.ClickException: if a file cannot be read or made.
    """
    try:
        database.parent.mkdir(parents=True, exist_ok=True)
        if database == DATABASE:
            (database.parent / ".gitignore").write_text("*\n", encoding="ascii")
        secret = load_secret(database.with_name("cookie_secret"))
        return Store(database), secret
    except (OSError, sqlite3.Error) as error:
        raise click.ClickException(f"cannot use the database {database}: {error}") from error


def serve(app: Application, port: int, address: str) -> None:
    """Serves until Ctrl-C or SIGTERM, then ends in good order; a second one ends it at once.

    :raises click.ClickException: if the port cannot be listened on.
    """
    try:
        server = app.listen(port, address)
    except OSError as error:
        raise click.ClickException(error.strerror or str(error)) from error
    host = f"[{address}]" if ":" in address else address
    click.echo(f"Serving on http://{host}:{port}  (Ctrl-C ends it)")
    run_until_signal(server, grace=GRACE)


@click.command(context_settings={"show_default": True})
@click.option("--port", type=click.IntRange(1, 65535), default=8888, help="Port to listen on.")
@click.option("--address", default="localhost", help="Name or address to listen on; 0.0.0.0 is every one.")
@click.option(
    "--database",
    type=click.Path(dir_okay=False, path_type=Path),
    default=DATABASE,
    help="File of the SQLite database. Made and filled with a few posts if it is not there.",
)
def main(port: int, address: str, database: Path) -> None:
    """Serve a small weblog, the sample application of Gustnado.

    Open the address that it prints; the sign-in page tells the account to use. Beside the database
    lies the file cookie_secret, which signs the cookies. Delete both to start anew.

    \b
    Examples:
      python -m demo
      python -m demo --port 9000 --database /tmp/weblog.sqlite3
    """
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s  %(message)s")
    store, secret = open_store(database)
    try:
        serve(make_app(store, secret), port, address)
    finally:
        store.close()


if __name__ == "__main__":
    main()
