"""The page for people at `/`, the README, and the state of the proxy at `/health` and `/ready`.

Whoever shows no key where keys are set learns one word. No page loads anything;
its style and script are allowed by their digests.
Start with `page.py` (what stands in it), then `shell.html` (style and script), `main.html` and `words.py`.
"""
