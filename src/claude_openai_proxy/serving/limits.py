"""What one connection, and all of them together, may take: bytes, seconds and numbers."""

from dataclasses import dataclass

KIB = 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """Times in seconds, sizes in bytes. Only `client_stall_seconds` is a setting; the rest suits every installation."""

    head_bytes: int = 64 * KIB
    """Request line and headers together; as much again for the framing and trailers of a body in chunks."""
    url_bytes: int = 16 * KIB
    head_seconds: float = 10.0
    """From the connection, or from the first byte of a later request, to the end of the head."""
    keep_alive_seconds: float = 75.0
    """Longer than the clients keep an idle connection: rarely is it us who close one while a request comes in."""
    client_stall_seconds: float = 60.0
    """How long a client may take nothing of an answer that waits for it."""
    unread_bytes: int = 64 * KIB
    """Of a body that the application has not taken yet, or of a request that waits behind a running answer."""
    pipelined: int = 16
    """Requests on one connection that are not answered yet."""
    linger_seconds: float = 10.0
    linger_bytes: int = 64 * KIB * KIB
    """What is still read of a refused request: closing at once would tear the answer from the client's hands."""
    half_sent_seconds: float = 2.0
    """How long a body may still take to arrive once the server is told to stop."""
    strangers: int = 256
    """Connections of one address on which no request has passed the doors yet."""
    stranger_seconds: float = 1.0
    """Such a connection is not closed for a newer one before it has had this long to send its request."""
    most_connections: int = 16_384
    """All of them; lower where the system gives fewer descriptors."""
    message_bytes: int = 0
    """Of one WebSocket message; 0: there are no WebSockets."""
    sweep_seconds: float = 1.0
    """How often deadlines are looked at: one look at all connections costs less than a timer for each request."""
