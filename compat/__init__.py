"""What others have written, run with Gustnado; ``python -m compat.autobahn --help`` is one of them."""
