"""The Celery application: one task sends to some hundred recipients and records what APNs answered about each."""

import asyncio

from celery import Celery
from celery.signals import worker_process_init, worker_process_shutdown, worker_ready
from kombu import Exchange, Queue

import settings
from push import Sender

QUEUE = Queue(settings.QUEUE, Exchange(settings.QUEUE, type="direct"), routing_key=settings.QUEUE)

app = Celery("service", broker=settings.RABBITMQ)
app.conf.update(
    task_queues=[QUEUE],
    task_default_queue=settings.QUEUE,
    task_ignore_result=True,
    # A task sends only to those without an outcome, so it may run again: acknowledged when done, reserved one at a time.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    task_time_limit=120,
    broker_transport_options={"confirm_publish": True},
    broker_connection_retry_on_startup=True,
    # Nothing of this run but its queue is left in RabbitMQ.
    worker_enable_remote_control=False,
    # What a worker prints goes to standard output, not into its log.
    worker_redirect_stdouts=False,
)

loop: asyncio.AbstractEventLoop
sender: Sender


@worker_process_init.connect
def connect(**_):
    """Each process of the pool has its own event loop, its own connections to APNs and to PostgreSQL."""
    global loop, sender
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    sender = loop.run_until_complete(Sender.connect())


@worker_process_shutdown.connect
def disconnect(**_):
    loop.run_until_complete(sender.close())


@worker_ready.connect
def ready(**_):
    print("ready", flush=True)


@app.task(name="send", autoretry_for=(Exception,), max_retries=5, retry_backoff=True)
def send(residents):
    loop.run_until_complete(sender.send(residents))
