"""The codec of the Claude Code process: frames in and out, and what they say."""
