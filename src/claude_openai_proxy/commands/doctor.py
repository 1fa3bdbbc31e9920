"""`doctor`: every check that an answer depends on, as a table or as JSON."""

import argparse
import asyncio
import sys
from datetime import UTC, datetime

from claude_openai_proxy.commands.colours import coloured
from claude_openai_proxy.commands.invocation import OK, PROBLEMS_FOUND, Invocation, add_settings_flags
from claude_openai_proxy.doctor.examination import examine
from claude_openai_proxy.doctor.report import as_json, as_table
from claude_openai_proxy.serving.streams import say

HELP = "check everything that an answer depends on"


def add_flags(parser: argparse.ArgumentParser) -> None:
    """What is checked, and how it is printed."""
    add_settings_flags(parser, "host", "port", "upstream")
    parser.add_argument("--no-request", action="store_true", help="do not send a small request to Claude")
    parser.add_argument("--json", action="store_true", help="print one JSON object instead of a table")


def run(invocation: Invocation) -> int:
    """Not OK where something is a problem."""
    arguments = invocation.arguments
    report = asyncio.run(
        examine(invocation.settings, with_request=not arguments.no_request, today=datetime.now(UTC).date())
    )
    table = as_json(report) if arguments.json else as_table(report)
    say(coloured(table.splitlines(), sys.stdout, invocation.environment))
    return OK if report.ok else PROBLEMS_FOUND
