"""Readers of the request record."""
