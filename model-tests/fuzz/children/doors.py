"""
Fuzzes the doors of a host by a grammar of each: `doors.py <port> <token> <seconds> <seed>`. Prints one line of JSON for each answer or silence that no
client should meet, and at the end one with what was sent and answered. Which mutations are taken follows from the seed.
"""

import base64
import json
import os
import random
import socket
import sys
import time
import urllib.request

# The fuzzer looks for a terminal and a folder for results; nothing of that is used here.
from boofuzz import Block, Byte, Group, Request, Size, Static, String
from boofuzz.mutation_context import MutationContext

PORT, TOKEN, SECONDS, SEED = int(sys.argv[1]), sys.argv[2], float(sys.argv[3]), int(sys.argv[4])
# A request is answered, or its connection is ended, within this. The host ends what is unfinished sooner.
PATIENCE_S = float(os.environ.get("FUZZ_PATIENCE_S", "20"))
# Of a field's mutations one in so many is taken at most: each time around others.
STRIDE = 40
ROOT = "/api/v1/tasks"
chance = random.Random(SEED)


def text(value):
    return Static(default_value=value.encode())


def http(name, methods, path, query=(), body=(), content_type="application/json", headers=(), connection="close"):
    """A request of HTTP: its line, its headers, and a body whose length is told."""
    children = [
        Group("method", values=methods),
        text(" "),
        String("path", default_value=path),
        *[part for key, value in query for part in (text("?" if key == query[0][0] else "&"), String(f"{key}-name", default_value=key), text("="), String(f"{key}-value", default_value=value))],
        text(f" HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: {connection}\r\nAuthorization: "),
        String("credentials", default_value=f"Bearer {TOKEN}"),
        text("\r\n"),
        *[part for key, value in headers for part in (text(f"{key}: "), String(f"header-{key}", default_value=value), text("\r\n"))],
    ]
    if body:
        children += [
            text("Content-Type: "),
            String("content-type", default_value=content_type),
            text("\r\nContent-Length: "),
            Size("length", block_name="body", output_format="ascii"),
            text("\r\n\r\n"),
            Block("body", children=tuple(body)),
        ]
    else:
        children.append(text("\r\n"))
    return Request(name, children=tuple(children))


def json_body(**fields):
    """An object of JSON, of which each name and each value is fuzzed, and what stands between them."""
    parts = [Group("open", values=["{", "[", "", "{{"])]
    for index, (key, value) in enumerate(fields.items()):
        parts += [
            text("," if index else ""),
            Group(f"{key}-quote", values=['"', "", "'"]),
            String(f"{key}-key", default_value=key),
            text('":'),
            String(f"{key}-json", default_value=value),
        ]
    parts.append(Group("close", values=["}", "]", "", "}}", "}\0"]))
    return parts


def multipart_body():
    def part(name, disposition, content):
        return [
            text("--b\r\nContent-Disposition: "),
            String(f"{name}-disposition", default_value=disposition),
            text("\r\n"),
            String(f"{name}-head", default_value="Content-Type: text/plain"),
            text("\r\n\r\n"),
            String(f"{name}-content", default_value=content),
            text("\r\n"),
        ]

    return [
        *part("id", 'form-data; name="clientRequestId"', "fuzz"),
        *part("type", 'form-data; name="taskType"', "echo"),
        *part("input", 'form-data; name="input"', '{"a":1}'),
        *part("file", 'form-data; name="attachment"; filename="a.txt"', "a file"),
        text("--b"),
        Group("end", values=["--\r\n", "\r\n", "", "-"]),
    ]


def frame(name, payload):
    """A frame of a WebSocket, with a mask of zeros, so that its payload can be read."""
    return Request(
        name,
        children=(
            Byte("first", default_value=0x81),
            Byte("second", default_value=0x80 | len(payload)),
            Static(default_value=b"\0\0\0\0"),
            String("payload", default_value=payload),
        ),
    )


HANDSHAKE = [("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13"), ("Sec-WebSocket-Key", base64.b64encode(b"0" * 16).decode())]


def doors(task_id):
    task = f"{ROOT}/{task_id}"
    subscribe = json.dumps({"action": "subscribe", "taskId": task_id}, separators=(",", ":"))
    return [
        (None, http("create", ["POST", "PUT", "GET"], ROOT, body=json_body(clientRequestId='"fuzz"', taskType='"echo"', input='{"a":[1,"2",null]}', metadata="{}"))),
        (None, http("upload", ["POST"], ROOT, body=multipart_body(), content_type="multipart/form-data; boundary=b")),
        (None, http("action", ["POST"], f"{task}/actions", body=json_body(clientActionId='"fuzz"', suspendId='"s"', actionType='"go"', payload='{"a":1}'))),
        (None, http("cancel", ["POST"], f"{ROOT}/unknown/cancel", body=json_body(reason='"why"'))),
        (None, http("snapshot", ["GET", "HEAD", "DELETE"], task)),
        (None, http("poll", ["GET"], f"{task}/events", query=[("afterEventId", "1-1"), ("waitTimeoutMs", "1"), ("maxEvents", "2"), ("extensions", "gap,parts"), ("parts", "2-1.0.e")])),
        (None, http("stream", ["GET"], f"{ROOT}/unknown/events/stream", query=[("lastEventId", "1-1")], headers=[("Last-Event-ID", "1-1"), ("Accept", "text/event-stream")])),
        (None, http("shared-stream", ["GET", "HEAD"], f"{ROOT}/events/stream", query=[("tasks", f"{task_id}@1-1,unknown@"), ("extensions", "gap,parts"), ("parts", f"{task_id}@2-1.0.e")], headers=[("Accept", "text/event-stream")])),
        (None, http("list", ["GET", "HEAD"], ROOT, query=[("type", "echo"), ("state", "running"), ("label", "a"), ("limit", "2")])),
        (None, http("attachment", ["GET", "HEAD"], f"{task}/attachments/a.csv", query=[("x", "1")])),
        (None, http("part", ["GET", "HEAD"], f"{task}/parts/2", query=[("offset", "0"), ("limit", "64")])),
        (None, http("remove", ["DELETE"], f"{ROOT}/unknown", query=[("x", "1")])),
        (None, http("types", ["GET", "POST"], f"{ROOT}/types", query=[("x", "1")])),
        (None, http("openapi", ["GET", "HEAD"], "/api/v1/openapi.json", query=[("x", "1")])),
        (None, http("health", ["GET", "HEAD"], "/health", query=[("x", "1")])),
        (None, http("ready", ["GET", "OPTIONS"], "/ready", query=[("x", "1")])),
        (None, http("upgrade", ["GET"], f"{ROOT}/ws", query=[("extensions", "gap,multiplex")], headers=[*HANDSHAKE, ("Sec-WebSocket-Protocol", "taskbridge.v1"), ("Origin", "http://127.0.0.1")], connection="Upgrade")),
        (f"{ROOT}/ws", frame("frame", subscribe)),
        (f"{ROOT}/ws?extensions=multiplex", frame("channel-frame", subscribe)),
    ]


def handshake(path):
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", "Connection: Upgrade", f"Authorization: Bearer {TOKEN}", *[f"{key}: {value}" for key, value in HANDSHAKE], "", ""]
    return "\r\n".join(lines).encode()


def send(before, data):
    """Sends to a connection of its own, and says what came back: a status, `end`, or `silence`."""
    with socket.create_connection(("127.0.0.1", PORT), timeout=PATIENCE_S) as connection:
        try:
            if before:
                connection.sendall(handshake(before))
                connection.recv(65536)
            connection.sendall(data)
            # Who sends no more ends what waits for more.
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(65536)
        except socket.timeout:
            return "silence"
        except OSError:
            return "end"
    if before or not answer:
        return "end"
    status = answer.split(b" ", 2)[1:2]
    return status[0].decode("latin-1") if status else "end"


def is_well():
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{PORT}/health", timeout=PATIENCE_S) as answer:
            return answer.status == 200
    except OSError:
        return False


def mutants(request):
    """Mutations of a request, for ever."""
    while True:
        skip = chance.randrange(STRIDE)
        for mutations in request.get_mutations():
            if skip > 0:
                skip -= 1
                continue
            skip = chance.randrange(STRIDE)
            chosen = mutations if isinstance(mutations, list) else [mutations]
            yield request.render(MutationContext(mutations={each.qualified_name: each for each in chosen}))


def main():
    create = urllib.request.Request(
        f"http://127.0.0.1:{PORT}{ROOT}",
        data=json.dumps({"clientRequestId": "target", "taskType": "wait"}).encode(),
        headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(create, timeout=PATIENCE_S) as answer:
        task_id = json.load(answer)["taskId"]
    sources = [(before, request.name, mutants(request)) for before, request in doors(task_id)]
    # As it is, each door has to answer, or the grammar is no grammar of it.
    sent, answers, plain = 0, {}, {request.name: send(before, request.render(MutationContext())) for before, request in doors(task_id)}
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        for before, door, source in sources:
            data = next(source)
            answer = send(before, data)
            sent += 1
            answers[answer] = answers.get(answer, 0) + 1
            if answer == "silence" or (answer.startswith("5") and answer not in ("501", "505")):
                print(json.dumps({"door": door, "answer": answer, "bytes": len(data), "data": base64.b64encode(data[:4000]).decode()}), flush=True)
        if not is_well():
            print(json.dumps({"door": "health", "answer": "none", "bytes": 0, "data": ""}), flush=True)
            return
    print(json.dumps({"sent": sent, "answers": answers, "plain": plain}), flush=True)


main()
