"""Every module can be imported on systems that the tests do not run on.

A fresh interpreter takes away what another system's Python lacks, says that it is that system, and imports
each module. What a function does there is a question for that system; see ``docs/platforms.rst``.
"""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

# This is policy; do not change it to fix a build.
LACKING: dict[str, dict[str, list[str]]] = {
    "win32": {
        "modules": "_posixsubprocess curses fcntl grp posix pwd readline resource syslog termios tty uvloop".split(),
        "os": """
            chown fchmod fork forkpty geteuid getgid getpgid getuid kill killpg mkfifo pidfd_open pipe2
            posix_spawn register_at_fork sched_getaffinity sched_yield sendfile setsid setuid sysconf
            uname wait waitid waitpid WNOHANG WEXITED O_CLOEXEC O_NONBLOCK
        """.split(),
        "signal": """
            SIGALRM SIGCHLD SIGHUP SIGKILL SIGPIPE SIGQUIT SIGUSR1 SIGUSR2 alarm pause pthread_sigmask
            setitimer siginterrupt sigwait ITIMER_REAL
        """.split(),
        "socket": "AF_UNIX SO_REUSEPORT SCM_RIGHTS TCP_CORK TCP_DEFER_ACCEPT MSG_NOSIGNAL socketpair".split(),
        "select": "epoll poll kqueue".split(),
        "asyncio": "SafeChildWatcher ThreadedChildWatcher PidfdChildWatcher".split(),
    },
    "darwin": {
        "modules": ["uvloop"],
        "os": "eventfd memfd_create pidfd_open pipe2 sched_getaffinity splice".split(),
        "signal": "SIGPOLL SIGPWR SIGRTMIN pidfd_send_signal".split(),
        "socket": "SO_PEERCRED SO_BINDTODEVICE TCP_CORK TCP_DEFER_ACCEPT TCP_QUICKACK TCP_USER_TIMEOUT".split(),
        "select": ["epoll"],
        "asyncio": [],
    },
}
# End of policy.

IMPORT = """
import importlib, json, sys
for name in json.loads(sys.argv[1]):
    importlib.import_module(name)
print(json.dumps([name for name, module in sys.modules.items() if getattr(module, "__spec__", None)]))
"""
PRETEND = """
import importlib, json, sys, sysconfig
sysconfig.get_config_vars()  # from a file that has this system's name
platform, lacking, others, names = json.loads(sys.argv[1])
for name in others:  # of the standard library and of libraries: they are those of this system, and loaded here
    importlib.import_module(name)
missing = lacking.pop("modules")
owners = [(importlib.import_module(name), attributes) for name, attributes in lacking.items()]
for name in missing:
    sys.modules[name] = None
for owner, attributes in owners:
    for attribute in attributes:
        vars(owner).pop(attribute, None)
sys.platform = platform
for name in names:
    try:
        importlib.import_module(name)
    except Exception as error:
        raise SystemExit(f"{name}: {type(error).__name__}: {error}") from error
"""


def run(program, argument):
    return subprocess.run(
        [sys.executable, "-c", program, json.dumps(argument)], capture_output=True, text=True, timeout=120
    )


def module_names(sources):
    """All modules but those that do something when they are imported."""
    return [name for name in sources if not name.endswith(".__main__")]


def loaded_with(names):
    """The modules of others that importing these loads."""
    done = run(IMPORT, names)
    assert done.returncode == 0, done.stderr
    return [name for name in json.loads(done.stdout) if name.split(".")[0] not in ("gustnado", "__main__")]


@pytest.mark.parametrize("platform", LACKING)
def test_every_module_can_be_imported(platform, sources):
    names, lacking = module_names(sources), LACKING[platform]
    others = [name for name in loaded_with(names) if name.split(".")[0] not in lacking["modules"]]
    done = run(PRETEND, [platform, lacking, others, names])
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "line",
    [
        "import fcntl",
        "from pwd import getpwnam",
        "import signal; signal.SIGCHLD",
        "import os; os.register_at_fork",
        "import socket\ndef f(family=socket.AF_UNIX): pass",
        "import uvloop",
    ],
)
def test_what_windows_lacks_is_noticed(line, tmp_path, monkeypatch):
    """The rule is worth as much as the pretence: here each kind of mistake is found."""
    (tmp_path / "mistaken.py").write_text(line)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    others = ["fcntl", "pwd", "signal", "os", "socket"]
    done = run(PRETEND, ["win32", LACKING["win32"], others, ["mistaken"]])
    assert done.returncode == 1
    assert done.stderr.startswith("mistaken: ")
