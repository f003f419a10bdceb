"""Entry point of `python -m benchmarking`."""

from benchmarking.command import main

main()
