"""Options that any module can define, read from the command line and from configuration files.

A module defines what it needs, and the main program parses them all::

    # shop/db.py
    from gustnado.options import define, options

    define("database", default="shop.sqlite", help="path of the database", group="storage")

    def connect():
        return sqlite3.connect(options.database)

    # shop/main.py
    import shop.db
    from gustnado.options import define, options, parse_command_line

    define("port", default=8888, help="port to listen on")

    if __name__ == "__main__":
        parse_command_line()
        make_app().listen(options.port)

Then ``python -m shop.main --port=80 --database=/srv/shop.sqlite`` does what it says, and ``--help`` lists
all. Dashes and underscores in names are the same. `options` is the global `OptionParser`; the functions of
this module are its methods. Parsing also configures logging (see `gustnado.log`) unless ``--logging=none``
is given or ``options.logging = None`` was set before.

>>> parser = OptionParser()
>>> parser.define("port", default=8888)
>>> parser.define("shards", type=int, multiple=True)
>>> parser.parse_command_line(["prog", "--port=80", "--shards=1,4:6", "file"])
['file']
>>> parser.port, parser.shards
(80, [1, 4, 5, 6])

A program that parses from several sources passes ``final=False`` to all but the last, so that the callbacks
of `add_parse_callback` (which set up logging) run once.
"""

from __future__ import annotations

import datetime
import numbers
import os
import re
import sys
import textwrap
from typing import TYPE_CHECKING, Any, TextIO, TypeAlias

from gustnado.errors import UsageError
from gustnado.log import define_logging_options
from gustnado.util import exec_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = [
    "Error",
    "OptionParser",
    "add_parse_callback",
    "define",
    "options",
    "parse_command_line",
    "parse_config_file",
    "print_help",
]


class Error(UsageError):
    """An option is defined twice, unknown, or has a value that does not fit."""


class _ValueError(Error, ValueError):
    """A value could not be parsed: what the option's type raises is a `ValueError`, and so is this."""


_DATETIME_FORMATS = (
    "%a %b %d %H:%M:%S %Y",
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y%m%d %H:%M:%S",
    "%Y%m%d %H:%M",
    "%Y-%m-%d",
    "%Y%m%d",
    "%H:%M:%S",
    "%H:%M",
)

_TIMEDELTA_UNITS = {
    "": "seconds",
    "weeks": "weeks",
    "days": "days",
    "hours": "hours",
    "minutes": "minutes",
    "seconds": "seconds",
    "milliseconds": "milliseconds",
    "microseconds": "microseconds",
    "h": "hours",
    "m": "minutes",
    "min": "minutes",
    "s": "seconds",
    "sec": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
    "d": "days",
    "w": "weeks",
}

_FLOAT = r"[-+]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
_TIMEDELTA_PART = re.compile(rf"\s*({_FLOAT})\s*([A-Za-z]*)\s*")


def _parse_datetime(value: str) -> datetime.datetime:
    for form in _DATETIME_FORMATS:
        try:
            return datetime.datetime.strptime(value, form)
        except ValueError:
            continue
    raise _ValueError(f"unrecognized date or time: {value!r}")


def _parse_timedelta(value: str) -> datetime.timedelta:
    """Numbers with units, as ``1h 30m``; one without a unit counts seconds."""
    total = datetime.timedelta()
    position = 0
    while position < len(value):
        part = _TIMEDELTA_PART.match(value, position)
        if part is None or part[2] not in _TIMEDELTA_UNITS:
            raise _ValueError(f"unrecognized duration: {value!r}")
        total += datetime.timedelta(**{_TIMEDELTA_UNITS[part[2]]: float(part[1])})
        position = part.end()
    return total


def _parse_bool(value: str) -> bool:
    return value.lower() not in ("false", "0", "f")


_PARSERS: dict[type, Callable[[str], Any]] = {
    datetime.datetime: _parse_datetime,
    datetime.timedelta: _parse_timedelta,
    bool: _parse_bool,
}

_UNSET = object()

_Type: TypeAlias = type[Any]  # in classes and functions here, "type" is something else


class _Option:
    """One option: what it may be, and what it is."""

    def __init__(
        self,
        name: str,
        default: Any = None,
        type: _Type | None = None,
        help: str | None = None,
        metavar: str | None = None,
        multiple: bool = False,
        file_name: str = "",
        group_name: str = "",
        callback: Callable[[Any], None] | None = None,
    ) -> None:
        if type is None:
            raise ValueError("an option needs a type")
        self.name = name
        self.type: _Type = type
        self.help = help
        self.metavar = metavar
        self.multiple = multiple
        self.file_name = file_name
        self.group_name = group_name
        self.callback = callback
        self.default = [] if default is None and multiple else default
        self._value: Any = _UNSET

    def value(self) -> Any:
        return self.default if self._value is _UNSET else self._value

    def parse(self, value: str) -> Any:
        """Sets the option from text."""
        try:
            if self.multiple:
                self._value = [item for part in value.split(",") for item in self._parse_items(part)]
            else:
                self._value = self._parse_one(value)
        except ValueError as error:
            raise _ValueError(f"Option {self.name!r}: {error}") from error
        self._changed()
        return self.value()

    def _parse_one(self, text: str) -> Any:
        return _PARSERS.get(self.type, self.type)(text)

    def _parse_items(self, text: str) -> list[Any]:
        """One item, or those of ``X:Y``, which are integers, both ends included."""
        if not issubclass(self.type, numbers.Integral):
            return [self._parse_one(text)]
        low, _, high = text.partition(":")
        first = self._parse_one(low)
        return list(range(first, (self._parse_one(high) if high else first) + 1))

    def set(self, value: Any) -> None:
        """Sets the option to a value of its type, or to a list of them if it is multiple, or to ``None``."""
        if self.multiple:
            if not isinstance(value, list) or not all(map(self._fits, value)):
                raise Error(f"Option {self.name!r} is required to be a list of {self.type.__name__}")
        elif not self._fits(value):
            raise Error(f"Option {self.name!r} is required to be a {self.type.__name__}, not {value!r}")
        self._value = value
        self._changed()

    def load(self, value: Any) -> None:
        """Sets the option to what a configuration file holds: a value, or text to be parsed."""
        if self.multiple and not isinstance(value, (list, str)):
            raise Error(
                f"Option {self.name!r} is required to be a list of {self.type.__name__} or text with commas"
            )
        if type(value) is str and (self.multiple or self.type is not str):
            self.parse(value)
        else:
            self.set(value)

    def _fits(self, value: Any) -> bool:
        return value is None or isinstance(value, self.type)

    def _changed(self) -> None:
        if self.callback is not None:
            self.callback(self._value)


def _normalize_name(name: str) -> str:
    return name.replace("_", "-")


class OptionParser:
    """A set of options; their values are its attributes, and its items.

    `options` is the global one; make others for sets that are apart, such as those of subcommands.
    """

    _options: dict[str, _Option]
    _parse_callbacks: list[Callable[[], None]]

    def __init__(self) -> None:
        # By way of __dict__, since setting an attribute sets an option.
        self.__dict__["_options"] = {}
        self.__dict__["_parse_callbacks"] = []
        self.define("help", type=bool, help="show this help information", callback=self._help_callback)

    def __getattr__(self, name: str) -> Any:
        option = self._options.get(_normalize_name(name))
        if option is None:
            raise AttributeError(f"Unrecognized option {name!r}")
        return option.value()

    def __setattr__(self, name: str, value: Any) -> None:
        option = self._options.get(_normalize_name(name))
        if option is None:
            raise AttributeError(f"Unrecognized option {name!r}")
        option.set(value)

    def __getitem__(self, name: str) -> Any:
        return self.__getattr__(name)

    def __setitem__(self, name: str, value: Any) -> None:
        self.__setattr__(name, value)

    def __contains__(self, name: str) -> bool:
        return _normalize_name(name) in self._options

    def __iter__(self) -> Iterator[str]:
        return (option.name for option in self._options.values())

    def items(self) -> list[tuple[str, Any]]:
        """``(name, value)`` of each option, with the name as it was defined."""
        return [(option.name, option.value()) for option in self._options.values()]

    def as_dict(self) -> dict[str, Any]:
        """All names and values."""
        return dict(self.items())

    def groups(self) -> set[str]:
        """The names of the groups."""
        return {option.group_name for option in self._options.values()}

    def group_dict(self, group: str | None) -> dict[str, Any]:
        """Names and values of the options of a group, for instance to use as settings of an application.

        ::

            define("template_path", group="application")
            parse_command_line()
            application = Application(handlers, **options.group_dict("application"))
        """
        chosen = (option for option in self._options.values() if not group or group == option.group_name)
        return {option.name: option.value() for option in chosen}

    def define(
        self,
        name: str,
        default: Any = None,
        type: _Type | None = None,
        help: str | None = None,
        metavar: str | None = None,
        multiple: bool = False,
        group: str | None = None,
        callback: Callable[[Any], None] | None = None,
    ) -> None:
        """Defines an option.

        :param type: str, int, float, bool, `datetime.datetime`, `datetime.timedelta`, or anything that
            makes a value from a string. Default: the type of ``default``, else str.
        :param multiple: the value is a list, given as ``a,b,c``; integers may be ranges as ``1:5``.
        :param help: what ``--help`` says about it; ``metavar`` is shown there for the value.
        :param group: default: the file that calls this.
        :param callback: called with the new value each time that it is set. So one option can name a file:
            ``define("config", callback=lambda path: parse_config_file(path, final=False))``.
        :raises Error: if an option of that name exists.
        """
        normalized = _normalize_name(name)
        if normalized in self._options:
            raise Error(f"Option {normalized!r} already defined in {self._options[normalized].file_name}")
        if type is None:
            type = default.__class__ if default is not None and not multiple else str
        file_name = _calling_file()
        self._options[normalized] = _Option(
            name,
            default=default,
            type=type,
            help=help,
            metavar=metavar,
            multiple=multiple,
            file_name=file_name,
            group_name=group or file_name,
            callback=callback,
        )

    def parse_command_line(self, args: list[str] | None = None, final: bool = True) -> list[str]:
        """Sets options from ``--name=value`` arguments; returns the arguments from the first other one on.

        For an option of type bool ``--name`` is ``--name=true``. ``--`` ends the options.

        :param args: default ``sys.argv``; the first is the program's name.
        :param final: run the parse callbacks.
        :raises Error: if an option is unknown (the help is printed to stderr), lacks its value, or the
            value does not fit.
        """
        if args is None:
            args = sys.argv
        remaining: list[str] = []
        for index, arg in enumerate(args[1:], 1):
            if not arg.startswith("-"):
                remaining = args[index:]
                break
            if arg == "--":
                remaining = args[index + 1 :]
                break
            self._parse_argument(arg)
        if final:
            self.run_parse_callbacks()
        return remaining

    def _parse_argument(self, arg: str) -> None:
        name, equals, value = arg.lstrip("-").partition("=")
        name = _normalize_name(name)
        option = self._options.get(name)
        if option is None:
            self.print_help()
            raise Error(f"Unrecognized command line option: {name!r}")
        if not equals:
            if option.type is not bool:
                raise Error(f"Option {name!r} requires a value")
            value = "true"
        option.parse(value)

    def parse_config_file(self, path: str | os.PathLike[str], final: bool = True) -> None:
        """Runs a Python file, and sets the options whose names it assigns.

        The values are of the option's type or text to be parsed. The file is UTF-8; ``__file__`` is its
        absolute path. It can do what the program can: never run one that someone else can write.

        :param final: run the parse callbacks.
        :raises Error: if a value does not fit.
        """
        config: dict[str, Any] = {"__file__": os.path.abspath(path)}
        with open(path, encoding="utf-8") as file:
            exec_in(file.read(), config, config)
        for name, value in config.items():
            option = self._options.get(_normalize_name(name))
            if option is not None:
                option.load(value)
        if final:
            self.run_parse_callbacks()

    def print_help(self, file: TextIO | None = None) -> None:
        """Prints all options by group, to stderr by default."""
        file = file or sys.stderr
        print(f"Usage: {sys.argv[0]} [OPTIONS]\n\nOptions:\n", file=file)
        groups: dict[str, list[_Option]] = {}
        for option in self._options.values():
            groups.setdefault(option.group_name, []).append(option)
        for name, members in sorted(groups.items()):
            if name:
                print(f"\n{os.path.normpath(name)} options:\n", file=file)
            for option in sorted(members, key=lambda member: member.name):
                print(_help_text(option), file=file)
        print(file=file)

    def _help_callback(self, value: bool) -> None:
        if value:
            self.print_help()
            sys.exit(0)

    def add_parse_callback(self, callback: Callable[[], None]) -> None:
        """``callback()`` is called each time that final parsing has ended, after earlier ones."""
        self._parse_callbacks.append(callback)

    def run_parse_callbacks(self) -> None:
        """Calls them."""
        for callback in self._parse_callbacks:
            callback()

    def mockable(self) -> _Mockable:
        """A stand-in whose attributes `unittest.mock.patch.object` can patch. Take a new one for each patch.

        ::

            with mock.patch.object(options.mockable(), "port", 0):
                assert options.port == 0
        """
        return _Mockable(self)


def _calling_file() -> str:
    """The file that calls `define`, as a function or method; empty for this one."""
    frame = sys._getframe(2)
    if frame.f_code.co_filename == __file__ and frame.f_code.co_name == "define" and frame.f_back is not None:
        frame = frame.f_back
    file_name = frame.f_code.co_filename
    return "" if file_name == __file__ else file_name


def _help_text(option: _Option) -> str:
    usage = _normalize_name(option.name) + (f"={option.metavar}" if option.metavar else "")
    description = option.help or ""
    if option.default is not None and option.default != "":
        description += f" (default {option.default})"
    lines = textwrap.wrap(description, 44)
    if len(usage) > 30 or not lines:
        lines.insert(0, "")
    rest = "".join(f"\n{'':34} {line}" for line in lines[1:])
    return f"  --{usage:<30} {lines[0]}{rest}"


class _Mockable:
    """Sets options as attributes; deleting one restores the value from before, which is how a patch ends."""

    _options: OptionParser
    _originals: dict[str, Any]

    def __init__(self, options: OptionParser) -> None:
        self.__dict__["_options"] = options
        self.__dict__["_originals"] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._options, name)

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self._originals:
            raise Error(f"Option {name!r} is patched already: take a new mockable()")
        self._originals[name] = getattr(self._options, name)
        setattr(self._options, name, value)

    def __delattr__(self, name: str) -> None:
        setattr(self._options, name, self._originals.pop(name))


options = OptionParser()
"""The global options."""


def define(
    name: str,
    default: Any = None,
    type: _Type | None = None,
    help: str | None = None,
    metavar: str | None = None,
    multiple: bool = False,
    group: str | None = None,
    callback: Callable[[Any], None] | None = None,
) -> None:
    """Defines a global option; see `OptionParser.define`."""
    options.define(name, default, type, help, metavar, multiple, group, callback)


def parse_command_line(args: list[str] | None = None, final: bool = True) -> list[str]:
    """Sets global options from the command line; see `OptionParser.parse_command_line`."""
    return options.parse_command_line(args, final=final)


def parse_config_file(path: str | os.PathLike[str], final: bool = True) -> None:
    """Sets global options from a file; see `OptionParser.parse_config_file`."""
    options.parse_config_file(path, final=final)


def print_help(file: TextIO | None = None) -> None:
    """Prints the global options; see `OptionParser.print_help`."""
    options.print_help(file)


def add_parse_callback(callback: Callable[[], None]) -> None:
    """``callback()`` is called when parsing has ended; see `OptionParser.add_parse_callback`."""
    options.add_parse_callback(callback)


define_logging_options(options)
