"""Clients' own configuration files: what is written, how it is taken out again, and the proof that it works.

Rules: only our own entry is touched, never a default of the user's; comments, order, mode, owner survive; a file that
does not parse is left alone; writing twice changes nothing; what was written can be taken out again.
Start reading with `jsonc.py` and `yaml_text.py` (entries in text), then `user_file.py` (the files themselves).
"""
