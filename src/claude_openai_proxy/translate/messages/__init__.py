"""The dialect of Claude's own clients: a Messages request, passed on or read.

Rules: a `verbatim` upstream gets the client's own bytes, with the model's id in them (`model_member`), and the client
upstream's; nothing is mended. The other one gets what it can be given (`request`), and the rest is told of.
Start with `translation.to_translation`.
"""
