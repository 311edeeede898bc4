"""Two functions for the places of a page where HTML escaping is not enough.

Autoescaping makes a value safe in the text of an element and in a *quoted* attribute. It does not know
about URLs and scripts: ``<a href="{{ link }}">`` with ``javascript:...`` for a link is still an attack, and
in ``<script>`` the HTML escapes mean nothing.

>>> print(json_script("<b>", "data"))
<script id="data" type="application/json">"\\u003Cb\\u003E"</script>
>>> safe_url("/users?id=1"), safe_url("JavaScript:alert(1)")
('/users?id=1', 'about:invalid')
"""

from __future__ import annotations

import re
from typing import Any, Final

from gustnado import escape

__all__ = ["json_script", "safe_url"]

_IN_SCRIPT: Final = {ord(char): f"\\u{ord(char):04X}" for char in "<>&\u2028\u2029"}

# What a browser takes for a scheme; it skips tabs and line breaks, and blanks and controls in front.
_SKIPPED: Final = re.compile(r"[\t\n\r]")
_SCHEME: Final = re.compile(r"[\x00-\x20]*([^:/?#]*):")
_SAFE_SCHEMES: Final = frozenset({"http", "https", "mailto", "tel", "ftp"})


def json_script(value: Any, element_id: str | None = None) -> str:
    """Return a ``<script>`` element that carries ``value`` as JSON: data for a page's JavaScript.

    For ``{% raw json_script(data, "data") %}``; the script reads it with
    ``JSON.parse(document.getElementById("data").textContent)``.
    """
    name = f' id="{escape.xhtml_escape(element_id)}"' if element_id else ""
    data = escape.json_encode(value).translate(_IN_SCRIPT)
    return f'<script{name} type="application/json">{data}</script>'


def safe_url(value: str | bytes) -> str:
    """Return ``value`` if it is a relative URL or has a harmless scheme, else ``about:invalid``.

    For ``<a href="{{ safe_url(link) }}">``: ``javascript:``, ``data:`` and their kin do not pass.
    """
    url = escape.to_unicode(value)
    match = _SCHEME.match(_SKIPPED.sub("", url))
    if match is None or match[1].lower() in _SAFE_SCHEMES:
        return url
    return "about:invalid"
