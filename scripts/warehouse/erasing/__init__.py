"""Erases customers from everything below WAREHOUSE_DIR, and remembers them by keyed hashes only."""
