"""A child process: its pipes as streams, its end as a callback or a future.

>>> import asyncio, sys
>>> async def main():
...     child = Subprocess(
...         [sys.executable, "-c", "print(input().upper())"],
...         stdin=Subprocess.STREAM,
...         stdout=Subprocess.STREAM,
...     )
...     await child.stdin.write(b"hello\\n")
...     print(await child.stdout.read_until_close())
...     print(await child.wait_for_exit())
...     child.stdin.close()
>>> asyncio.run(main())
b'HELLO\\n'
0
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from typing import Any, ClassVar

from gustnado.errors import UsageError
from gustnado.events.callbacks import require_callable
from gustnado.events.exit_watch import watch_exit
from gustnado.events.futures import Future
from gustnado.events.loop import IOLoop
from gustnado.events.pipes import PipeIOStream

__all__ = ["Subprocess"]

_PIPES = ("stdin", "stdout", "stderr")


class Subprocess:
    """Starts a process, as :class:`subprocess.Popen` does, and tells the loop of its end.

    The process is reaped when it ends, also where nobody asks for that, as long as the loop runs.

    :param io_loop: the loop of the streams and of the callbacks; by default the current one.
    :raises gustnado.errors.UsageError: where a :data:`STREAM` is asked for on Windows, whose event loops
        cannot watch pipes.

    All other arguments are Popen's, and so are the errors. ``stdin``, ``stdout`` and ``stderr``, given by
    name, may also be :data:`STREAM`.

    :ivar io_loop: the loop.
    :ivar proc: the :class:`subprocess.Popen`.
    :ivar pid: the number of the process.
    :ivar returncode: ``None`` until the loop has noticed the end; then the exit status, or ``-N`` where
        signal N ended it. (It is 0, as Popen has it, where something else in this program has reaped it.)
    :ivar stdin: a :class:`~gustnado.events.pipes.PipeIOStream` where :data:`STREAM` was given, else Popen's.
    :ivar stdout: likewise.
    :ivar stderr: likewise.
    """

    STREAM: ClassVar[object] = object()
    """For ``stdin=``, ``stdout=`` and ``stderr=``: a pipe whose end here is a stream."""

    stdin: Any
    stdout: Any
    stderr: Any

    def __init__(self, *args: Any, io_loop: IOLoop | None = None, **kwargs: Any) -> None:
        self.io_loop = io_loop or IOLoop.current()
        self.returncode: int | None = None
        self._exit_callback: Callable[[int], object] | None = None
        self._waiting: list[tuple[Future[int], bool]] = []
        names = [name for name in _PIPES if kwargs.get(name) is self.STREAM]
        if names and sys.platform == "win32":
            raise UsageError(f"Subprocess: {names[0]}=STREAM is not supported on Windows")
        self.proc, ends = _start(names, args, kwargs)
        for name in _PIPES:
            stream = PipeIOStream(ends[name], io_loop=self.io_loop) if name in ends else None
            setattr(self, name, stream or getattr(self.proc, name))
        self.pid = self.proc.pid
        watch_exit(self.proc, self.io_loop, self._ended)

    def set_exit_callback(self, callback: Callable[[int], object] | None) -> None:
        """Call ``callback(returncode)`` on the loop when the process has ended, or soon if it has.

        Another call replaces a callback that was not called yet, ``None`` takes it back. Data of the
        process may still be in its pipes then.

        :raises gustnado.events.callbacks.CallbackTypeError: where it cannot be called.
        """
        require_callable(callback)
        self._exit_callback = callback
        self._call_back()

    def wait_for_exit(self, raise_error: bool = True) -> Future[int]:
        """A future that gets the ``returncode`` when the process has ended.

        A process that is to end by itself may wait for its pipes to be read, so read them meanwhile.

        :param raise_error: whether any other status than 0 becomes a :exc:`subprocess.CalledProcessError`.
        """
        future: Future[int] = self.io_loop.asyncio_loop.create_future()
        self._waiting.append((future, raise_error))
        self._settle()
        return future

    @classmethod
    def initialize(cls, io_loop: IOLoop | None = None) -> None:
        """Nothing needs to be initialized: no handler of SIGCHLD is involved. For Tornado's programs."""

    @classmethod
    def uninitialize(cls) -> None:
        """As :meth:`initialize`. Children go on being watched."""

    def _ended(self, returncode: int) -> None:
        self.returncode = returncode
        self._settle()
        self._call_back()

    def _call_back(self) -> None:
        """Have the callback called, if there is one and the process has ended."""
        if self._exit_callback is not None and self.returncode is not None:
            callback, self._exit_callback = self._exit_callback, None
            self.io_loop.add_callback(callback, self.returncode)

    def _settle(self) -> None:
        """Complete the futures, if the process has ended."""
        if self.returncode is None:
            return
        waiting, self._waiting = self._waiting, []
        for future, raise_error in waiting:
            if future.done():  # cancelled
                continue
            if raise_error and self.returncode:
                future.set_exception(subprocess.CalledProcessError(self.returncode, self.proc.args))
            else:
                future.set_result(self.returncode)


def _start(
    names: list[str], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> tuple[subprocess.Popen[Any], dict[str, int]]:
    """The started process, and our ends of the pipes of these names."""
    ours: dict[str, int] = {}
    theirs: dict[str, int] = {}
    try:
        for name in names:
            readable, writable = os.pipe()
            ours[name], theirs[name] = (writable, readable) if name == "stdin" else (readable, writable)
        process: subprocess.Popen[Any] = subprocess.Popen(*args, **(kwargs | theirs))
    except BaseException:
        for fd in ours.values():
            os.close(fd)
        raise
    finally:
        for fd in theirs.values():
            os.close(fd)
    return process, ours
