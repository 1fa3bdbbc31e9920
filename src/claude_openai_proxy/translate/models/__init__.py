"""Facts about Claude's models, as data that is asked by capability, never by name.

Rules: one row a model (`facts.BUILT_IN`); what upstream says of a model wins over its row; a model without a row gets
its line's newest one, less what not every model takes. The lines exist once, as `facts.LINES`. Start with
`facts.facts_for`. A new model is one row here, and one in the simulator's own table (`simulator/model_table.py`).
"""
