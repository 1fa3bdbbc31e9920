"""The encoder of OpenAI's responses: the response object, and the events of its stream.

Rules: what an answer says comes as `messages_api.answer_events`; this room only gives it the published shape. An answer
that is not streamed is what the same events add up to. Items never overlap: one that was announced is closed before the
next one and before the end, and an id is minted once. Start with `stream.ResponseStream`; `open_items` are the items
that still grow.
"""
