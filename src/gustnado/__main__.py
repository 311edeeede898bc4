"""``python -m gustnado``: the same as the command ``gustnado``."""

from __future__ import annotations

from gustnado.cli.main import main

if __name__ == "__main__":
    main(prog_name="python -m gustnado")
