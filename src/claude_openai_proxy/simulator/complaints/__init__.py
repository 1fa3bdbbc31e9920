"""What the real API refuses, one function each: None, or the words it refuses with."""
