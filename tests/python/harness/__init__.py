"""Runs the project's compiled SQL on any company, without dbt."""
