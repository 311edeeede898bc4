"""Each test runs a program of its own, after a call of ``install``."""

from __future__ import annotations


class TestLoggers:
    def test_they_have_tornados_names(self, run_program):
        assert run_program("""
            import logging, tornado.log
            from tornado.log import access_log, app_log, gen_log
            for log in access_log, app_log, gen_log:
                print(log.name, logging.getLogger(log.name) is log, log.parent.name, log.parent.parent.name)
        """) == [f"tornado.{name} True tornado root" for name in ("access", "application", "general")]

    def test_handlers_of_the_family_get_their_records(self, run_program):
        assert run_program("""
            import logging, sys
            from gustnado.log import gen_log
            logging.getLogger("tornado").addHandler(logging.StreamHandler(sys.stdout))
            logging.getLogger("tornado").handlers[0].setFormatter(logging.Formatter("%(name)s %(message)s"))
            gen_log.warning("wind")
        """) == ["tornado.general wind"]

    def test_what_was_configured_before_holds(self, python, installing):
        done = python(
            "-c",
            "import logging, sys\n"
            "logging.getLogger('tornado').setLevel('ERROR')\n"
            "access = logging.getLogger('tornado.access')\n"
            "access.addHandler(logging.StreamHandler(sys.stdout))\n"
            "access.addFilter(lambda record: 'secret' not in record.msg)\n"
            "access.propagate = False\n"
            "from gustnado.log import access_log, gen_log\n"
            "print(gen_log.isEnabledFor(30))\n" + installing + "access_log.error('wind')\n"
            "access_log.error('secret')\n"
            "print(access_log.propagate, gen_log.isEnabledFor(30))\n"
            "print(logging.getLogger('tornado.access.mine').parent is access_log)\n",
        )
        # The handler writes as print does, but each has a place of its own in what is printed.
        assert done.stdout.splitlines() == ["True", "wind", "False False", "True"]
        assert not done.stderr

    def test_configuring_one_does_not_switch_it_off(self, run_program):
        """`logging.config` switches off what it finds and is not told of."""
        assert run_program("""
            import logging.config
            from gustnado.log import access_log, gen_log
            logging.config.dictConfig({"version": 1, "loggers": {"tornado.access": {"level": "INFO"}}})
            print(access_log.disabled, gen_log.disabled)
        """) == ["False True"]
