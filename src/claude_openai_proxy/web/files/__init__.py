"""The Files API: uploads, lists, contents. Start reading with `files.py`."""
