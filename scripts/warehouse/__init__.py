"""Lands raw exports, runs dbt, audits and publishes the retention analytics warehouse."""
