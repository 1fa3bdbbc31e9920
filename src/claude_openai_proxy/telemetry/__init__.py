"""Readers of the request record, and the log.

A reader must not raise and must not block: what cannot be written waits, up to a bound, and is counted beyond it.
No prompt, no answer and no secret is told, at any level.
Start with `log_entry.py` (what a line says), then `lines.py` (how it looks) and `line_writer.py` (how it goes out);
`ledger.py` keeps a row of each request.
"""
