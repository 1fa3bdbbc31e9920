"""Batches: files of requests, answered within a day, at half price where Claude's Message Batches can be used.

Rules: a line is answered by the service of its endpoint, the same as a live request: its dialect reads it and writes
its answer (`dialects.LineDialect`), and between them stands an upstream that collects what would be asked, or answers
from what Claude has answered (`replayed.ReplayedUpstream`). Whatever happens is in the store before it is told, so that
any process can go on from there.
Start with `run.BatchRun`: its table has the steps; `native.py` and `emulated.py` are the two ways of the middle one.
`batches.Batches` is what clients ask; `collector.Collector` gives each unfinished batch to one process.
"""
