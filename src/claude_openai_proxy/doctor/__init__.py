"""`claude-openai-proxy doctor`: looks at all that an answer depends on, and says what to do where it is wrong."""
