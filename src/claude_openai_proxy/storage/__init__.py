"""What outlives a request: one database, and one small store for each kind of thing that is kept.

Rules: a store is an interface with a memory and an SQL implementation, judged by the same tests. SQL is written once,
in what SQLite and PostgreSQL share (`?` for parameters). What quotes a prompt or an answer is sealed before it rests.
A disk that is locked, full or gone fails only what needs it, for a stated time, and heals by itself.
A new store: its interface and both implementations in one file, a row in `app/stores.py::Stores`, and a step in
`migrations/` with the next free number; steps that have been released never change.
Start reading with `interface.py`, then `queued.py` (threads and states), the engines `sqlite.py` and `postgresql.py`,
`sealing.py`, and any one store.
"""
