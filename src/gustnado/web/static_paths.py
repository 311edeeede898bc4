"""Which file a path may name: confinement to a root directory.

Two checks, since each alone lets something through. :func:`check_in_root` looks at the path as written,
without touching the file system, and refuses ``..`` and absolute paths that lead out, by components (a root
``/srv/app`` does not hold ``/srv/app-secret``). :func:`resolve_symlinks` then resolves symbolic links, and
refuses those that lead out of the directories where they may. Both say the same, so that nobody learns
which files exist outside. :func:`stat_regular_file` last lets only regular files pass: a FIFO would block
whoever opens it, and a device may never end.

They tell the state of the file system at one moment. Who may write to the directory can change it between
check and use, so this is no substitute for the permissions of a directory that others can write to.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Sequence

from gustnado.web.errors import HTTPError

__all__ = ["check_in_root", "is_hidden", "resolve_symlinks", "stat_regular_file"]


def check_in_root(root: str, absolute_path: str, shown: str) -> str:
    """Check that ``absolute_path``, normalised but not resolved, is ``root`` or below it.

    A root of ``/`` holds every path; programs use it to check paths in their own way.

    :param shown: what the error message calls the path.
    :returns: ``root`` as an absolute path with a separator at its end.
    :raises HTTPError: 403 where it is not; 404 where it holds NUL.
    """
    if "\0" in absolute_path:
        raise HTTPError(404, "path %r holds NUL", shown)
    root = _as_directory(os.path.abspath(root))
    if not _as_directory(absolute_path).startswith(root):
        raise HTTPError(403, "%s is not in root static directory", shown)
    if os.name == "nt" and ":" in absolute_path[len(root) :]:
        # "file.txt:name" is another stream of data of file.txt on NTFS, and no file of the directory.
        raise HTTPError(403, "%s is not a file", shown)
    return root


def is_hidden(path: str) -> bool:
    """Whether a URL's path names something hidden: a part of it begins with a dot (``.git/config``, ``.env``).

    ``.well-known`` (RFC 8615) is not.

    >>> [is_hidden(path) for path in (".env", "a/.git/x", ".well-known/acme", "a/../b", "a.b")]
    [True, True, False, False, False]
    """
    if path[:1] != "." and "/." not in path and "\\." not in path:
        return False
    parts = path.replace("\\", "/").split("/")
    return any(part[:1] == "." and part not in (".", "..", ".well-known") for part in parts)


def resolve_symlinks(absolute_path: str, allowed: Sequence[str], shown: str) -> str:
    """Resolve symbolic links in ``absolute_path`` and check that it ends in one of ``allowed``.

    :param allowed: directories, which may be reached through links themselves.
    :raises HTTPError: (403) where it ends elsewhere, whether or not there is anything.
    """
    resolved = os.path.realpath(absolute_path)
    for directory in allowed:
        if _as_directory(resolved).startswith(_as_directory(os.path.realpath(directory))):
            return resolved
    raise HTTPError(403, "%s is not in root static directory", shown)


def stat_regular_file(path: str, shown: str) -> os.stat_result:
    """:func:`os.stat` of a regular file.

    :raises HTTPError: 404 where there is nothing, 403 where it is a directory, a device, a FIFO, a socket.
    """
    try:
        status = os.stat(path)
    except (OSError, ValueError) as error:
        raise HTTPError(404) from error
    if not stat.S_ISREG(status.st_mode):
        raise HTTPError(403, "%s is not a file", shown)
    return status


def _as_directory(path: str) -> str:
    return path if path.endswith(os.path.sep) else path + os.path.sep
