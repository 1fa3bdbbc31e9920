"""Pure, synchronous, deterministic translation between clients' dialects and the Messages API.

Three floors, imports run downwards: the dialects (`chat`, `chat_answer`) and the codec of the Claude Code process
(`claude_code`), which do not know each other; `wishes` upon `messages_api`, which know no dialect; `schemas`, `models`
and `notes`. A new dialect is a reader that makes wishes and turns, and an encoder of `messages_api.answer_events`:
start with `wishes/__init__.py`, or see the whole of one in `tests/translate/second_dialect.py`.
"""
