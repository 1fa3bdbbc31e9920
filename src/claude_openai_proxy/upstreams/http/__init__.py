"""A streaming HTTP/1.1 client for one job: long answers with many small pieces, at little cost per piece.

Knows nothing of Claude. What goes wrong is raised as the proxy's own upstream errors.
"""

from claude_openai_proxy.upstreams.http.address import URL
from claude_openai_proxy.upstreams.http.client import HTTPClient
from claude_openai_proxy.upstreams.http.dial import Dial
from claude_openai_proxy.upstreams.http.proxies import Proxies
from claude_openai_proxy.upstreams.http.request import Patience, Request
from claude_openai_proxy.upstreams.http.response import Response

__all__ = ["URL", "Dial", "HTTPClient", "Patience", "Proxies", "Request", "Response"]
