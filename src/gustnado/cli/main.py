"""The command ``gustnado``."""

from __future__ import annotations

import click

from gustnado.cli.check import check
from gustnado.cli.run import run

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="gustnado", prog_name="gustnado")
def main() -> None:
    """Serve applications made with Gustnado, and look them over.

    \b
    Examples:
      gustnado run shop:app                       at http://127.0.0.1:8000
      gustnado run shop:app --workers 4 --port 80 --host 0.0.0.0
      gustnado run shop:app --reload              restarts when a file changes
      gustnado check shop:app                     routes, and settings that are unsafe

    "gustnado COMMAND --help" tells all options.
    """


main.add_command(run)
main.add_command(check)
