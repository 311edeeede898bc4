"""uvicorn on httptools and uvloop, one process. Usage: ``uvicorn_server.py PORT MODULE:APP``."""

from __future__ import annotations

import sys

import uvicorn

if __name__ == "__main__":
    uvicorn.run(
        sys.argv[2],
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        ws="none",
        access_log=False,
        log_level="error",
    )
