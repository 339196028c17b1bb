"""The peers: how each is installed, started and cleaned up after, and one measured run."""

import hashlib
import json
import re
import shutil
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from driver import Broken
from driver.process import Child, run
from driver.simulator import Simulator
from driver.stores import Postgres

HERE = Path(__file__).parent.parent
READY_WITHIN_S = 60
# Longest time without one more outcome.
STALLED_AFTER_S = 45


@dataclass
class Run:
    """One measured run: from the enqueue of the first job to the last durable outcome."""

    recipients: int
    seconds: float
    lost: int
    duplicates: int
    refused: dict[str, int] = field(default_factory=dict)

    @property
    def per_second(self) -> float:
        return self.recipients / self.seconds


@dataclass
class Peer:
    name: str
    versions: dict[str, str]
    directory: Path
    # Processes that take jobs; each says `ready`.
    workers: list[list[str]]
    # The process that enqueues; it says `enqueue` and the time in seconds since 1970 before it enqueues the first job.
    producer: list[str]
    environment: dict[str, str]
    # Removes what a run leaves in the broker.
    forget: Callable[[], object]

    def measure(self, database: Postgres, simulator: Simulator, timeout_s: float) -> Run:
        database.forget_outcomes()
        simulator.reset()
        with ExitStack() as stack:
            stack.callback(self.forget)
            workers = [self._start(stack, f"worker {at}", command) for at, command in enumerate(self.workers, 1)]
            for worker in workers:
                worker.wait_for("ready", READY_WITHIN_S)
            producer = self._start(stack, "producer", self.producer)
            began = float(producer.wait_for("enqueue", READY_WITHIN_S).split()[1])
            ended = self._wait_for_outcomes(database, simulator, workers, producer, began + timeout_s)
            producer.wait_for_end(READY_WITHIN_S)
        # Only now: a job that ran twice would show while the workers stop.
        return self._judge(database, simulator, ended - began)

    def _start(self, stack: ExitStack, what: str, command: list[str]) -> Child:
        child = Child(f"{self.name}, {what}", command, self.directory, self.environment)
        stack.callback(child.stop)
        return child

    def _wait_for_outcomes(
        self, database: Postgres, simulator: Simulator, workers: list[Child], producer: Child, deadline: float
    ) -> float:
        """When the last outcome was there. Asks seldom in the beginning and often towards the end."""
        began, progress, before = time.time(), time.time(), 0
        while (outcomes := database.outcomes()) < database.recipients:
            now = time.time()
            for child in (*workers, simulator.child):
                child.expect_alive()
            if producer.has_died() and producer.process.returncode != 0:
                producer.expect_alive()
            if outcomes > before:
                progress, before = now, outcomes
            if now > deadline or now - progress > STALLED_AFTER_S:
                words = "\n".join(child.words() for child in workers)
                raise Broken(f"{self.name} hangs with {outcomes} of {database.recipients} outcomes:\n{words}")
            left_s = (database.recipients - outcomes) * (now - began) / max(outcomes, 1)
            time.sleep(min(max(left_s / 4, 0.02), 1.0))
        return time.time()

    def _judge(self, database: Postgres, simulator: Simulator, seconds: float) -> Run:
        seen, accepted, wanted = simulator.seen_at_rest(), database.accepted(), database.recipients
        measured = Run(wanted, seconds, wanted - seen.recipients, seen.duplicates, seen.refused)
        if (seen.accepted, seen.recipients, seen.duplicates, accepted) != (wanted, wanted, 0, wanted):
            raise Broken(
                f"{self.name}: of {wanted} recipients APNs reached {seen.recipients} with {seen.accepted} messages "
                f"({seen.duplicates} duplicates, refused {seen.refused or 'none'}); {accepted} outcomes say accepted"
            )
        return measured


def installed(lock: Path, into: Path, install: Callable[[], object]) -> None:
    """Installs unless what stands there was installed from this very lock file."""
    stamp, wanted = into / ".installed-from", hashlib.sha256(lock.read_bytes()).hexdigest()
    if not stamp.is_file() or stamp.read_text() != wanted:
        print(f"installing {lock.relative_to(HERE)} …", file=sys.stderr, flush=True)
        install()
        stamp.write_text(wanted)


def node(database_url: str, redis_url: str, prefix: str, providers: Path, forget: Callable[[], object]) -> Peer:
    """BullMQ and node-apn: one producer, two worker processes."""
    directory, lock = HERE / "node", HERE / "node" / "package-lock.json"
    version = run(["node", "--version"], "the Node peer needs Node.js").strip().removeprefix("v")
    if int(version.split(".")[0]) < 20:
        raise Broken(f"the Node peer needs Node.js 20 or newer, this is {version}")
    # Nothing in the lock needs its install script: native parts come built.
    ci = ["npm", "ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund"]
    installed(lock, directory / "node_modules", lambda: run(ci, "npm ci", directory))
    packages = json.loads(lock.read_text())["packages"]
    named = {name: packages[f"node_modules/{name}"]["version"] for name in ("bullmq", "@parse/node-apn")}
    return Peer(
        name="BullMQ, node-apn",
        versions=named | {"node": version},
        directory=directory,
        workers=[["node", "worker.js"]] * 2,
        producer=["node", "producer.js"],
        environment={
            "NODE_ENV": "production",
            "PEER_POSTGRES": database_url,
            "PEER_REDIS": redis_url,
            "PEER_QUEUE": prefix,
            "PEER_PROVIDERS": str(providers),
        },
        forget=forget,
    )


def python(database_url: str, rabbitmq_url: str, queue: str, providers: Path) -> Peer:
    """Celery on RabbitMQ and aioapns: one producer, one worker with a pool of two processes."""
    directory, lock = HERE / "python", HERE / "python" / "requirements.lock"
    environment = directory / ".venv"
    interpreter = environment / "bin" / "python"

    def install() -> None:
        shutil.rmtree(environment, ignore_errors=True)
        run([sys.executable, "-m", "venv", str(environment)], "making a Python environment")
        run([str(interpreter), "-m", "pip", "install", "-q", "--require-hashes", "-r", str(lock)], "pip install")

    installed(lock, environment, install)
    pinned = dict(re.findall(r"^([a-z0-9-]+)==(\S+)", lock.read_text(), re.MULTILINE))
    variables = {
        "PYTHONUNBUFFERED": "1",
        "PEER_POSTGRES": database_url,
        "PEER_RABBITMQ": rabbitmq_url,
        "PEER_QUEUE": queue,
        "PEER_PROVIDERS": str(providers),
    }

    def forget() -> None:
        child = Child("removing the queue", [str(interpreter), "producer.py", "forget"], directory, variables)
        try:
            child.wait_for_end(READY_WITHIN_S)
        finally:
            child.stop()

    worker = "-m celery -A service worker --pool prefork --concurrency 2 --loglevel WARNING"
    # Workers that tell each other how they are; it would also leave an exchange in RabbitMQ.
    alone = "--without-gossip --without-mingle --without-heartbeat"
    return Peer(
        name="Celery, aioapns",
        versions={name: pinned[name] for name in ("celery", "aioapns")} | {"python": ".".join(map(str, sys.version_info[:3]))},
        directory=directory,
        workers=[[str(interpreter), *worker.split(), *alone.split()]],
        producer=[str(interpreter), "producer.py"],
        environment=variables,
        forget=forget,
    )
