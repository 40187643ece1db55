"""What the published package asks of its host besides the event store: a registry, suspensions and receipts, kept in memory."""

from datetime import datetime, timezone

from taskbridge import ActionReceiptStore, SuspensionStore, TaskRegistry
from taskbridge.models import (
    ResumeHandoffStatus,
    TaskActionReceipt,
    TaskCreateCommand,
    TaskRecord,
    TaskStatus,
    TaskSuspensionRecord,
    TaskSuspensionStatus,
    same_idempotency_payload,
)


def now() -> datetime:
    """The present, with its zone."""
    return datetime.now(timezone.utc)


class MemoryRegistry(TaskRegistry):
    """Tasks by id, and by owner and request."""

    def __init__(self) -> None:
        self._tasks: dict[str, TaskRecord] = {}
        self._requests: dict[tuple[str, str], str] = {}

    async def create_task(self, task: TaskRecord) -> TaskRecord:
        self._tasks[task.task_id] = task
        self._requests[(task.owner_id, task.client_request_id)] = task.task_id
        return task

    async def get_task(self, task_id: str) -> TaskRecord:
        return self._tasks[task_id]

    async def get_task_by_client_request_id(self, owner_id: str, client_request_id: str) -> TaskRecord | None:
        task_id = self._requests.get((owner_id, client_request_id))
        return None if task_id is None else self._tasks[task_id]

    async def update_task_status(self, task_id: str, status: TaskStatus) -> TaskRecord:
        return self._change(task_id, status=status)

    async def request_cancellation(self, task_id: str) -> TaskRecord:
        return self._change(task_id, cancellation_requested=True)

    async def same_idempotency_payload(self, task: TaskRecord, command: TaskCreateCommand) -> bool:
        return same_idempotency_payload(task, command)

    def _change(self, task_id: str, **changes: object) -> TaskRecord:
        changed = self._tasks[task_id].model_copy(update={**changes, "updated_at": now()})
        self._tasks[task_id] = changed
        return changed


class MemorySuspensions(SuspensionStore):
    """Questions by task and id. No verb below awaits, so each is one step."""

    def __init__(self) -> None:
        self._records: dict[tuple[str, str], TaskSuspensionRecord] = {}

    def open(self, record: TaskSuspensionRecord) -> None:
        """Keeps a new question; the package has no verb for it."""
        self._records[(record.task_id, record.suspend_id)] = record

    async def get_suspension(self, task_id: str, suspend_id: str) -> TaskSuspensionRecord:
        return self._records[(task_id, suspend_id)]

    async def accept_action_if_open(self, task_id: str, suspend_id: str, client_action_id: str) -> TaskSuspensionRecord | None:
        if self._records[(task_id, suspend_id)].status != TaskSuspensionStatus.OPEN:
            return None
        return self._change(
            (task_id, suspend_id),
            status=TaskSuspensionStatus.RESOLVED,
            successful_action_id=client_action_id,
            resume_handoff_status=ResumeHandoffStatus.PENDING,
            resolved_at=now(),
        )

    async def mark_resume_dispatched(self, task_id: str, suspend_id: str) -> TaskSuspensionRecord:
        return self._change((task_id, suspend_id), resume_handoff_status=ResumeHandoffStatus.DISPATCHED)

    async def list_pending_resume_handoffs(self) -> list[TaskSuspensionRecord]:
        return [record for record in self._records.values() if record.resume_handoff_status == ResumeHandoffStatus.PENDING]

    async def expire_open_suspensions(self, expires_before: datetime) -> int:
        due = [
            key
            for key, record in self._records.items()
            if record.status == TaskSuspensionStatus.OPEN and record.expires_at is not None and record.expires_at <= expires_before
        ]
        for key in due:
            self._change(key, status=TaskSuspensionStatus.EXPIRED)
        return len(due)

    def _change(self, key: tuple[str, str], **changes: object) -> TaskSuspensionRecord:
        changed = self._records[key].model_copy(update=changes)
        self._records[key] = changed
        return changed


class MemoryReceipts(ActionReceiptStore):
    """Receipts by task and action."""

    def __init__(self) -> None:
        self._receipts: dict[tuple[str, str], TaskActionReceipt] = {}

    async def get_receipt(self, task_id: str, client_action_id: str) -> TaskActionReceipt | None:
        return self._receipts.get((task_id, client_action_id))

    async def save_receipt(self, receipt: TaskActionReceipt) -> TaskActionReceipt:
        self._receipts[(receipt.task_id, receipt.client_action_id)] = receipt
        return receipt

    async def delete_expired_receipts(self, expires_before: datetime) -> int:
        due = [key for key, receipt in self._receipts.items() if receipt.expires_at is not None and receipt.expires_at <= expires_before]
        for key in due:
            del self._receipts[key]
        return len(due)
