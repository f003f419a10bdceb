"""Lands raw exports, runs dbt, audits and publishes the retention analytics warehouse."""

import os

# The value models solve systems of two to four equations: threads of the linear algebra only wait for each other.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
