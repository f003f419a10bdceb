"""The independent recomputation: every mart in plain Python, from the raw rows and the metric page alone."""

from recomputation.compare import compare
from recomputation.recompute import GRAINS, recompute

__all__ = ["GRAINS", "compare", "recompute"]
