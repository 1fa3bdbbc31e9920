"""From an ASGI application to a process that serves it: sockets, signals, draining, reload. Knows no settings."""
