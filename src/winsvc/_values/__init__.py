"""Immutable values: what is read from and written to the service control manager."""
