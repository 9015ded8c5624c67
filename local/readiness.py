"""Whether a started service does its work yet, asked from outside: by HTTP, by gRPC, by its polling."""

import socket

import httpx
from temporalio.api.enums.v1 import TaskQueueType
from temporalio.api.taskqueue.v1 import TaskQueue
from temporalio.api.workflowservice.v1 import DescribeTaskQueueRequest
from temporalio.client import Client
from temporalio.service import RPCError

from local.launch import Launch, ServiceName
from local.temporal_server import is_temporal
from runtime.connect import NoTemporal, connect

_HEALTH_PATHS = {"sandbox": "/_health", "gateway": "/readyz"}


async def not_ready(launch: Launch, name: ServiceName, pid: int) -> str:
    """Why the service cannot be used yet, or an empty text when it can."""
    if name == "temporal":
        address = launch.address(name)
        ready = await is_temporal(address, launch.settings.namespace)
        return "" if ready else f"no answer at {address}"
    if name == "worker":
        return await _not_polling(launch, pid)
    return await _not_healthy(launch.address(name) + _HEALTH_PATHS[name])


async def _not_healthy(url: str) -> str:
    try:
        async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
            answer = await client.get(url)
    except httpx.HTTPError as error:
        return f"no answer at {url} ({type(error).__name__})"
    return "" if answer.status_code == httpx.codes.OK else f"{url} answers {answer.status_code}"


async def _not_polling(launch: Launch, pid: int) -> str:
    """A worker has no port: it is ready once Temporal sees that process poll for workflow tasks."""
    try:
        client = await connect(launch.settings)
    except NoTemporal as error:
        return str(error)
    queue = launch.settings.own_queue
    try:
        identities = await _pollers(client, queue)
    except RPCError as error:
        return f"task queue {queue!r} cannot be read: {error.message}"
    here = f"{pid}@{socket.gethostname()}"
    return "" if any(here in identity for identity in identities) else f"not polling task queue {queue!r}"


async def _pollers(client: Client, queue: str) -> list[str]:
    answer = await client.workflow_service.describe_task_queue(
        DescribeTaskQueueRequest(
            namespace=client.namespace,
            task_queue=TaskQueue(name=queue),
            task_queue_type=TaskQueueType.TASK_QUEUE_TYPE_WORKFLOW,
        )
    )
    return [poller.identity for poller in answer.pollers]
