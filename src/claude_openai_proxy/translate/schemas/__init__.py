"""JSON Schema: what Claude takes of it, and what a client's schema becomes."""
