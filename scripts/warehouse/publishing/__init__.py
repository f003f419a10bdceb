"""Puts audited marts where readers find them: compact copies, kept versions, the atomic swap, PostgreSQL."""
