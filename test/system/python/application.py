"""The application of a vector for clients: does what each line of its input says, and says what it sees, in JSON."""

import asyncio
import json
import random
import sys
from collections.abc import Awaitable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[3] / "examples" / "python"))

from roomcast import ABSENT, Client, Event, ReplyError, RequestError  # noqa: E402

tasks: set[asyncio.Task[Any]] = set()


def say(**line: Any) -> None:
    print(json.dumps(line), flush=True)


def given(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not ABSENT and value is not None}


async def watch(client: Client) -> None:
    previous = "connecting"
    async for event in client:
        if event.name == "hub:state":
            say(state={**event.data, "previous": previous, "delay": event.data.get("delay", 0) * 1000})
            previous = event.data["state"]
        else:
            tell(event)


def tell(event: Event) -> None:
    if event.name == "hub:error":
        say(hears={"error": event.data["code"]})
    elif event.name == "hub:message":
        say(hears={"text": event.data})
    elif event.name == "hub:gap":
        say(hears={"gap": event.data, "room": event.room})
    else:
        # None is null here, which `given` would leave out.
        data = {} if event.data is ABSENT else {"data": event.data}
        say(hears={"event": event.name, **data, **given(room=event.room)})


async def settle(name: str, result: Awaitable[Any]) -> None:
    try:
        say(outcome=name, **given(data=await result))
    except RequestError as error:
        say(outcome=name, fails=error.why, **({"code": error.code} if error.code else {}))


def handler(step: dict[str, Any]) -> Any:
    def handle(_: Any) -> Any:
        if "error" in step:
            raise ReplyError(**step["error"])
        return step.get("data")

    return handle


def perform(client: Client, step: dict[str, Any]) -> Awaitable[Any] | None:
    data = step.get("data", ABSENT)
    match step["call"]:
        case "emit":
            client.emit(step["event"], data)
        case "send":
            client.send(step["text"])
        case "handle":
            client.handle(step["event"], handler(step))
        case "request":
            return settle(step["as"], client.request(step["event"], data, idempotent=step.get("idempotent", False)))
        case "join":
            return settle(step["as"], client.join(step["room"]))
        case "leave":
            return settle(step["as"], client.leave(step["room"]))
        case "close":
            return client.close(step["code"], step["reason"])
    return None


async def main() -> None:
    # A client that is to wait does wait; one that is not does not.
    random.random = lambda: 0.999
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    made = json.loads(await lines.readline())
    delays = {"min_delay": 0.01, "max_delay": 0.04, "stable_after": made.get("stableAfter", 0) / 1000}
    async with Client(made["url"], auth=made.get("auth", ABSENT), **delays) as client:
        tasks.add(asyncio.create_task(watch(client)))
        while line := await lines.readline():
            step = json.loads(line)
            if step["call"] == "settle":
                await asyncio.sleep(0)
                say(settled=True)
            elif (work := perform(client, step)) is not None:
                tasks.add(asyncio.ensure_future(work))
                await asyncio.sleep(0)


asyncio.run(main())
