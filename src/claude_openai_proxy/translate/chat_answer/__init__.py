"""The encoder of OpenAI's chat chunks and completions.

Rules: what an answer says comes as `messages_api.answer_events`; this room only gives it OpenAI's shape, and an answer
that is not streamed is the sum of its chunks (`completion`). `finish_reason` and `usage` put Claude's stop reasons and
counts into OpenAI's words. Start with `chunks.ChoiceStream`.
"""
