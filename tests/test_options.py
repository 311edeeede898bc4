"""Options: definitions, command lines, configuration files, help."""

from __future__ import annotations

import datetime
import io
import sys
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gustnado import options as module
from gustnado.errors import UsageError
from gustnado.options import Error, OptionParser


class Email:
    """A type of the program's own."""

    def __init__(self, value):
        if "@" not in value:
            raise ValueError("no @ in it")
        self.value = value


@pytest.fixture
def parser():
    return OptionParser()


def parsed(parser, *args):
    return parser.parse_command_line(["prog", *args])


class TestDefine:
    def test_the_type_is_that_of_the_default(self, parser):
        parser.define("port", default=80)
        parser.define("name")
        parser.define("list", multiple=True)
        parsed(parser, "--port=443", "--name=443", "--list=1,2")
        assert (parser.port, parser.name, parser.list) == (443, "443", ["1", "2"])

    def test_defaults(self, parser):
        parser.define("none")
        parser.define("several", type=int, multiple=True)
        assert parser.none is None
        assert parser.several == []

    @pytest.mark.parametrize("first", ["foo-bar", "foo_bar"])
    @pytest.mark.parametrize("second", ["foo-bar", "foo_bar"])
    def test_a_name_is_free_once(self, parser, first, second):
        parser.define(first)
        with pytest.raises(Error, match=r"Option 'foo-bar' already defined in .*test_options.py"):
            parser.define(second)

    def test_its_errors_are_usage_errors(self):
        assert issubclass(Error, UsageError)

    def test_groups_are_named_or_the_file_of_the_definition(self, parser):
        parser.define("a", default=1)
        parser.define("b", default=2, group="storage")
        assert parser.groups() == {"", "storage", __file__}  # "" is that of help
        assert parser.group_dict("storage") == {"b": 2}
        assert parser.group_dict(__file__) == {"a": 1}
        assert parser.group_dict("none") == {}
        assert parser.group_dict(None) == parser.as_dict()


class TestAccess:
    def test_as_attributes_and_items(self, parser):
        parser.define("my-port", default=1)
        parser.my_port = 2
        assert parser.my_port == parser["my-port"] == parser["my_port"] == 2
        parser["my-port"] = 3
        assert parser.my_port == 3
        assert "my_port" in parser
        assert "port" not in parser

    def test_names_are_told_as_they_were_defined(self, parser):
        parser.define("with-dash", default=1)
        parser.define("with_underscore", default=2)
        assert list(parser) == ["help", "with-dash", "with_underscore"]
        assert parser.items() == [("help", None), ("with-dash", 1), ("with_underscore", 2)]
        assert parser.as_dict() == {"help": None, "with-dash": 1, "with_underscore": 2}

    def test_what_is_not_defined_is_an_attribute_error(self, parser):
        with pytest.raises(AttributeError, match="'nothing'"):
            _ = parser.nothing
        with pytest.raises(AttributeError, match="'nothing'"):
            parser.nothing = 1

    def test_setting_checks_the_type_and_parses_nothing(self, parser):
        parser.define("port", default=80)
        parser.define("several", type=int, multiple=True)
        for name, value in (("port", "80"), ("several", 1), ("several", ["1"]), ("several", "1")):
            with pytest.raises(Error, match=f"'{name}' is required to be"):
                parser[name] = value
        parser.port = None
        parser.several = [1, None]
        assert (parser.port, parser.several) == (None, [1, None])

    def test_callbacks_hear_of_each_value(self, parser):
        seen: list[object] = []
        parser.define("port", default=80, callback=seen.append)
        parser.port = 1
        parsed(parser, "--port=2")
        assert seen == [1, 2]

    def test_patching(self, parser):
        parser.define("port", default=80)
        with mock.patch.object(parser.mockable(), "port", 1):
            assert parser.port == 1
            parser.port = 2
            with mock.patch.object(parser.mockable(), "port", 3):
                assert parser.port == 3
            assert parser.port == 2
        assert parser.port == 80

    def test_a_mockable_is_for_one_patch(self, parser):
        parser.define("port", default=80)
        mockable = parser.mockable()
        mockable.port = 1
        assert mockable.port == 1
        with pytest.raises(Error, match="mockable"):
            mockable.port = 2


class TestCommandLine:
    def test_dashes_and_underscores_are_the_same(self, parser):
        parser.define("foo_bar")
        for arg, value in (("--foo-bar=a", "a"), ("--foo_bar=b", "b"), ("-foo-bar=c=d", "c=d")):
            parsed(parser, arg)
            assert parser.foo_bar == value

    def test_options_end_at_the_first_other_argument(self, parser):
        parser.define("verbose", default=False)
        assert parsed(parser, "--verbose", "run", "--verbose=false") == ["run", "--verbose=false"]
        assert parser.verbose is True
        assert parsed(parser, "--", "--verbose=false") == ["--verbose=false"]
        assert parsed(parser) == []

    def test_sys_argv_is_the_default(self, parser, monkeypatch):
        parser.define("port", default=80)
        monkeypatch.setattr(sys, "argv", ["prog", "--port=1", "rest"])
        assert parser.parse_command_line() == ["rest"]
        assert parser.port == 1

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("true", True),
            ("1", True),
            ("yes", True),
            ("False", False),
            ("0", False),
            ("f", False),
            ("", True),
        ],
    )
    def test_bool(self, parser, text, value):
        parser.define("flag", type=bool)
        parsed(parser, f"--flag={text}")
        assert parser.flag is value

    @pytest.mark.parametrize(
        "text",
        [
            "Sun Apr 28 05:16:00 2013",
            "2013-04-28 05:16:00",
            "2013-04-28 05:16",
            "2013-04-28T05:16",
            "20130428 05:16:00",
            "20130428 05:16",
        ],
    )
    def test_datetime(self, parser, text):
        parser.define("when", type=datetime.datetime)
        parsed(parser, f"--when={text}")
        assert parser.when == datetime.datetime(2013, 4, 28, 5, 16)

    @pytest.mark.parametrize("text", ["2013-04-28", "20130428"])
    def test_date(self, parser, text):
        parser.define("when", type=datetime.datetime)
        parsed(parser, f"--when={text}")
        assert parser.when == datetime.datetime(2013, 4, 28)

    @pytest.mark.parametrize("text", ["05:16:00", "05:16"])
    def test_time(self, parser, text):
        parser.define("when", type=datetime.datetime)
        parsed(parser, f"--when={text}")
        assert parser.when.time() == datetime.time(5, 16)

    @pytest.mark.parametrize(
        ("text", "seconds"),
        [
            ("45", 45),
            ("45s", 45),
            ("1.5 min", 90),
            ("1h30m", 5400),
            (" 1h 30m ", 5400),
            ("-1d", -86400),
            ("1w", 604800),
            ("2 hours", 7200),
            ("1e3 ms", 1),
            (".5us", 0.0000005),
            ("", 0),
        ],
    )
    def test_timedelta(self, parser, text, seconds):
        parser.define("period", type=datetime.timedelta)
        parsed(parser, f"--period={text}")
        assert parser.period == datetime.timedelta(seconds=seconds)

    def test_types_of_the_program(self, parser):
        parser.define("email", type=Email)
        parsed(parser, "--email=a@b")
        assert parser.email.value == "a@b"

    def test_several(self, parser):
        parser.define("names", type=str, multiple=True)
        parser.define("numbers", type=int, multiple=True)
        parser.define("sizes", type=float, multiple=True)
        parsed(parser, "--names=a,b,", "--numbers=1,4:6,9", "--sizes=1.5,2")
        assert parser.names == ["a", "b", ""]
        assert parser.numbers == [1, 4, 5, 6, 9]
        assert parser.sizes == [1.5, 2.0]

    @pytest.mark.parametrize(
        ("kind", "text"),
        [
            (int, "x"),
            (int, ""),
            (float, "1,5"),
            (datetime.datetime, "noon"),
            (datetime.timedelta, "1 fortnight"),
            (datetime.timedelta, "soon"),
            (Email, "nobody"),
        ],
    )
    def test_a_value_that_does_not_fit(self, parser, kind, text):
        parser.define("thing", type=kind)
        with pytest.raises(Error, match="Option 'thing': ") as caught:
            parsed(parser, f"--thing={text}")
        assert isinstance(caught.value, ValueError)

    def test_a_value_that_is_missing(self, parser):
        parser.define("port", default=80)
        with pytest.raises(Error, match="'port' requires a value"):
            parsed(parser, "--port")

    def test_an_option_that_is_unknown(self, parser, capsys):
        with pytest.raises(Error, match="Unrecognized command line option: 'prot'"):
            parsed(parser, "--prot=1")
        assert "--help" in capsys.readouterr().err

    def test_callbacks_run_after_each_final_parse(self, parser):
        calls: list[str] = []
        parser.add_parse_callback(lambda: calls.append("a"))
        parser.add_parse_callback(lambda: calls.append("b"))
        parser.parse_command_line(["prog"], final=False)
        assert calls == []
        parsed(parser)
        parsed(parser)
        assert calls == ["a", "b", "a", "b"]

    @settings(deadline=None, max_examples=50)
    @given(st.lists(st.integers(-1000, 1000), min_size=1))
    def test_integers_come_back_as_they_were_given(self, numbers):
        parser = OptionParser()
        parser.define("numbers", type=int, multiple=True)
        parsed(parser, "--numbers=" + ",".join(map(str, numbers)))
        assert parser.numbers == numbers


class TestConfigFile:
    @pytest.fixture
    def load(self, parser, tmp_path):
        def load(text):
            path = tmp_path / "server.conf"
            path.write_text(text, "utf-8")
            parser.parse_config_file(str(path))
            return path

        return load

    def test_values_and_text(self, parser, load):
        parser.define("port", default=80)
        parser.define("user-name", default="x")
        parser.define("since", type=datetime.datetime)
        parser.define("numbers", type=int, multiple=True)
        parser.define("names", multiple=True)
        load(
            "port = '443'\nuser_name = '\u674e\u5eb7'\nnumbers = '1,4:5'\nnames = ['a', 'b']\n"
            "import datetime\nsince = datetime.datetime(2020, 1, 1)\nunrelated = object()"
        )
        assert (parser.port, parser.user_name) == (443, "\u674e\u5eb7")
        assert (parser.numbers, parser.names) == ([1, 4, 5], ["a", "b"])
        assert parser.since == datetime.datetime(2020, 1, 1)

    def test_it_knows_where_it_is(self, parser, load):
        parser.define("my-path")
        path = load("my_path = __file__")
        assert parser.my_path == str(path)

    def test_callbacks_run_if_it_is_final(self, parser, load, tmp_path):
        calls: list[int] = []
        parser.add_parse_callback(lambda: calls.append(1))
        path = load("")
        assert calls == [1]
        parser.parse_config_file(path, final=False)
        assert calls == [1]

    def test_an_option_may_name_a_file_that_later_options_override(self, parser, tmp_path):
        (tmp_path / "c.py").write_text("port = 1\nhost = 'h'")
        parser.define("port", default=0)
        parser.define("host", default="")
        parser.define("config", callback=lambda path: parser.parse_config_file(path, final=False))
        parsed(parser, f"--config={tmp_path / 'c.py'}", "--port=2")
        assert (parser.port, parser.host) == (2, "h")

    @pytest.mark.parametrize("text", ["port = 1.5", "numbers = 1", "numbers = ['1']", "port = 'x'"])
    def test_a_value_that_does_not_fit(self, parser, load, text):
        parser.define("port", default=80)
        parser.define("numbers", type=int, multiple=True)
        with pytest.raises(Error, match=text.split()[0]):
            load(text)


class TestHelp:
    def test_it_lists_options_by_group(self, parser):
        parser.define("port", default=80, help="port to listen on", metavar="PORT")
        parser.define("zebra_crossing", help="word " * 20, group="animals")
        parser.define("a-very-long-name-of-an-option", metavar="SOMETHING", help="x", group="animals")
        out = io.StringIO()
        parser.print_help(out)
        text = out.getvalue()
        assert text.startswith(f"Usage: {sys.argv[0]} [OPTIONS]\n\nOptions:\n\n")
        assert "  --help                           show this help information\n" in text
        assert "  --port=PORT                      port to listen on (default 80)\n" in text
        assert "  --a-very-long-name-of-an-option=SOMETHING \n" + " " * 35 + "x\n" in text
        assert "\nanimals options:\n\n  --a-very" in text
        assert text.index("--a-very") < text.index("--zebra-crossing")
        assert max(map(len, text.splitlines())) < 100

    def test_help_ends_the_program(self, parser, capsys):
        with pytest.raises(SystemExit) as ended:
            parsed(parser, "--help")
        assert ended.value.code == 0
        assert "Usage:" in capsys.readouterr().err

    def test_help_that_is_declined(self, parser):
        assert parsed(parser, "--help=false", "x") == ["x"]


class TestGlobalOptions:
    """The functions of the module are those of the global parser; put back after each test."""

    @pytest.fixture(autouse=True)
    def fresh(self, monkeypatch):
        monkeypatch.setattr(module, "options", OptionParser())

    def test_they_are_the_methods_of_the_global_parser(self, tmp_path, capsys):
        calls: list[int] = []
        (tmp_path / "c.py").write_text("port = 3")
        module.define("port", default=1, help="number")
        module.add_parse_callback(lambda: calls.append(1))
        assert module.options.groups() == {"", __file__}
        assert module.parse_command_line(["prog", "--port=2", "x"]) == ["x"]
        assert module.options.port == 2
        module.parse_config_file(str(tmp_path / "c.py"))
        assert module.options.port == 3
        assert calls == [1, 1]
        module.print_help()
        assert "number (default 1)" in capsys.readouterr().err


def test_the_logging_options_are_defined_on_import():
    names = {
        "logging": "info",
        "log_to_stderr": None,
        "log_file_prefix": None,
        "log_file_max_size": 100_000_000,
        "log_file_num_backups": 10,
        "log_rotate_when": "midnight",
        "log_rotate_interval": 1,
        "log_rotate_mode": "size",
    }
    defined = {option.name: option.default for option in module.options._options.values()}
    assert names.items() <= defined.items()


def test_an_option_without_a_type_is_refused():
    with pytest.raises(ValueError, match="type"):
        module._Option("x")
