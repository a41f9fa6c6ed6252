"""`/metrics`, as Prometheus and those that read its format ask for it."""

from __future__ import annotations

from typing import Any

from mynah import Hub, RouteSpec


async def metrics(hub: Hub, request: Any) -> Any:
    """Answer in the format that the caller prefers: OpenMetrics, or the older text format."""
    from aiohttp import web
    from prometheus_client import exposition

    from mynah_metrics.families import Figures

    encode, content_type = exposition.choose_encoder(request.headers.get("Accept", ""))
    # Not by `content_type=`: aiohttp takes no parameters in it.
    return web.Response(body=encode(Figures(hub)), headers={"Content-Type": content_type})


ROUTE = RouteSpec(
    name="metrics", method="GET", path="/metrics", handle=metrics, access="viewer", summary="Figures for Prometheus"
)
