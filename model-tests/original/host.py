"""A host around the published package `taskbridge-fastapi`, for our client to meet the original's server.

    python host.py <redis port> <heartbeat ms>

Listens on a free port of this machine and prints it as one line; ends when its standard input does. Tokens are the names of their owners; the
token `stale` is refused. The events are in Redis, by the package's own store, everything else is in memory.
"""

import asyncio
import logging
import socket
import sys
from collections.abc import Callable
from importlib.metadata import version

import uvicorn
from fastapi import FastAPI
from redis.asyncio import Redis
from scripts import ScriptedExecutor
from stores import MemoryReceipts, MemoryRegistry, MemorySuspensions
from taskbridge import dependencies
from taskbridge.errors import AuthenticationError
from taskbridge.event_store import RedisStreamEventStore
from taskbridge.models import AuthContext, TaskRecord
from taskbridge.readiness import RedisReadinessProbe
from taskbridge.routes_http import HttpRouteSettings, build_http_router, install_http_exception_handlers
from taskbridge.routes_ws import WebSocketRouteSettings, build_ws_router
from taskbridge.security import AuthContextResolver, OwnershipPolicy
from taskbridge.services import (
    TaskActionService,
    TaskCancellationService,
    TaskCreationService,
    TaskPollingService,
    TaskRetentionService,
    WebSocketSubscriptionService,
)
from taskbridge.stream_settings import SseStreamSettings, StreamRuntimeSettings, WebSocketStreamSettings


class TokenIsSubject(AuthContextResolver):
    async def resolve_auth_context(self, request_context: object) -> AuthContext:
        scheme, _, token = request_context.headers.get("authorization", "").partition(" ")  # type: ignore[attr-defined]
        if scheme != "Bearer" or token in ("", "stale"):
            raise AuthenticationError("No valid token")
        return AuthContext(subject=token)


class OwnersOnly(OwnershipPolicy):
    async def assert_task_create(self, auth_context: AuthContext) -> None:
        if auth_context.subject == "guest":
            raise PermissionError("Guests may not create tasks")

    async def assert_task_access(self, auth_context: AuthContext, task: TaskRecord) -> None:
        if task.owner_id != auth_context.subject:
            raise PermissionError("Not the owner")


def always(service: object) -> Callable[[], object]:
    # A lambda with a default would not do: FastAPI takes its parameter for one of the query.
    return lambda: service


def build_app(redis: Redis, heartbeat_ms: int) -> FastAPI:
    registry, suspensions, receipts = MemoryRegistry(), MemorySuspensions(), MemoryReceipts()
    events, owners = RedisStreamEventStore(redis), OwnersOnly()
    executor = ScriptedExecutor(registry, events, suspensions)
    actions = TaskActionService(registry, suspensions, receipts, events, owners, resume_service=executor)
    services = {
        dependencies.get_auth_context_resolver: TokenIsSubject(),
        dependencies.get_ownership_policy: owners,
        dependencies.get_task_creation_service: TaskCreationService(registry, executor, owners),
        dependencies.get_task_polling_service: TaskPollingService(registry, events, owners),
        dependencies.get_task_cancellation_service: TaskCancellationService(registry, executor, owners),
        dependencies.get_task_action_service: actions,
        dependencies.get_websocket_subscription_service: WebSocketSubscriptionService(registry, events, owners),
        dependencies.get_readiness_probe: RedisReadinessProbe(redis),
    }
    runtime = StreamRuntimeSettings(
        sse=SseStreamSettings(wait_timeout_ms=heartbeat_ms),
        websocket=WebSocketStreamSettings(wait_timeout_ms=heartbeat_ms),
    )
    app = FastAPI()
    for dependency, service in services.items():
        app.dependency_overrides[dependency] = always(service)
    install_http_exception_handlers(app)
    app.include_router(build_http_router(HttpRouteSettings(stream_runtime=runtime, max_upload_bytes=1024 * 1024)))
    app.include_router(build_ws_router(WebSocketRouteSettings(stream_runtime=runtime)))

    # What the tests steer the host by; no part of the protocol.
    @app.post("/steer/{task_id}/step")
    async def step(task_id: str) -> dict[str, bool]:
        executor.step(task_id)
        return {"ok": True}

    @app.post("/steer/prune")
    async def prune() -> dict[str, int]:
        return await TaskRetentionService(receipts, suspensions).prune_expired_state()

    return app


async def serve(redis_port: int, heartbeat_ms: int) -> None:
    # The package warns of every refusal, and refusals are what the tests are after.
    logging.getLogger("taskbridge").setLevel(logging.CRITICAL)
    # Each write to a connection that was cut is a warning too.
    logging.getLogger("asyncio").setLevel(logging.ERROR)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    redis = Redis(host="127.0.0.1", port=redis_port)
    config = uvicorn.Config(build_app(redis, heartbeat_ms), log_level="critical", lifespan="off", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    print(f"listening {listener.getsockname()[1]} taskbridge-fastapi {version('taskbridge-fastapi')}", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    server.should_exit = True
    await serving


if __name__ == "__main__":
    asyncio.run(serve(int(sys.argv[1]), int(sys.argv[2])))
