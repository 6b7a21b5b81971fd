"""Three doors for machines: `/metrics`, `/healthz`, `/readyz`. They take nothing, and nobody is in what they tell.

`routes` can be mounted beside the pages; `dolen run`, `work` and `schedule` serve them at `metrics` in dolen.yaml.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from pipelines import figures, figures_as, readiness
from pipelines.clock import SECOND
from pipelines.logs import warn
from pipelines.measures import BOUNDS, FIGURES, Measures, Sample
from pipelines.plant import Plant

_HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_COUNTERS = frozenset({"dolen_tries"})
#: What residents were told is counted over so many days, and counted anew after so long: it reads all of the news.
OUTCOME_DAYS, _OUTCOMES_EVERY = 90, 3_600 * SECOND


class Gauges:
    """The figures of one plant, in Prometheus' own text."""

    def __init__(self, plant: Plant, data: Path) -> None:
        self._plant = plant
        self._outcomes, self._counted_at = b"", -_OUTCOMES_EVERY
        self._measures = Measures(plant, data)
        self._registry = CollectorRegistry(auto_describe=False)
        ProcessCollector(registry=self._registry)  # memory, files and time of this process
        self._registry.register(self)

    def collect(self) -> Iterator[Metric]:
        """What a registry asks of a collector."""
        samples = self._measures.take()
        for figure in FIGURES.values():
            yield _family(figure.name, [one for one in samples if one.figure is figure])

    def text(self) -> bytes:
        """All of it, as it is read."""
        return generate_latest(self._registry) + self._told()

    def _told(self) -> bytes:
        """What `dolen outcomes --prometheus` prints, counted at most once an hour."""
        now = self._plant.clock.now()
        if not 0 <= now - self._counted_at < _OUTCOMES_EVERY:
            since = now - OUTCOME_DAYS * 86_400 * SECOND
            found = [figures.figures(self._plant, code, since=since, until=now + 1) for code in self._plant.councils]
            self._outcomes, self._counted_at = figures_as.as_prometheus(found).encode(), now
        return self._outcomes


def _family(name: str, samples: Iterable[Sample]) -> Metric:
    figure = FIGURES[name]
    if figure.histogram:
        histogram = HistogramMetricFamily(name, figure.says, labels=figure.labels)
        for one in samples:
            bounds = [*(str(bound) for bound in BOUNDS), "+Inf"]
            histogram.add_metric(one.labels, list(zip(bounds, one.buckets, strict=True)), one.value)
        return histogram
    made = CounterMetricFamily if name in _COUNTERS else GaugeMetricFamily
    family = made(name, figure.says, labels=figure.labels)
    for one in samples:
        family.add_metric(one.labels, one.value)
    return family


def routes(plant: Plant, data: Path | None = None) -> list[Route]:
    """The doors. Without `data`, the folder that Dolen writes in, there is none to the figures."""
    pool = ThreadPoolExecutor(1, thread_name_prefix="gauges")  # one look at a time, whoever asks how often
    gauges = Gauges(plant, data) if data is not None else None

    async def metrics(_request: Request) -> Response:
        assert gauges is not None
        try:
            body = await asyncio.get_running_loop().run_in_executor(pool, gauges.text)
        except Exception as fault:  # of the database: its own words are not for the wire
            warn("metrics_fault", error=type(fault).__name__)
            return PlainTextResponse("the ledger does not answer\n", 503, _HEADERS)
        return Response(body, 200, _HEADERS, CONTENT_TYPE_LATEST)

    async def healthz(_request: Request) -> Response:
        lives = readiness.lives(plant)
        return PlainTextResponse("lives\n" if lives else "must end\n", 200 if lives else 503, _HEADERS)

    async def readyz(_request: Request) -> Response:
        found = await asyncio.get_running_loop().run_in_executor(pool, readiness.ready, plant)
        well = not any(found.values())
        checks = {name: words or "ok" for name, words in found.items()}
        return JSONResponse({"ready": well, "checks": checks}, 200 if well else 503, _HEADERS)

    doors = [Route("/healthz", healthz, methods=["GET"]), Route("/readyz", readyz, methods=["GET"])]
    return doors if gauges is None else [Route("/metrics", metrics, methods=["GET"]), *doors]


def application(plant: Plant, data: Path) -> Starlette:
    """The three doors by themselves."""
    return Starlette(routes=routes(plant, data))
