"""The audit outside the DAG: what dbt says about itself is not enough to publish."""
