"""What a client needs of the proxy, tried on one that runs: small requests, each with a verdict.

Rules: a case speaks HTTP as a client does and knows nothing of the proxy's inside; a verdict holds nothing that was
asked or answered, so that a report of it can be shown to anybody. Start reading with `cases.py`.
"""
