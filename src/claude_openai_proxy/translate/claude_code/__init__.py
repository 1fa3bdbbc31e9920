"""The codec of the Claude Code process: frames in and out, and what they say.

Rules: it speaks the Messages API's requests and stream events on one side, the CLI's JSON lines on the other, and knows
no client's dialect; the CLI's wording is mended here (`errors`, `answer`) and nowhere else. `contract` says what a CLI
must do to be trusted. Start with `request.turn_frames` and `answer.AnswerReader`.
"""
