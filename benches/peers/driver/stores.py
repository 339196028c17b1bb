"""PostgreSQL with a scratch database, Redis and RabbitMQ: whether they answer, what they are, and nothing left behind."""

import socket
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

from driver import Broken
from driver.process import run

AUDIENCE = Path(__file__).parent.parent / "audience.sql"


class Postgres:
    """A scratch database with an audience."""

    def __init__(self, url: str, name: str, recipients: int):
        self.server, self.name, self.recipients = url, name, recipients
        self.url = urlsplit(url)._replace(path=f"/{name}").geturl()
        self._query(self.server, "select 1", "PostgreSQL does not answer: asking it")

    def __enter__(self) -> "Postgres":
        self._query(self.server, f'create database "{self.name}"', "making a scratch database")
        try:
            script = ["-v", f"recipients={self.recipients}", "-f", str(AUDIENCE)]
            run([*self._psql(self.url), *script], "writing the audience")
            self.session = subprocess.Popen(
                self._psql(self.url), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, bufsize=1
            )
        except BaseException:
            self._drop()
            raise
        return self

    def __exit__(self, *_) -> None:
        self.session.communicate("\\q\n")
        self._drop()

    def _drop(self) -> None:
        self._query(self.server, f'drop database if exists "{self.name}" with (force)', "dropping the scratch database")

    def forget_outcomes(self) -> None:
        self._query(self.url, "truncate outcome; checkpoint", "forgetting outcomes")

    def outcomes(self) -> int:
        """How many recipients have a durable outcome."""
        self.session.stdin.write("select count(*) from outcome;\n")
        self.session.stdin.flush()
        answer = self.session.stdout.readline().strip()
        if not answer.isdecimal():
            raise Broken(f"PostgreSQL does not count outcomes: {answer or 'psql has ended'}")
        return int(answer)

    def accepted(self) -> int:
        """For how many recipients the outcome is that APNs took the message."""
        return int(self._query(self.url, "select count(*) from outcome where status = 200", "counting outcomes"))

    def described(self) -> str:
        asked = "select concat_ws(' ', split_part(current_setting('server_version'), ' ', 1), 'fsync', current_setting('fsync'))"
        return self._query(self.server, asked, "asking PostgreSQL").strip()

    @staticmethod
    def _psql(url: str) -> list[str]:
        return ["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", url]

    def _query(self, url: str, sql: str, what: str) -> str:
        words = [word for statement in sql.split("; ") for word in ("-c", statement)]
        return run([*self._psql(url), *words], what)


class Redis:
    """Keys under one prefix."""

    def __init__(self, url: str, prefix: str):
        self.url, self.prefix = url, prefix
        if self._ask("ping").strip() != "PONG":
            raise Broken("Redis does not answer PING")

    def forget(self) -> None:
        """Removes all keys under the prefix."""
        keys = self._ask("--scan", "--pattern", f"{self.prefix}:*").split()
        for start in range(0, len(keys), 500):
            self._ask("unlink", *keys[start : start + 500])

    def described(self) -> str:
        version = next(line for line in self._ask("info", "server").splitlines() if line.startswith("redis_version:"))
        persistence = self._ask("config", "get", "appendonly").split()[-1]
        return f"{version.partition(':')[2].strip()} appendonly {persistence}"

    def _ask(self, *words: str) -> str:
        return run(["redis-cli", "--no-auth-warning", "-u", self.url, *words], "Redis does not answer: asking it")


def rabbitmq_version(url: str) -> str:
    """What the broker says when greeted (AMQP 0-9-1 §4.2.2): its Start method names product and version."""
    parts = urlsplit(url)
    address = (parts.hostname or "127.0.0.1", parts.port or 5672)
    try:
        with socket.create_connection(address, timeout=5) as connection:
            connection.sendall(b"AMQP\x00\x00\x09\x01")
            start = connection.recv(4096)
    except OSError as error:
        raise Broken(f"RabbitMQ does not answer on {address[0]}:{address[1]}: {error}") from error
    _, found, after = start.partition(b"\x07versionS")
    if not found:
        raise Broken(f"what answers on {address[0]}:{address[1]} is not RabbitMQ")
    length = int.from_bytes(after[:4])
    return after[4 : 4 + length].decode()
