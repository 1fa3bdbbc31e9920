"""OpenAI's chat completions over HTTP."""
