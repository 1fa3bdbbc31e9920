"""The pages for people at `/` and `/usage`, the README, and the state of the proxy at `/health` and `/ready`.

Whoever shows no key where keys are set learns one word. No page loads anything;
its style and script are allowed by their digests.
Start with `page.py` (what stands in it), then `shell.html` (style and script), `main.html` and `words.py`; for usage
with `usage.py` (who gets in), then `usage_blocks.py`, `charts.py`, `usage.html` and `usage_words.py`.
"""
