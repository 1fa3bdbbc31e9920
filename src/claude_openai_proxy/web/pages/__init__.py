"""The page for people at `/`, and the state of the proxy at `/health`."""
