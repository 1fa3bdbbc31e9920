"""The encoder of OpenAI's chat chunks and completions."""
