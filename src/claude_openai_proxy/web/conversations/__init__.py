"""OpenAI's conversations over HTTP."""
