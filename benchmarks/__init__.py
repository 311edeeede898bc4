"""The benchmark harness: CPU microseconds per request, against a limit and against peers.

``python -m benchmarks --help`` tells how to run it; :mod:`benchmarks.measure` tells the method.
"""
