"""Spans on their way to an OTLP receiver: OpenTelemetry sends them in a thread, and drops what waits too long."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.trace import SpanKind, Status, StatusCode, Tracer, set_span_in_context

from mynah import Hub, TurnOver, __version__
from mynah_metrics.spans import Span, span

log = logging.getLogger(__name__)

SEND_S: Final = 5.0
"""How long the receiver may take for a batch."""

END_S: Final = 3.0
"""How long the end of the hub waits for the last batch."""

MOST: Final = 2_048
"""Spans that wait; more are dropped, with a warning of the SDK's."""


async def export(hub: Hub, config: Mapping[str, Any], ready: Callable[[], None]) -> None:
    """Send a trace of every turn until cancelled."""
    exporter = OTLPSpanExporter(config["traces"], headers=dict(config["headers"]), timeout=SEND_S)
    with hub.bus.subscribe(TurnOver, name="traces", maxsize=MOST) as turns:
        provider = _provider(exporter, config["service"])
        try:
            tracer = provider.get_tracer("mynah", __version__)
            ready()
            async for event in turns:
                if (found := span(event)) is not None:
                    record(tracer, found)
        finally:
            await _shut(provider)


def _provider(exporter: SpanExporter, service: str) -> TracerProvider:
    resource = Resource.create({SERVICE_NAME: service, SERVICE_VERSION: __version__})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=MOST))
    return provider


async def _shut(provider: TracerProvider) -> None:
    try:
        async with asyncio.timeout(END_S):
            await asyncio.to_thread(provider.shutdown)
    except TimeoutError:
        log.warning("the last traces could not be sent within %g s", END_S)


def record(tracer: Tracer, turn: Span) -> None:
    """Hand a span and those below it to the SDK."""
    with _begun(tracer, turn, None) as context:
        for stage in turn.children:
            with _begun(tracer, stage, context):
                pass


@contextmanager
def _begun(tracer: Tracer, made: Span, context: Any) -> Iterator[Any]:
    begun = tracer.start_span(
        made.name, context, SpanKind.INTERNAL, attributes=dict(made.attributes), start_time=made.begin
    )
    if made.first is not None:
        begun.add_event("first result", timestamp=made.first)
    if made.error:
        begun.set_status(Status(StatusCode.ERROR, made.error))
    yield set_span_in_context(begun)
    begun.end(made.end)
