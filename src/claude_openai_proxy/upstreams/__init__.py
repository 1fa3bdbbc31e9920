"""The ways to Claude; knows nothing of OpenAI."""
