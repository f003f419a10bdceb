"""Whole runs of the commands that go through several packages: what they do, in which order."""
