"""Pure, synchronous, deterministic translation between the two APIs."""
