"""TCP ports of this machine: free ones, and who holds a busy one."""

import socket
from contextlib import ExitStack

import psutil


def free_ports(count: int) -> list[int]:
    """`count` different loopback ports that nobody listened on a moment ago."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for listener in sockets:
            listener.bind(("127.0.0.1", 0))
        return [listener.getsockname()[1] for listener in sockets]


def holder(port: int) -> str:
    """Who listens on `port`, for a message: `process 4711 (nginx)`, or a plain word when hidden from us."""
    try:
        connections = psutil.net_connections(kind="tcp")
    except (psutil.Error, OSError):
        return "another program"
    for connection in connections:
        if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port == port:
            return _described(connection.pid)
    return "another program"


def _described(pid: int | None) -> str:
    if pid is None:
        return "another user's program"
    try:
        return f"process {pid} ({psutil.Process(pid).name()})"
    except psutil.Error:
        return f"process {pid}"
