"""A small weblog on Gustnado: the program that ``make demo`` serves, and a model for your own.

============== ==============================================================
``__main__``   the command line: ``python -m demo --help``
``app``        the application: routes and settings
``handlers``   what answers a request
``forms``      what people type, checked
``store``      SQLite, away from the event loop
``passwords``  hashing them, away from the event loop
``secret``     the key that signs cookies
============== ==============================================================
"""
