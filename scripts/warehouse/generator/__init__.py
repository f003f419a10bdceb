"""Writes synthetic companies: one module per domain, `oddities` for the sample's deliberate exceptions.

Every draw is a pure function of (seed, stream, key), so a customer looks the same however the work is cut up,
in a company of six hundred as in one of a million.
"""
