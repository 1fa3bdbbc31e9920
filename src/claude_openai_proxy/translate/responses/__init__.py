"""The reader of OpenAI's Responses request.

Rules: only this room and `responses_answer` know the dialect's forms; what they mean to Claude is said in `wishes`. An
item that nobody knows is told in words, a tool that cannot run is left out and named, and neither fails the request.
Start with `request.to_messages_request`; `items` decodes, `turns` feeds the conversation, `tools` and `fields` make
wishes, `draft` is the response object before anything is said.
"""
