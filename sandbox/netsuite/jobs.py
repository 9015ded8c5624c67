"""Asynchronous calls: `/services/rest/async/v1/job`.

Source: SuiteTalk REST, asynchronous requests: 202 with the job's Location; a second request under the same
`X-NetSuite-Idempotency-Key` answers 400 IDEMPOTENCY_ERROR with the Location of the first job. A job has one
task per record; a task's result is what the synchronous call would have answered.

The work is done at submission; a job reports `pending` to the first question and `succeeded` afterwards, so
that a client has to poll.
"""

from collections.abc import Sequence
from typing import Any

from sandbox.core.call import Answer, Call, Refused
from sandbox.core.records import Index, Record, RecordStore
from sandbox.netsuite.errors import error, not_found
from sandbox.netsuite.representation import counts, second
from sandbox.netsuite.writes import Write, Writer

PATH = "/services/rest/async/v1/job"
_JOBS = "asyncJob"


def define(store: RecordStore) -> None:
    """Declare the index by which a repeated key is found."""
    store.define(_JOBS, Index("idempotencyKey", unique=True))


class Jobs:
    """Submits jobs and answers questions about them."""

    def submit(self, call: Call, writes: Sequence[Write]) -> Answer:
        """Run the writes as tasks of a new job."""
        key = call.headers.get("x-netsuite-idempotency-key")
        first = next(iter(call.store.find(_JOBS, "idempotencyKey", key)), None) if key else None
        if first is not None:
            text = "A request with this idempotency key has been submitted before."
            answer = error(
                400, "IDEMPOTENCY_ERROR", text, header="X-NetSuite-Idempotency-Key", title="Conflict"
            )
            answer.headers["Location"] = _address(call, first.id)
            raise Refused(answer)
        tasks = _run(call, writes)
        job = call.store.create(_JOBS, {"idempotencyKey": key, "tasks": tasks, "asked": 0}, derived=True)
        headers = {"Location": _address(call, job.id), "Preference-Applied": "respond-async"}
        return Answer(202, headers=headers)

    def job(self, call: Call) -> Answer:
        """GET a job."""
        job = _find(call)
        done = job["asked"] > 0
        call.store.update(_JOBS, job.id, {"asked": job["asked"] + 1}, derived=True)
        links = [{"rel": "self", "href": _address(call, job.id)}]
        task = {"links": [{"rel": "self", "href": f"{_address(call, job.id)}/task"}]}
        progress = "succeeded" if done else "pending"
        return Answer(
            200, {"links": links, "id": job.id, "completed": done, "progress": progress, "task": task}
        )

    def tasks(self, call: Call) -> Answer:
        """GET the tasks of a job, in the order of the records sent."""
        job = _find(call)
        items = [
            {"links": [{"rel": "self", "href": f"{_address(call, job.id)}/task/{number}"}], "id": str(number)}
            for number in range(1, len(job["tasks"]) + 1)
        ]
        links = [{"rel": "self", "href": f"{_address(call, job.id)}/task"}]
        return Answer(200, {"links": links, "items": items, **counts(len(items), len(items))})

    def task(self, call: Call) -> Answer:
        """GET one task."""
        job = _find(call)
        task = _task(call, job)
        address = f"{_address(call, job.id)}/task/{call.params['task']}"
        done = job["asked"] > 1
        shown: dict[str, Any] = {
            "links": [{"rel": "self", "href": address}, {"rel": "related", "href": f"{address}/result"}],
            "id": call.params["task"],
            "completed": done,
            "progress": "pending" if not done else "succeeded" if task["status"] < 400 else "failed",
            "startTime": second(job.created),
        }
        return Answer(200, shown | ({"endTime": second(job.created)} if done else {}))

    def result(self, call: Call) -> Answer:
        """GET what the synchronous call would have answered."""
        job = _find(call)
        task = _task(call, job)
        if job["asked"] < 2:
            raise not_found()
        return Answer(task["status"], task["body"], dict(task["headers"]))


def _run(call: Call, writes: Sequence[Write]) -> list[dict[str, Any]]:
    partial = call.fires("partial_batch") if len(writes) > 1 else None
    applied = len(writes) if partial is None else len(writes) // 2
    tasks = []
    for number, write in enumerate(writes):
        answer = _perform(call, write) if number < applied else call.errors.server_error()
        tasks.append({"status": answer.status, "headers": answer.headers, "body": answer.body})
    return tasks


def _perform(call: Call, write: Write) -> Answer:
    try:
        with call.store.database.savepoint():
            return Writer(call.store, call.base_url).perform(write)
    except Refused as refused:
        return refused.answer


def _find(call: Call) -> Record:
    job = call.store.get(_JOBS, call.params["job"])
    if job is None:
        raise not_found()
    return job


def _task(call: Call, job: Record) -> dict[str, Any]:
    number = call.params["task"]
    if not number.isdecimal() or not 1 <= int(number) <= len(job["tasks"]):
        raise not_found()
    task: dict[str, Any] = job["tasks"][int(number) - 1]
    return task


def _address(call: Call, job_id: str) -> str:
    return f"{call.base_url}{PATH}/{job_id}"
