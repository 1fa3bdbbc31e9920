"""OpenAI's legacy completions over HTTP."""
