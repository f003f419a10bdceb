"""The sample of mutants reads the types of its inputs from the build that the checks of the conventions share."""

from conventions.conftest import tested_build

__all__ = ["tested_build"]
