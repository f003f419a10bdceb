"""The same models on a Spark cluster: the step between two dbt runs, publication by views, comparison with DuckDB."""
