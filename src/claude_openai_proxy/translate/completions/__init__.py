"""The dialect of legacy completions: a text that Claude goes on with, and the text that it adds.

Rules: each prompt is a request of its own; nothing is known here of turns, tools or media. Start with
`request.to_messages_requests`, and `answer.CompletionStream` for the way back.
"""
