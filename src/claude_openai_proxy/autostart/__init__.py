"""The proxy as a service of the user's own: a systemd user unit, a launchd agent.

Rules: the user's scope only; no secret and no path with a version in what is written; nothing that is not ours is ever
stopped. Start reading with `units.py` (what is written), then `supervisors.py` (what is run).
"""
