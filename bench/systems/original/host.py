"""The original's server as a benched system: the package around its own store for Redis, one worker, uvloop.

    python host.py <redis port>

The host of the tests (model-tests/original) gives the app; this adds the orders of the bench, lines of JSON on a port of their own.
"""

import asyncio
import json
import socket
import sys
import time
import urllib.request
import uuid
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[3] / "model-tests" / "original"))
sys.dont_write_bytecode = True

import uvicorn  # noqa: E402
from host import build_app  # noqa: E402
from redis.asyncio import Redis  # noqa: E402
from taskbridge.event_store import RedisStreamEventStore  # noqa: E402
from taskbridge.models import TaskEvent, TaskEventType  # noqa: E402

try:
    from uvloop import run
except ImportError:
    run = asyncio.run


class Orders:
    """What the bench may ask; see systems/system.ts."""

    def __init__(self, redis: Redis, port: int) -> None:
        self._events = RedisStreamEventStore(redis)
        self._url = f"http://127.0.0.1:{port}/api/v1/tasks"
        self._last: dict[str, str] = {}
        self._n = 0
        self._jobs: set[asyncio.Task[Any]] = set()

    async def createTasks(self, load: dict[str, Any]) -> list[str]:
        return [await asyncio.to_thread(self._create) for _ in range(load["count"])]

    def _create(self) -> str:
        body = {"clientRequestId": uuid.uuid4().hex, "taskType": "until.cancelled", "input": {}}
        headers = {"authorization": "Bearer ada", "content-type": "application/json"}
        request = urllib.request.Request(self._url, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request) as response:
            return str(json.load(response)["taskId"])

    async def _fact(self, task_id: str, at: str = "now") -> None:
        self._n += 1
        payload = {"progress": self._n % 101, "stage": "measuring", "message": f"One of very many, which were told @{at}@ of."}
        event = TaskEvent(
            type=TaskEventType.TASK_PROGRESS, taskId=task_id, eventId="0-0", createdAt=datetime.now(timezone.utc), payload=payload
        )
        self._last[task_id] = (await self._events.append_event(event)).event_id

    async def append(self, load: dict[str, Any]) -> dict[str, float]:
        begun, facts, tasks = time.monotonic(), 0, load["tasks"]
        end = begun + load["ms"] / 1000

        async def lane(task_id: str) -> None:
            nonlocal facts
            while time.monotonic() < end:
                await self._fact(task_id)
                facts += 1

        await asyncio.gather(*(lane(tasks[i % len(tasks)]) for i in range(load["inFlight"])))
        return {"facts": facts, "ms": (time.monotonic() - begun) * 1000}

    async def publish(self, load: dict[str, Any]) -> None:
        await asyncio.gather(*(self._fact(load["taskId"], load.get("at", "now")) for _ in range(load["count"])))

    async def fill(self, load: dict[str, Any]) -> str:
        after = self._last.get(load["taskId"], "")
        for _ in range(load["count"]):
            await self._fact(load["taskId"])
        return after

    def cpu(self, _: None) -> float:
        return time.process_time() * 1e6

    async def memory(self, _: None) -> dict[str, int]:
        import gc

        gc.collect()
        status = Path("/proc/self/status").read_text()
        rss = next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmRSS"))
        return {"rss": rss, "heap": 0}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while line := await reader.readline():
            job = asyncio.ensure_future(self._obey(json.loads(line), writer))
            self._jobs.add(job)
            job.add_done_callback(self._jobs.discard)

    async def _obey(self, order: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        reply: dict[str, Any] = {"id": order.get("id")}
        try:
            answer = getattr(self, order["method"])(order.get("parameter"))
            reply["answer"] = await answer if asyncio.iscoroutine(answer) else answer
        except Exception as error:
            reply["error"] = repr(error)
        if reply["id"] is not None:
            writer.write(json.dumps(reply).encode() + b"\n")


async def serve(redis_port: int) -> None:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    # Each viewer blocks a connection of its own.
    redis = Redis(host="127.0.0.1", port=redis_port, max_connections=100_000)
    # Heartbeats as rare as it allows them by default on a WebSocket.
    server = uvicorn.Server(uvicorn.Config(build_app(redis, 25_000), log_level="critical", lifespan="off", backlog=4096))
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    control = await asyncio.start_server(Orders(redis, port).serve, "127.0.0.1", 0, limit=1 << 20)
    print(json.dumps({"port": port, "control": control.sockets[0].getsockname()[1]}), flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.should_exit = True
    await serving


if __name__ == "__main__":
    run(serve(int(sys.argv[1])))
