"""Clients' own configuration files: what is written, how it is taken out again, and the proof that it works.

Rules: only our own entry is touched, never a default of the user's; comments, order, mode, owner survive; a file that
does not parse is left alone; writing twice changes nothing; what was written can be taken out again.
Start reading with `written_clients.py` (what goes into which file) and `proof.py`; `jsonc.py`, `yaml_text.py` and
`block.py` put entries into text, `user_file.py` changes the files themselves.
"""
