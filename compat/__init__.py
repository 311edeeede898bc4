"""Programs that were written for Tornado, from their releases, run on Tornado and on Gustnado: ``python -m compat``."""
