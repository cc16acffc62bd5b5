"""The push ledger and the cache of reference data, in one database."""
