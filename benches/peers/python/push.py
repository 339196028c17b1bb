"""Sends to residents by number and records the answers."""

import asyncio
import json
import ssl
from typing import NamedTuple

import asyncpg
from aioapns import APNs, NotificationRequest, PushType
from aioapns.connection import APNsProductionClientProtocol, ChannelPool

import settings

# A task that comes again, because its worker died or somebody had no answer, sends only to those who are left.
WAITING = """
    select resident_no, device_token from recipient
    where resident_no = any($1::integer[])
      and not exists (select from outcome where outcome.resident_no = recipient.resident_no)
"""
RECORD = """
    insert into outcome (resident_no, status, apns_id, reason)
    select * from unnest($1::integer[], $2::smallint[], $3::uuid[], $4::text[])
    on conflict (resident_no) do nothing
"""
ANSWERED_WITHIN_S = 30


class Unanswered(Exception):
    """Some recipients have no final answer; the task comes again for them."""


class Answer(NamedTuple):
    """A row of outcomes."""

    resident_no: int
    status: int
    apns_id: str
    reason: str | None


def is_final(status: int) -> bool:
    """Whether APNs would answer the same again."""
    return status != 429 and status < 500


class Streams(ChannelPool):
    """The streams of one connection.

    APNs allows one stream on a new connection and announces more after the first valid request. aioapns takes 1,000 for granted
    until it has read that, and a request whose stream is refused never returns; and it counts two where the announcement comes
    while the first request is under way.
    """

    @property
    def bound(self) -> int:
        return self._bound_value

    @bound.setter
    def bound(self, streams: int) -> None:
        more, self._bound_value = streams - self._bound_value, streams
        for _ in range(more):
            self.release()
        self._value += min(more, 0)


def connect_to_apns() -> APNs:
    providers = json.loads(settings.PROVIDERS.read_text("utf-8"))
    addresses, credentials = providers["addresses"], providers["credentials"]
    server, port = addresses["apns"].split(":")

    # aioapns has no option for another server than Apple's.
    class Connection(APNsProductionClientProtocol):
        APNS_SERVER = server
        APNS_PORT = int(port)

        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.free_channels = Streams(1)

    apns = APNs(
        key=credentials["apns_key_p8"],
        key_id=credentials["apns_key_id"],
        team_id=credentials["apns_team_id"],
        topic=settings.MESSAGE["topic"],
        ssl_context=ssl.create_default_context(cadata=credentials["ca_pem"]),
    )
    apns.pool.protocol_class = Connection
    return apns


def request(device_token: str) -> NotificationRequest:
    message = settings.MESSAGE
    return NotificationRequest(
        device_token=device_token,
        message=message["payload"],
        time_to_live=message["expires_after_s"],
        priority=message["priority"],
        collapse_key=message["collapse_id"],
        push_type=PushType.ALERT,
    )


class Sender:
    """One connection pool to APNs and one connection to PostgreSQL."""

    def __init__(self, database: asyncpg.Connection, apns: APNs):
        self.database = database
        self.apns = apns

    @classmethod
    async def connect(cls) -> "Sender":
        return cls(await asyncpg.connect(settings.POSTGRES), connect_to_apns())

    async def close(self) -> None:
        self.apns.pool.close()
        await self.database.close()

    async def send(self, residents: list[int]) -> None:
        waiting = await self.database.fetch(WAITING, residents)
        if not waiting:
            return
        sending = [asyncio.create_task(self.send_one(recipient)) for recipient in waiting]
        done, late = await asyncio.wait(sending, timeout=ANSWERED_WITHIN_S)
        for task in late:
            task.cancel()
        answers = [task.result() for task in done if task.exception() is None and is_final(task.result().status)]
        if answers:
            await self.database.execute(RECORD, *map(list, zip(*answers)))
        if len(answers) < len(waiting):
            raise Unanswered(f"{len(waiting) - len(answers)} of {len(waiting)} without a final answer")

    async def send_one(self, recipient) -> Answer:
        result = await self.apns.send_notification(request(recipient["device_token"]))
        return Answer(recipient["resident_no"], int(result.status), result.notification_id, result.description)
