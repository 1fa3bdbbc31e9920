"""The reader of OpenAI's chat request.

Rules: only this room and `chat_answer` know the dialect's forms; what they mean to Claude is said in `wishes`. A field
becomes a wish (`fields`, `tools`, `tool_choice`, `cache_marks`) or is declined by name (`declined`), a message becomes
turns (`messages`, `content`). Start with `request.to_messages_request`.
"""
