"""Claude's own side: the Messages API's conversations and answers, in no client's shape.

Rules: nothing here knows a dialect; bytes become events (`events`), events become what the answer says
(`answer.AnswerStream`, whose events `answer_events` lists), usage stays Claude's own counts (`usage`).
Requests start with `conversation.Conversation`; what happens between two requests of one answer stands in
`continuation`, `forced_tool` and `repairs`. Sentences said to Claude on the proxy's own account are in `instructions`.
"""
