from __future__ import annotations

import inspect

from gustnado.cli.config import RunConfig
from gustnado.cli.run import _FILE_TYPES, run


def test_it_survives_the_way_to_another_process() -> None:
    limits = {"max_body_size": 1, "idle_timeout": 0.5}
    config = RunConfig(app="shop:app", port=None, fd=(3, 4), trusted_proxy=("unix",), limits=limits)
    assert RunConfig.from_json(config.to_json()) == config


def test_options_files_and_fields_are_the_same() -> None:
    fields = set(inspect.signature(RunConfig).parameters)
    options = {parameter.name for parameter in run.params}
    assert (options - {"config", "limit"}) | {"limits"} == fields
    assert set(_FILE_TYPES) == fields


def test_defaults_are_the_same_everywhere() -> None:
    config = RunConfig(app="")
    given = {parameter.name: parameter.default for parameter in run.params}
    plain = {name: value for name, value in given.items() if type(value) in (str, int, float, bool)}
    del plain["unix_mode"], plain["worker_method"]  # one is written in octal, the other depends on the platform
    assert plain == {name: getattr(config, name) for name in plain}
    assert len(plain) >= 12
    assert config.unix_mode == 0o660
