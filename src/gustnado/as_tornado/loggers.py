"""The loggers of this package under Tornado's names."""

from __future__ import annotations

import logging

from gustnado.log import access_log, app_log, gen_log

__all__ = ["rename_loggers"]


def rename_loggers() -> None:
    """Call the logger ``gustnado`` and the three below it ``tornado``, ``tornado.access``, ..."""
    for logger in (logging.getLogger("gustnado"), access_log, app_log, gen_log):
        _rename(logger, logger.name.replace("gustnado", "tornado", 1))


def _rename(logger: logging.Logger, name: str) -> None:
    """Make ``logging.getLogger(name)`` return ``logger``.

    The old name is given up: a logger with two would be disabled under the one by `logging.config` where only
    the other is configured.
    """
    namesake = logging.getLogger(name)  # new, or that of a program that has configured it already
    loggers = logger.manager.loggerDict
    logger.parent = namesake.parent
    for other in loggers.values():
        if isinstance(other, logging.Logger) and other.parent is namesake:
            other.parent = logger
    for handler in namesake.handlers:
        logger.addHandler(handler)
    for condition in namesake.filters:
        logger.addFilter(condition)
    logger.propagate = logger.propagate and namesake.propagate
    del loggers[logger.name]
    loggers[name] = logger
    logger.name = name
    logger.setLevel(namesake.level or logger.level)  # forgets, too, what all loggers know of their parents
