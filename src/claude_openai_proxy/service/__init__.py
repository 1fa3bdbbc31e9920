"""One request from start to end, and what can be told of the whole.

Rules: neither HTTP nor wire bytes are known here; no status is named. What a dialect has to say stands in its own
module (`chat`); `admission`, `answering`, `interleaved` and `waiting` know none.
Start with `admission.Admission`: its table has the steps. `answering.Answering` is one answer with its repairs and
continuations; `models` says which model a name stands for, `health` what the state is.
"""
