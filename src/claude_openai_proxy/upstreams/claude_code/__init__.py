"""The Claude Code CLI as a way to Claude."""

from claude_openai_proxy.upstreams.claude_code.upstream import ClaudeCode as ClaudeCode
