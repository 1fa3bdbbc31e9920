"""`python -m claude_openai_proxy` is the console command."""

import sys

from claude_openai_proxy.cli import main

if __name__ == "__main__":
    sys.exit(main())
