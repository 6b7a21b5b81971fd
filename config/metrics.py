"""Where a monitoring system reads how the site does. What is read there holds counts and names of connections alone."""

from __future__ import annotations

from pydantic import Field

from config.declared import Declared, Line


class Metrics(Declared):
    """Where each process tells how it does: `/metrics` for Prometheus, `/healthz` (it lives) and `/readyz` (it can
    work)."""

    host: Line = Field(
        default="127.0.0.1",
        description="The address to listen on. No person is in what is told there; the names of councils and "
        "connections are, so keep it within your own network.",
        examples=["127.0.0.1"],
    )
    port: int = Field(
        default=9464, ge=0, le=65_535, description="The port; 0 takes a free one.", examples=[9464]
    )
