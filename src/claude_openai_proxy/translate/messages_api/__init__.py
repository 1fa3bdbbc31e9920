"""Claude's own side: conversation, events, the answer's blocks, repairs, continuation, in nobody's shape."""
