"""Every test of this directory that asks for ``cluster`` runs twice: on the simulated Kafka and on a real one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.conformance.clusters import Cluster, SimulatedCluster
from wiesel.broker.fixtures import kafka

__all__ = ["cluster", "kafka"]


@pytest.fixture(params=["simulated", pytest.param("real", marks=pytest.mark.integration)])
def cluster(request: pytest.FixtureRequest, tmp_path: Path) -> Cluster:
    """A cluster."""
    if request.param == "simulated":
        return SimulatedCluster(seed=1)
    return Cluster(request.getfixturevalue("kafka").bootstrap_servers, tmp_path)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Let the cluster run the test: on a simulated one, in a simulated process."""
    found = pyfuncitem.funcargs.get("cluster")
    if not isinstance(found, Cluster):
        return None
    arguments = {name: pyfuncitem.funcargs[name] for name in pyfuncitem._fixtureinfo.argnames}
    found.run(lambda: pyfuncitem.obj(**arguments))
    return True
