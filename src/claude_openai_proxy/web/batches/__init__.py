"""The Batch API: routes, and the endpoints whose requests a batch may hold. Start reading with `batches.py`."""
