"""The scripted tasks of the host: what each type does, fact by fact."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta, timezone
from typing import Any

from stores import MemorySuspensions, now
from taskbridge import DeterministicFakeExecutor, EventStore, TaskExecutor, TaskRegistry, TaskResumeService
from taskbridge.models import (
    SubmitActionCommand,
    TaskEvent,
    TaskEventType,
    TaskRecord,
    TaskStatus,
    TaskSuspensionKind,
    TaskSuspensionRecord,
    TaskSuspensionStatus,
)


class Run:
    """One task at work: writes its facts, asks its questions, hears of its cancellation."""

    def __init__(self, task: TaskRecord, registry: TaskRegistry, events: EventStore, suspensions: MemorySuspensions) -> None:
        self.task = task
        self.input: dict[str, Any] = task.input_payload
        self.cancelled = asyncio.Event()
        self.steps = asyncio.Semaphore(0)
        self._registry = registry
        self._events = events
        self._suspensions = suspensions
        self._answers: dict[str, asyncio.Future[SubmitActionCommand]] = {}

    async def status(self, status: TaskStatus) -> None:
        await self._registry.update_task_status(self.task.task_id, status)

    async def fact(self, kind: str, /, **payload: Any) -> None:
        event = TaskEvent(
            type=TaskEventType(f"TASK_{kind}"), taskId=self.task.task_id, eventId="0-0", createdAt=datetime.now(timezone.utc), payload=payload
        )
        await self._events.append_event(event)

    async def start(self) -> None:
        await self.status(TaskStatus.RUNNING)
        await self.fact("STARTED", message="started")

    async def complete(self, result: Any) -> None:
        await self.status(TaskStatus.COMPLETED)
        await self.fact("COMPLETED", result=result)

    async def fail(self, code: str, message: str, retryable: bool) -> None:
        await self.status(TaskStatus.FAILED)
        await self.fact("FAILED", code=code, message=message, retryable=retryable)

    async def ask(self, key: str, allowed: list[str], expires_in_ms: int | None = None) -> SubmitActionCommand:
        suspend_id = f"{self.task.task_id[:8]}-{key}"
        expires_at = None if expires_in_ms is None else now() + timedelta(milliseconds=expires_in_ms)
        self._suspensions.open(
            TaskSuspensionRecord(
                task_id=self.task.task_id,
                suspend_id=suspend_id,
                owner_id=self.task.owner_id,
                status=TaskSuspensionStatus.OPEN,
                kind=TaskSuspensionKind.USER_ACTION_REQUIRED,
                reason_code=key.upper(),
                allowed_actions=allowed,
                schema_version=1,
                created_at=now(),
                expires_at=expires_at,
            )
        )
        answer = self._answers[suspend_id] = asyncio.get_running_loop().create_future()
        await self.fact(
            "SUSPENDED",
            suspendId=suspend_id,
            kind=TaskSuspensionKind.USER_ACTION_REQUIRED.value,
            reasonCode=key.upper(),
            allowedActions=allowed,
            schemaVersion=1,
            expiresAt=None if expires_at is None else expires_at.isoformat(),
            uiHints={"title": "Which way?"},
            interaction={},
        )
        return await answer

    def answered(self, command: SubmitActionCommand) -> None:
        self._answers[command.suspend_id].set_result(command)


async def succeed(run: Run) -> None:
    await run.start()
    await run.fact("PROGRESS", progress=25, stage="reading", message="a quarter")
    await run.fact("MESSAGE", message="Nothing unusual so far.", level="info")
    await run.fact("PROGRESS", progress=62.5, stage="writing")
    await run.fact("MESSAGE", message="Übergrößen: 3 — 三", level="warning")
    await run.fact("PROGRESS", progress=100)
    await run.complete({"input": run.input, "metadata": run.task.metadata})


async def fail(run: Run) -> None:
    await run.start()
    await run.fact("PROGRESS", progress=10)
    await run.fail("OUT_OF_PAPER", "The tray is empty.", retryable=True)


async def ask(run: Run) -> None:
    await run.start()
    first = await run.ask("first", ["left", "right"])
    second = await run.ask("second", ["left", "right"])
    await run.complete({"went": [first.action_type, second.action_type], "payloads": [first.payload, second.payload]})


async def ask_briefly(run: Run) -> None:
    await run.start()
    await run.ask("brief", ["left"], expires_in_ms=0)


async def until_cancelled(run: Run) -> None:
    await run.start()
    await run.cancelled.wait()
    await run.status(TaskStatus.CANCELLED)
    await run.fact("CANCELLED", reason="asked for", message="stopped")


async def digest(run: Run) -> None:
    await run.start()
    files = [
        {"name": part.filename, "type": part.content_type, "size": part.size_bytes, "sha256": hashlib.sha256(part.content).hexdigest()}
        for part in run.task.attachments
    ]
    await run.complete({"input": run.input, "metadata": run.task.metadata, "files": files})


async def count(run: Run) -> None:
    """Counts to `to`, with a rest of `everyMs` after each."""
    await run.start()
    to = int(run.input["to"])
    for number in range(1, to + 1):
        await run.fact("PROGRESS", progress=100 * number / to, stage=f"step {number}")
        await asyncio.sleep(int(run.input.get("everyMs", 0)) / 1000)
    await run.complete({"counted": to})


async def step(run: Run) -> None:
    """Goes on by one each time that it is told to; ends after `to` of them."""
    await run.start()
    to = int(run.input["to"])
    for number in range(1, to + 1):
        await run.steps.acquire()
        await run.fact("PROGRESS", progress=100 * number / to, stage=f"step {number}")
    await run.steps.acquire()
    await run.complete({"counted": to})


async def go_on_after_the_end(run: Run) -> None:
    await run.start()
    await run.complete({"first": True})
    await run.fact("MESSAGE", message="after the end")
    await run.fact("PROGRESS", progress=1)
    await run.fail("LATE", "A second end.", retryable=False)


async def conformance_echo(run: Run) -> None:
    await run.start()
    await run.complete({"echo": run.input})


async def steps(run: Run, stage: str, to: int) -> None:
    for number in range(1, to + 1):
        await run.fact("PROGRESS", progress=100 * number / to, stage=f"{stage} {number}")


async def conformance_steps(run: Run) -> None:
    await run.start()
    to = int(run.input["count"])
    await steps(run, "step", to)
    await run.complete({"count": to})


async def conformance_ask(run: Run) -> None:
    await run.start()
    answers: list[Any] = []
    for number in range(1, int(run.input.get("questions", 1)) + 1):
        answer = await run.ask(f"question-{number}", ["yes", "no"], run.input.get("expiresInMs"))
        answers.append({"actionType": answer.action_type, "payload": answer.payload})
        await steps(run, f"answer {number}, step", int(run.input.get("steps", 0)))
    await run.complete({"answers": answers})


async def conformance_wait(run: Run) -> None:
    await run.start()
    await run.fact("PROGRESS", progress=1)
    await run.cancelled.wait()
    await run.status(TaskStatus.CANCELLED)
    await run.fact("CANCELLED", reason="Cancelled on request")


async def conformance_fail(run: Run) -> None:
    await run.start()
    await run.fail(run.input["code"], run.input["message"], run.input["retryable"])


SCRIPTS: dict[str, Callable[[Run], Awaitable[None]]] = {
    "succeed": succeed,
    "fail": fail,
    "ask": ask,
    "ask.briefly": ask_briefly,
    "until.cancelled": until_cancelled,
    "digest": digest,
    "count": count,
    "step": step,
    "after.the.end": go_on_after_the_end,
    # The contract of the conformance kit.
    "conformance.echo": conformance_echo,
    "conformance.steps": conformance_steps,
    "conformance.ask": conformance_ask,
    "conformance.wait": conformance_wait,
    "conformance.fail": conformance_fail,
}


class ScriptedExecutor(TaskExecutor, TaskResumeService):
    """Runs the scripts. `fake` goes to the package's own executor, `fake.held` to one that rests until its task is
    cancelled; any other type cannot be submitted."""

    def __init__(self, registry: TaskRegistry, events: EventStore, suspensions: MemorySuspensions) -> None:
        self._ports = (registry, events, suspensions)
        self._held = asyncio.Semaphore(0)
        ports = {"registry": registry, "event_store": events, "progress_ticks": 3}
        self._fakes = {
            "fake": DeterministicFakeExecutor(**ports),
            "fake.held": DeterministicFakeExecutor(**ports, sleep_fn=lambda _: self._held.acquire()),
        }
        self._runs: dict[str, Run] = {}
        self._jobs: set[asyncio.Task[None]] = set()

    async def submit_task(self, task: TaskRecord) -> None:
        if task.task_type in self._fakes:
            return await self._fakes[task.task_type].submit_task(task)
        script = SCRIPTS[task.task_type]
        run = self._runs[task.task_id] = Run(task, *self._ports)
        job = asyncio.ensure_future(script(run))
        self._jobs.add(job)
        job.add_done_callback(self._jobs.discard)

    async def request_cancellation(self, task: TaskRecord) -> None:
        if task.task_type in self._fakes:
            await self._fakes[task.task_type].request_cancellation(task)
            self._held.release()
            return
        self._runs[task.task_id].cancelled.set()

    async def resume_task(self, command: SubmitActionCommand, suspension: Any) -> None:
        self._runs[command.task_id].answered(command)

    def step(self, task_id: str) -> None:
        """Lets a stepping task go on by one."""
        self._runs[task_id].steps.release()
