"""What the options of ``gustnado run`` come to."""

from __future__ import annotations

import dataclasses
import json

__all__ = ["RunConfig"]


@dataclasses.dataclass(frozen=True, kw_only=True)
class RunConfig:
    """How to serve an application; fields are as the options of the same names, which tell what they mean.

    It consists of plain values, so that it can be handed to a process that is started anew.
    """

    app: str
    app_dir: str = "."

    host: str = "127.0.0.1"
    port: int | None = 8000
    unix: str | None = None
    unix_mode: int = 0o660
    fd: tuple[int, ...] = ()
    backlog: int = 1024

    cert: str | None = None
    key: str | None = None

    proxy_headers: bool = False
    forwarded: bool = False
    proxy_protocol: bool = False
    trusted_proxy: tuple[str, ...] = ()

    workers: int = 1
    worker_method: str = "fork"
    supervise: bool = False
    grace: float = 30.0
    boot_timeout: float = 60.0
    reload: bool = False
    loop: str | None = None

    log_level: str = "info"
    log_file: str | None = None
    access_log: str = "-"
    access_log_format: str = "default"
    request_id_header: str | None = None

    limits: dict[str, int | float] = dataclasses.field(default_factory=dict)

    def to_json(self) -> str:
        """As text, for another process."""
        return json.dumps(dataclasses.asdict(self))

    @classmethod
    def from_json(cls, text: str) -> RunConfig:
        """The inverse of :meth:`to_json`."""
        values = json.loads(text)
        tuples = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
        return cls(**{**values, **tuples})

    def trusted_proxies(self) -> list[str] | int | None:
        """What ``HTTPServer(trusted_proxies=...)`` takes: addresses, or how many proxies, or ``None``."""
        if not self.trusted_proxy:
            return None
        if len(self.trusted_proxy) == 1 and self.trusted_proxy[0].isdecimal():
            return int(self.trusted_proxy[0])
        return list(self.trusted_proxy)
