"""The one place where objects are made and put together: start with `wiring.py`.

Nothing is imported here: a command that needs only the stores (`keys`) does not wait for the whole server's modules.
"""
