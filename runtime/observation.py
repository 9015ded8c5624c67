"""What one worker measures, traces and tells: nothing, unless its settings ask for it."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

from prometheus_client import start_http_server
from temporalio.client import Interceptor as ClientInterceptor
from temporalio.runtime import PrometheusConfig, Runtime, TelemetryConfig
from temporalio.worker import Interceptor as WorkerInterceptor

from runtime.measuring import MeasuringInterceptor, counting_effects, keep_standing
from runtime.metrics import WorkerFigures
from runtime.settings import Settings
from runtime.tracing import configure_tracing
from store.ports import Store


class Observation:
    """Metrics of this worker and its SDK, and its traces.

    Args:
        systems: task queue -> name of the system it serves.

    Raises `ValueError` for an address that is none, `CannotTrace` where the library for traces is missing.
    """

    def __init__(self, settings: Settings, systems: Mapping[str, str]) -> None:
        self._where = _address("FAIRLEAD_METRICS_ADDRESS", settings.metrics_address)
        self.figures = WorkerFigures(systems) if self._where else None
        self.observers: list[ClientInterceptor | WorkerInterceptor] = [*configure_tracing("fairlead-worker")]
        if self.figures is not None:
            self.observers.append(MeasuringInterceptor(self.figures))
        self.runtime = _sdk_runtime(settings)

    def over(self, store: Store) -> Store:
        """`store`, its effects counted."""
        return counting_effects(store, self.figures) if self.figures else store

    @asynccontextmanager
    async def told(self, store: Store, *, standing: bool) -> AsyncIterator[None]:
        """Answer Prometheus meanwhile; `standing` tells what stands open in the store too."""
        if self.figures is None or self._where is None:
            yield
            return
        host, port = self._where
        server, thread = start_http_server(port, host, registry=self.figures.registry)
        reading = asyncio.create_task(keep_standing(store, self.figures)) if standing else None
        try:
            yield
        finally:
            if reading is not None:
                reading.cancel()
                with suppress(asyncio.CancelledError):
                    await reading
            await asyncio.to_thread(server.shutdown)
            server.server_close()
            thread.join()


def _sdk_runtime(settings: Settings) -> Runtime | None:
    where = _address("FAIRLEAD_SDK_METRICS_ADDRESS", settings.sdk_metrics_address)
    if where is None:
        return None
    address = f"{where[0]}:{where[1]}"
    return Runtime(
        telemetry=TelemetryConfig(
            metrics=PrometheusConfig(bind_address=address, durations_as_seconds=True, unit_suffix=True)
        )
    )


def _address(setting: str, text: str | None) -> tuple[str, int] | None:
    """Host and port of `text`. Raises `ValueError`."""
    if not text:
        return None
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or int(port) > 65_535:
        raise ValueError(f"{setting} = {text!r} is no address; write host:port, such as 127.0.0.1:9464")
    return host.strip("[]"), int(port)
