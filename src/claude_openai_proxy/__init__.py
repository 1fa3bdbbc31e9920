"""A server that speaks the OpenAI API and answers with Claude."""

__version__ = "0.1.0"
