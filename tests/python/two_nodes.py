# SPDX-License-Identifier: Apache-2.0
"""A Ray cluster of two nodes on this machine, and ways to kill parts of it."""
from __future__ import annotations

import inspect
import os
import pathlib
import signal
import socket
import time
from typing import Any, Callable, Iterable

SOURCE = pathlib.Path(__file__).resolve().parents[2]
DEADLINE_SECONDS = 240.0

# Before anything of Ray starts. Deaths are noticed within seconds; slowness of a busy machine isn't taken for one.
os.environ.update(RAY_USAGE_STATS_ENABLED="0", RAY_health_check_initial_delay_ms="5000", RAY_health_check_period_ms="1000",
                  RAY_health_check_timeout_ms="10000", RAY_health_check_failure_threshold="5",
                  RAY_worker_register_timeout_seconds="240", RAY_agent_register_timeout_ms="240000",
                  RAY_DATA_DISABLE_PROGRESS_BARS="1", RAY_DATA_PARQUET_FOOTER_NUM_ACTORS="1",
                  RAY_SERVE_PROXY_READY_CHECK_TIMEOUT_S="120", RAY_DASHBOARD_STARTUP_TIMEOUT_S="240")
os.environ.setdefault("RAY_worker_niceness", "0")  # Ray's 15 lets a busy machine starve them


def wait_until(condition: Callable[[], Any], what: str) -> Any:
    """The condition's value, as soon as it is true."""
    end = time.monotonic() + DEADLINE_SECONDS
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < end, f"not within {DEADLINE_SECONDS} s: {what}"
        time.sleep(0.02)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def node() -> dict[str, Any]:
    """As few processes as can be. With ports chosen here it needn't wait for its agents to choose theirs."""
    agents = ("metrics_agent_port", "metrics_export_port", "dashboard_agent_listen_port", "runtime_env_agent_port")
    return {"num_cpus": 2, "object_store_memory": 80 << 20, "include_log_monitor": False, **{name: free_port() for name in agents}}


def tell_ports_beforehand() -> None:
    """A node waits for its agent to write down on which port it listens, and dies after 15 seconds; no option changes that.
    On a busy machine the agent, which imports half of Ray, takes longer. But its port is known: node() has chosen it."""
    from ray import _raylet
    from ray._private import services

    start = services.start_raylet
    if start.__module__ == __name__ or not hasattr(_raylet, "persist_port"):
        return

    def start_raylet(*arguments: Any, **keywords: Any) -> Any:
        given = inspect.signature(start).bind(*arguments, **keywords).arguments
        _raylet.persist_port(given["session_dir"], given["node_id"], _raylet.DASHBOARD_AGENT_LISTEN_PORT_NAME,
                             given["dashboard_agent_listen_port"])
        return start(*arguments, **keywords)

    services.start_raylet = start_raylet


def patiently(start: Callable[[], Any]) -> Any:
    """Ray gives a node 30 seconds to start, which a busy machine may not have for it."""
    tell_ports_beforehand()
    for _ in range(5):
        before = processes(os.getpid())
        try:
            return start()
        except Exception as why:
            print(f"Ray didn't start: {why}")
            kill(processes(os.getpid()).keys() - before.keys())  # what is left of the attempt
    return start()


def kill(pids: Iterable[int]) -> None:
    """These and all below them: the agents of a node outlive it for minutes, and make the machine busier."""
    for pid in pids:
        below = processes(pid)
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass  # it has ended meanwhile
        kill(below)


def processes(parent: int) -> dict[int, str]:
    """What a process has started, by its id, with the names that they give themselves."""
    found = {}
    for folder in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1]) == parent:
                found[int(folder.name)] = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
        except OSError:
            pass  # it has ended meanwhile
    return found


class TwoNodes:
    def __init__(self) -> None:
        import ray
        from ray.cluster_utils import Cluster

        self.cluster = patiently(lambda: Cluster(initialize_head=True, head_node_args={
            **node(), "include_dashboard": False, "no_monitor": True}))
        self.address = self.cluster.address
        self.second: Any = None
        self.add_second()
        ray.init(address=self.address, log_to_driver=False, logging_level="error")

    def shutdown(self) -> None:
        import ray

        ray.shutdown()
        self.cluster.shutdown()

    def add_second(self) -> None:
        if self.second is None:
            self.second = patiently(lambda: self.cluster.add_node(**node()))
            self.cluster.wait_for_nodes(timeout=DEADLINE_SECONDS)

    def kill_second(self) -> None:
        """The node and all that runs on it, without a word."""
        node, self.second = self.second, None
        kill([node.all_processes["raylet"][0].process.pid])
        self.cluster.remove_node(node, allow_graceful=False)

    def on_node(self, node: Any, name: str) -> set[int]:
        """Process ids of the actors of a class on a node."""
        raylet = node.all_processes["raylet"][0].process.pid
        return {pid for pid, title in processes(raylet).items() if title.startswith("ray::") and name in title}

    def actors(self, name: str) -> set[int]:
        nodes = [self.cluster.head_node, *([self.second] if self.second else [])]
        return {pid for node in nodes for pid in self.on_node(node, name)}
