"""Fetching from the command line: ``python -m gustnado.http.client URL ...``."""

from __future__ import annotations

import sys

from gustnado.escape import native_str
from gustnado.http.client.blocking import HTTPClient
from gustnado.http.client.errors import HTTPClientError
from gustnado.options import OptionParser

__all__ = ["main"]


def main(args: list[str] | None = None) -> None:
    """Fetch URLs and print the responses, also those with an error status.

    :param args: a program's name, options (``--help`` tells them) and URLs; by default :data:`sys.argv`.
    :raises gustnado.http.client.errors.HTTPClientError: where there is no response; and what else a fetch raises.
    """
    options = OptionParser()
    options.define("print_headers", type=bool, default=False)
    options.define("print_body", type=bool, default=True)
    options.define("follow_redirects", type=bool, default=True)
    options.define("validate_cert", type=bool, default=True)
    options.define("proxy_host", type=str)
    options.define("proxy_port", type=int)
    urls = options.parse_command_line(args)
    client = HTTPClient()
    try:
        for url in urls:
            _fetch(client, url, options)
    finally:
        client.close()


def _fetch(client: HTTPClient, url: str, options: OptionParser) -> None:
    names = ("follow_redirects", "validate_cert", "proxy_host", "proxy_port")
    try:
        response = client.fetch(url, **{name: options[name] for name in names})
    except HTTPClientError as error:
        if error.response is None:
            raise
        response = error.response
    if options.print_headers:
        sys.stdout.write(f"{response.headers}\n")
    if options.print_body:
        sys.stdout.write(native_str(response.body) + "\n")
