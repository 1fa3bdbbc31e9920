"""The ways to Claude. Every one takes Messages requests and gives stream events; none knows of OpenAI.

Rules: what is shared is in `interface`; `api/` and `claude_code/` do not know each other; the same tests judge both.
Whoever enters a stream leaves it, and leaving cancels. What was tried again is noted in the `AnswerFacts` handed down.
Start with `interface.Upstream`; which way is taken now is said in `selection`.
"""
