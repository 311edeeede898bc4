"""The command line: ``gustnado run`` and ``gustnado check``; also ``python -m gustnado``.

============== ================================================================================
``main``       the command and its subcommands
``run``        ``gustnado run``: options, and who serves
``check``      ``gustnado check``; ``findings`` holds what it looks for
``options``    options in groups, and the help that shows them
``config``     what the options come to; ``config_file`` reads them from a TOML file
``quantities`` sizes and times with units, for limits
``loading``    from ``module:name`` to an application
``listening``  sockets
``worker``     a process that serves
``supervisor`` decides about workers; ``processes`` does it; ``notify`` tells systemd
============== ================================================================================
"""

from __future__ import annotations

from gustnado.cli.main import main

__all__ = ["main"]
