"""What the real CLI printed for one turn (see record_frames.py)."""

from pathlib import Path

RECORDED = Path(__file__).parent / "recorded"


def recorded(name: str) -> list[bytes]:
    """The lines of a recording."""
    return (RECORDED / f"{name}.jsonl").read_bytes().splitlines()
