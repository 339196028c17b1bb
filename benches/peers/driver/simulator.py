"""The simulated APNs: the same process, in the same mode, for every peer."""

import json
import signal
import tempfile
import time
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

from driver import Broken
from driver.process import Child

STARTED_WITHIN_S = 20
ANY_PORT = [word for port in ("apns", "fcm", "oauth", "smpp", "control") for word in (f"--{port}-port", "0")]


@dataclass
class Seen:
    """What APNs saw since the last reset."""

    accepted: int
    recipients: int
    # Messages beyond the first to the same recipient, under whatever collapse id.
    duplicates: int
    refused: dict[str, int]


class Simulator:
    def __init__(self, fenghuo: Path, options: list[str]):
        if not fenghuo.is_file():
            raise Broken(f"{fenghuo} is missing: `make build` makes it, --binary or FENGHUO_BINARY names another")
        self.options = options
        self.directory = tempfile.TemporaryDirectory(prefix="fenghuo-peers-")
        self.file = Path(self.directory.name) / "providers.json"
        command = [str(fenghuo), "simulate-providers", "--directory", self.directory.name, *ANY_PORT, *options]
        try:
            self.child = Child("the simulator", command)
        except Broken:
            self.directory.cleanup()
            raise

    def __enter__(self) -> "Simulator":
        try:
            self.child.wait_for("keys", STARTED_WITHIN_S)
            self.control = f"http://{json.loads(self.file.read_text())['addresses']['control']}"
            self.reset()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_) -> None:
        self.child.stop(signal.SIGINT)
        self.directory.cleanup()

    def reset(self) -> None:
        """Forgets what arrived."""
        self._ask("/reset", method="POST")

    def seen(self) -> Seen:
        apns = json.loads(self._ask("/stats"))["apns"]
        return Seen(apns["accepted"], apns["recipients"], apns["duplicates"] + apns["repeats"], apns["refused"])

    def seen_at_rest(self) -> Seen:
        """The same, once a quarter of a second has brought nothing new."""
        before = self.seen()
        while True:
            time.sleep(0.25)
            now = self.seen()
            if now == before:
                return now
            before = now

    def _ask(self, path: str, method: str = "GET") -> bytes:
        try:
            with urllib.request.urlopen(urllib.request.Request(self.control + path, method=method), timeout=10) as answer:
                return answer.read()
        except (urllib.error.URLError, TimeoutError) as error:
            self.child.expect_alive()
            raise Broken(f"the simulator does not answer {path}: {error}") from error
