"""An application of Celery, whose broker and results are in the Redis that ``COMPAT_REDIS`` names."""

import os

import celery

app = celery.Celery("flower_tasks", broker=os.environ["COMPAT_REDIS"], backend=os.environ["COMPAT_REDIS"])
app.conf.update(
    worker_send_task_events=True,
    task_send_sent_event=True,
    task_track_started=True,
    broker_connection_retry_on_startup=True,
)


@app.task
def add(left, right):
    return left + right


@app.task
def fail():
    raise ValueError("it always fails")
