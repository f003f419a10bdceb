"""Builds the warehouse with dbt into a private folder: lock, inputs, variables, progress, sweeping."""
