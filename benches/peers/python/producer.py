"""Reads the audience and enqueues it: one task for every few hundred recipients, named by number."""

import asyncio
import sys
import time

import asyncpg

import settings
from service import QUEUE, app, send

PAGE = 10_000
NEXT_PAGE = "select resident_no from recipient where resident_no > $1 order by resident_no limit $2"


async def enqueue_everybody() -> None:
    database = await asyncpg.connect(settings.POSTGRES)

    async def page(after: int) -> list[int]:
        return [resident for (resident,) in await database.fetch(NEXT_PAGE, after, PAGE)]

    with app.producer_or_acquire() as producer:
        residents = await page(0)
        print(f"enqueue {time.time()}", flush=True)
        while residents:
            for start in range(0, len(residents), settings.RECIPIENTS_PER_TASK):
                send.apply_async((residents[start : start + settings.RECIPIENTS_PER_TASK],), producer=producer)
            residents = await page(residents[-1])
    await database.close()


def forget_queue() -> None:
    """Removes what this run declared in RabbitMQ."""
    with app.connection_for_write() as connection, connection.channel() as channel:
        queue = QUEUE.bind(channel)
        queue.delete()
        queue.exchange.delete()


if __name__ == "__main__":
    if sys.argv[1:] == ["forget"]:
        forget_queue()
    else:
        asyncio.run(enqueue_everybody())
