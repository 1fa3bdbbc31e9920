"""HTTP in the clients' dialect: doors, decoding, answers, event streams; knows nothing of Claude."""
