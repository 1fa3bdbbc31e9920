"""The way to Claude by HTTPS with a key: the Messages API."""
