"""What every test shares: the hypothesis profiles, one printed seed, and the rule that CI skips nothing.

A test takes `seed` (or `rng`, seeded with it) wherever it wants chance; the seed is in the first lines of every run,
so that a failure can be repeated with DOLEN_TEST_SEED. Nothing here builds parts of Dolen: each room has its fixtures.
"""

import os
import random
from collections.abc import Generator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings

# Some test files load these as plugins, and others import from them: whichever comes first, pytest must know of them.
pytest.register_assert_rewrite("tests.pipelines.pieces", "tests.pipelines.alerted")

IN_CI = os.environ.get("CI", "").lower() == "true"

# CI proves the same thing each time it is asked, so that a red run is about the change and not about luck. At a desk
# every run tries something new; `long` is the search before a release (HYPOTHESIS_PROFILE=long).
settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True, max_examples=100)
settings.register_profile("desk", deadline=None, print_blob=True, max_examples=100)
settings.register_profile(
    "long",
    deadline=None,
    print_blob=True,
    max_examples=5_000,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate, Phase.target, Phase.shrink],
)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "ci" if IN_CI else "desk")
settings.load_profile(PROFILE)

CI_SEED = 20_260_101  # any number will do, as long as it stays
SEED = int(os.environ.get("DOLEN_TEST_SEED") or (CI_SEED if IN_CI else random.SystemRandom().randrange(10**9)))


def pytest_report_header() -> list[str]:
    """Say what this run's chance was made from, and how to have the same again."""
    return [f"chance: DOLEN_TEST_SEED={SEED} HYPOTHESIS_PROFILE={PROFILE}"]


@pytest.fixture(scope="session", autouse=True)
def _own_caches(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Let nothing that a test runs write into, or read from, the caches of whoever runs it."""
    os.environ["LOCALAPPDATA" if os.name == "nt" else "XDG_CACHE_HOME"] = str(tmp_path_factory.mktemp("caches"))


@pytest.fixture
def seed() -> int:
    """This run's seed, for a generator or for a child process."""
    return SEED


@pytest.fixture
def rng(seed: int, request: pytest.FixtureRequest) -> random.Random:
    """Chance that depends on the seed and the test alone, so that it is the same whichever tests run beside it."""
    return random.Random(f"{seed} {request.node.nodeid}")


#: A fixture of which a machine has one, and those of a whole session that are dear to make.
ONCE, DEAR = "rabbitmq", ("in_step",)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where tests are shared out over several processes, those of a file that share a fixture go to one of them, in
    their order: what is dear is made once, and what the first of them does there the others find."""
    for item in items:
        if (group := _group(item)) and item.get_closest_marker("xdist_group") is None:
            item.add_marker(pytest.mark.xdist_group(group))


def _group(item: Any) -> str:
    """What names the tests that belong to one process; nothing where any process will do."""
    known = getattr(item, "_fixtureinfo", None)
    makers = known.name2fixturedefs if known is not None else {}
    if ONCE in makers:
        return ONCE
    scopes = {name: made[-1].scope for name, made in makers.items()}
    shared = [name for name, scope in scopes.items() if scope == "module" or (scope == "session" and name in DEAR)]
    if not shared:
        return ""
    given = item.callspec.params if hasattr(item, "callspec") else {}
    # A fixture with parameters is another one for each: in the conformance suite, one for each product.
    which = [str(given[name]) for name in sorted(shared) if makers[name][-1].params and name in given]
    return " ".join([item.nodeid.partition("::")[0], *which])


SKIPPED_IN_CI = "In CI nothing is skipped: .ci/run provides every server that a test needs. This one was skipped: "


def _refuse_skip(report: Any) -> None:
    if IN_CI and report.skipped and not hasattr(report, "wasxfail"):
        reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        report.outcome = "failed"
        report.longrepr = SKIPPED_IN_CI + reason


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn a skipped test into a failed one when CI asks."""
    report = yield
    _refuse_skip(report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Do the same for a file that skips itself whole."""
    report = yield
    _refuse_skip(report)
    return report
