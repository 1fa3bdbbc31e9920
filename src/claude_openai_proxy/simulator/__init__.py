"""A simulated Messages API; knows nothing of the proxy."""
