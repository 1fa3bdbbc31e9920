"""The reader of OpenAI's chat request."""
