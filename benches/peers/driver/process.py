"""Child processes: started in a group of their own, ended with it, their words kept for when they fail."""

import os
import queue
import signal
import subprocess
import tempfile
import threading
import time
from pathlib import Path

from driver import Broken

LINES_SHOWN = 20


def run(command: list[str], what: str, cwd: Path | None = None) -> str:
    """Runs a command to its end; its output, or what it said when it failed."""
    try:
        done = subprocess.run(command, cwd=cwd, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise Broken(f"{what}: {command[0]} is not installed") from error
    if done.returncode != 0:
        raise Broken(f"{what} failed:\n{last_lines(done.stdout + done.stderr)}")
    return done.stdout


def last_lines(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.strip().splitlines()[-LINES_SHOWN:])


class Child:
    """A process that says on standard output how far it is."""

    def __init__(self, name: str, command: list[str], cwd: Path | None = None, env: dict[str, str] | None = None):
        self.name = name
        self.errors = tempfile.TemporaryFile("w+")
        self.said: queue.Queue[str] = queue.Queue()
        self.output: list[str] = []
        try:
            self.process = subprocess.Popen(
                command,
                cwd=cwd,
                env=os.environ | (env or {}),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=self.errors,
                text=True,
                start_new_session=True,
            )
        except OSError as error:
            self.errors.close()
            raise Broken(f"{name} cannot be started: {error}") from error
        self.listener = threading.Thread(target=self._listen, daemon=True)
        self.listener.start()

    def _listen(self) -> None:
        for line in self.process.stdout:
            self.output.append(line.rstrip("\n"))
            self.said.put(self.output[-1])

    def words(self) -> str:
        self.errors.seek(0)
        return last_lines("\n".join(self.output) + "\n" + self.errors.read())

    def has_died(self) -> bool:
        return self.process.poll() is not None

    def expect_alive(self) -> None:
        if self.has_died():
            raise Broken(f"{self.name} ended with status {self.process.returncode}:\n{self.words()}")

    def wait_for(self, beginning: str, timeout_s: float) -> str:
        """The first line that begins so."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            try:
                line = self.said.get(timeout=0.1)
            except queue.Empty:
                if self.has_died() and self.said.empty():
                    break
                continue
            if line.startswith(beginning):
                return line
        self.expect_alive()
        raise Broken(f"{self.name} did not say `{beginning}` within {timeout_s:.0f} s:\n{self.words()}")

    def wait_for_end(self, timeout_s: float) -> str:
        """Everything it said until it ended, which must be well."""
        try:
            status = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired as error:
            raise Broken(f"{self.name} did not end within {timeout_s:.0f} s:\n{self.words()}") from error
        self.listener.join(5)
        if status != 0:
            self.expect_alive()
        return "\n".join(self.output)

    def stop(self, with_signal: int = signal.SIGTERM, timeout_s: float = 15) -> None:
        """Asks the process to end, then ends what is left of its group."""
        if not self.has_died():
            self.process.send_signal(with_signal)
            try:
                self.process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        self.listener.join(5)
        self.process.stdout.close()
        self.errors.close()
