"""A client of roomcast in Python, written from docs/PROTOCOL.md alone: the numbers in comments are its sections.

It needs Python 3.11 and the package websockets (Debian: python3-websockets). It speaks JSON, reconnects, and gets what
it missed in rooms that the server records:

    async with Client("ws://localhost:8080/chat", auth={"name": "Ann"}) as client:
        await client.join("tea")
        client.emit("chat", {"room": "tea", "text": "Milk?"})
        async for event in client:
            print(event)
"""

import asyncio
import inspect
import json
import math
import random
import secrets
import sys
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

import websockets
from websockets.exceptions import ConnectionClosed, InvalidHandshake

SUBPROTOCOL, VERSION = "roomcast.v1.json", 1
CONNECT_TIMEOUT = 10.0
ROOMS_PER_REQUEST = 100  # 3
NO_REFUSALS = ("handler-failed", "too-fast", "too-many-requests")  # 9
ABSENT: Any = type("Absent", (), {"__repr__": lambda _: "ABSENT"})()  # A field that is not there; None is null.

Outgoing = asyncio.Queue[str | tuple[int, str]]  # Messages, and the code and reason of a close.


@dataclass(frozen=True)
class Event:
    """An event of the application, or one of hub:state, hub:error, hub:message, hub:dropped, hub:left and hub:gap."""

    name: str
    data: Any = ABSENT
    room: str | None = None


@dataclass
class Ending:
    """The end of a connection, or of the attempt to open one."""

    code: int = 1006
    reason: str = ""
    bye: dict[str, Any] | None = None
    retry_after: float = 0.0


@dataclass
class Request:
    """A request that is not settled."""

    event: str
    text: str
    reply: asyncio.Future[Any]
    has_key: bool
    sent: bool = False


class RequestError(Exception):
    """The server answered with an error, which has a code; or the connection was lost, or the client was closed."""

    def __init__(
        self, why: Literal["remote", "disconnected", "closed"], code: str = "", message: str = "", data: Any = None
    ) -> None:
        super().__init__(message or why)
        self.why, self.code, self.data = why, code, data


class ReplyError(Exception):
    """A handler raises this to answer the server with an error."""

    def __init__(self, code: str, message: str, data: Any = ABSENT) -> None:
        super().__init__(message)
        self.code, self.data = code, data


class Client:
    """A client over as many connections as it takes. Delays are in seconds."""

    def __init__(
        self,
        url: str,
        *,
        auth: Any = ABSENT,  # the credentials, or a function, or coroutine function, that returns them anew
        min_delay: float = 0.5,
        max_delay: float = 30.0,
        stable_after: float = 10.0,
    ) -> None:
        self.id: str | None = None
        self.positions: dict[str, dict[str, Any]] = {}  # in recorded rooms; they may be stored, and set again (4.3)
        self._home: Any = ABSENT  # where the server remembers the requests that are idempotent (5.1)
        self._url, self._auth = url, auth
        self._min_delay, self._max_delay, self._stable_after = min_delay, max_delay, stable_after
        self._handlers: dict[str, Callable[[Any], Any]] = {}
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()
        self._outbox: list[tuple[str, Request | None]] = []
        self._requests: dict[int, Request] = {}
        self._rooms: dict[str, asyncio.Future[None]] = {}
        self._entered: set[str] = set()  # rooms that the server has let this connection into
        self._tasks: set[asyncio.Task[Any]] = set()
        self._last_id = 0
        self._outgoing: Outgoing | None = None  # while there is a connection
        self._window = self._left = math.inf  # the bytes that may be sent before the server is asked, and what is left
        self._opened_at: float | None = None
        self._attempts, self._patience = 0, 1
        self._closed: tuple[int, str] | None = None
        self._closing = asyncio.Event()

    async def __aenter__(self) -> "Client":
        self._run = asyncio.create_task(self._connect_again_and_again())
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def __aiter__(self) -> AsyncIterator[Event]:
        while (event := await self._events.get()) is not None:
            yield event

    def handle(self, event: str, handler: Callable[[Any], Any]) -> None:
        """Answers requests of the server with what a function, or coroutine function, returns."""
        self._handlers[event] = handler

    def emit(self, event: str, data: Any = ABSENT) -> None:
        self._send(encode(event=event, data=data))

    def send(self, text: str) -> None:
        """Sends a text that is no packet (6)."""
        self._send(text)

    async def request(self, event: str, data: Any = ABSENT, *, idempotent: bool = False, timeout: float = 10) -> Any:
        """Returns the answer. What is idempotent is sent again after a lost connection, and handled once (5.1)."""
        request = self._ask(event, data, f"~{secrets.token_urlsafe(16)}" if idempotent else ABSENT)
        return await asyncio.wait_for(request.reply, timeout)

    async def join(self, room: str) -> None:
        """Joins a room, on each connection, until the client leaves it or the server refuses (4.1)."""
        joined = self._rooms.get(room)
        if joined is None or joined.done():
            joined = self._rooms[room] = asyncio.get_running_loop().create_future()
            if self.id is not None:
                self._ask_for([room])
        await asyncio.shield(joined)

    async def leave(self, room: str) -> None:
        if (joined := self._forget(room)) is not None:
            settle(joined, error=RequestError("closed", message=f'Left "{room}".'))
        if self.id is not None:
            await self._ask("hub:leave", {"room": room}).reply
            self.positions.pop(room, None)  # The server may have told it before it knew.

    async def close(self, code: int = 1000, reason: str = "") -> None:
        """Closes for good, after everything that was sent. Returns when the connection has ended."""
        if self._closed is None:
            if self.id is not None:
                self._flush(math.inf)  # There is nothing to wait for any more.
            self._closed = (code, reason)
            self._closing.set()
            self._fail_all()
            if self._outgoing is not None:
                self._outgoing.put_nowait(self._closed)
        await asyncio.shield(self._run)

    # One connection after the other (7.2).

    async def _connect_again_and_again(self) -> None:
        try:
            while self._closed is None:
                ending = await self._connect()
                delay = None if self._closed else self._delay(ending)
                self._lost()
                if delay is None:
                    self._closed = self._closed or (ending.code, ending.reason)
                    break
                self._tell("waiting", code=ending.code, reason=ending.reason, delay=delay)
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._closing.wait(), delay)
            self._tell("closed", code=self._closed[0], reason=self._closed[1])
        finally:
            self._fail_all()
            self._events.put_nowait(None)

    async def _connect(self) -> Ending:
        deadline = time.monotonic() + CONNECT_TIMEOUT
        # The library's own pings would end a connection that is only busy (8), its limit one with a large message (3).
        options: Any = {"ping_interval": None, "max_size": None, "close_timeout": 2, "open_timeout": CONNECT_TIMEOUT}
        options["subprotocols"] = [SUBPROTOCOL]
        try:
            socket: Any = await websockets.connect(self._url, **options)
        except (InvalidHandshake, OSError, TimeoutError) as error:
            return Ending(reason=str(error), retry_after=retry_after(error))
        self._outgoing = Outgoing()
        writer = asyncio.create_task(self._write(socket, self._outgoing))
        ending = Ending()
        try:
            await self._receive(socket, self._outgoing, ending, deadline)
        except TimeoutError:
            ending.reason = "No welcome" if self.id is None else "No sign of life"
            self._patience = min(8, self._patience * (1 if self.id is None else 2))  # 8
        except ConnectionClosed as error:
            if error.rcvd is not None:  # Without a close frame it is 1006, without a code in it 1005 (7.1).
                ending.code, ending.reason = error.rcvd.code, error.rcvd.reason
        finally:
            self.id = self._outgoing = None
            writer.cancel()
            socket.transport.abort()
        return ending

    async def _write(self, socket: Any, outgoing: Outgoing) -> None:
        with suppress(ConnectionClosed):
            while isinstance(message := await outgoing.get(), str):
                await socket.send(message)
            await socket.close(*message)

    async def _receive(self, socket: Any, outgoing: Outgoing, ending: Ending, deadline: float) -> None:
        """Takes messages until the connection ends. Raises TimeoutError when nothing comes for too long."""
        if socket.subprotocol != SUBPROTOCOL:  # 2.2
            ending.reason = "The server does not speak this protocol."
            return
        auth = self._auth() if callable(self._auth) else self._auth
        auth = await auth if inspect.isawaitable(auth) else auth
        since = self._since([room for room in self.positions if room not in self._rooms][-ROOMS_PER_REQUEST:])
        hello = present(protocol=VERSION, auth=auth, home=self._home, since=since)
        outgoing.put_nowait(self._closed or encode(event="hub:hello", data=hello))
        limit: float | None = None
        while True:
            patience = deadline - time.monotonic() if self.id is None else limit and limit * self._patience
            message = await asyncio.wait_for(socket.recv(), patience)
            packet = parse(message)
            name, data = packet.get("event"), packet.get("data", ABSENT)
            if name == "hub:bye":
                ending.bye = data
            elif name == "hub:error":
                self._events.put_nowait(Event(name, data))
            elif self.id is not None:
                if patience is not None and time.monotonic() - (self._opened_at or 0) >= patience:
                    self._patience = 1
                self._take(message, packet, outgoing)
            elif name == "hub:welcome":
                if data["protocol"] != VERSION:  # 4
                    ending.code, ending.reason = 4004, f"The server speaks version {data['protocol']}."
                    return
                limit = (data["heartbeat"] + data["timeout"]) / 1000 if data["heartbeat"] else None
                self._window = data.get("window", math.inf)
                self._home = data.get("home", data["id"])
                self._welcome(data["id"], outgoing)

    def _delay(self, ending: Ending) -> float | None:
        """Returns the time to wait before the next attempt; None if there is none."""
        stable = self._opened_at is not None and time.monotonic() - self._opened_at >= self._stable_after
        self._opened_at = None
        if stable:
            self._attempts = 0
        bye = ending.bye
        way = after_close(ending.code) if bye is None else "at-once" if bye["reconnect"] else "never"
        if way == "never":
            return None
        hint = (bye.get("after", 0) + random.random() * bye.get("spread", 0)) / 1000 if bye is not None else 0.0
        if way == "at-once" and stable:
            return hint
        longest = min(self._max_delay, self._min_delay * 2.0 ** min(self._attempts, 60))
        self._attempts += 1
        return max(hint, ending.retry_after, random.random() * longest)

    def _welcome(self, socket_id: str, outgoing: Outgoing) -> None:
        """Asks for the rooms, repeats the requests that have a key, and then sends what has waited (7.2)."""
        self.id, self._opened_at = socket_id, time.monotonic()
        self._left = math.inf  # What a connection begins with is not counted (4.2).
        self._tell("open")
        rooms = list(self._rooms)
        for first in range(0, len(rooms), ROOMS_PER_REQUEST):
            self._ask_for(rooms[first : first + ROOMS_PER_REQUEST])
        repeated = [request for request in self._requests.values() if request.sent and request.has_key]
        self._outbox[:0] = [(request.text, request) for request in repeated]
        self._flush(self._window)

    def _flush(self, window: float) -> None:
        """Sends what waits, as far as it fits."""
        self._left = window
        waiting, self._outbox = self._outbox, []
        for message in waiting:
            self._send(*message)

    def _lost(self) -> None:
        """Settles the requests that do not outlive their connection."""
        for request in list(self._requests.values()):
            if request.has_key or not (request.sent or request.event.startswith("hub:")):
                continue
            if request.event == "hub:leave":
                settle(request.reply)  # The client is out of the room.
            elif request.event == "hub:join":
                request.reply.cancel()  # The room is asked for again.
            else:
                settle(request.reply, error=RequestError("disconnected"))

    def _fail_all(self) -> None:
        for future in [*(request.reply for request in self._requests.values()), *self._rooms.values()]:
            settle(future, error=RequestError("closed"))

    # Messages.

    def _send(self, text: str, request: Request | None = None) -> None:
        if self._closed is not None:
            raise RequestError("closed")
        if self._outgoing is None or self.id is None or self._left < 0:
            self._outbox.append((text, request))
        elif request is None or not request.reply.done():  # Perhaps nobody waits for it any more.
            self._outgoing.put_nowait(text)
            if request is not None:
                request.sent = True
            self._left -= 256 + len(text.encode())  # 4.2
            if self._left < 0:
                self._outgoing.put_nowait(encode(event="hub:sync", id=0))  # Other requests have other numbers.

    def _ask(self, event: str, data: Any = ABSENT, key: Any = ABSENT) -> Request:
        number = self._last_id = self._last_id + 1
        text = encode(event=event, id=number, key=key, data=data)
        request = Request(event, text, asyncio.get_running_loop().create_future(), has_key=key is not ABSENT)
        self._send(text, request)
        self._requests[number] = request
        request.reply.add_done_callback(lambda _: self._requests.pop(number))
        return request

    def _ask_for(self, rooms: list[str]) -> None:
        """Asks for rooms that the application waits for, or was in before, in one message (4.1)."""
        waiting = [(room, self._rooms[room]) for room in rooms]
        self._entered.difference_update(rooms)

        def asked(reply: asyncio.Future[Any]) -> None:
            if reply.cancelled():
                return  # The connection was lost, and the rooms are asked for on the next one.
            error, errors = reply.exception(), {}
            if error is None:
                for refused in (reply.result() or {}).get("refused", []):
                    errors[refused["room"]] = remote(refused)
            elif isinstance(error, RequestError) and error.why == "remote":
                errors = dict.fromkeys(rooms, error)
            else:
                return
            for room, joined in waiting:
                self._decided(room, joined, errors.get(room))

        self._ask("hub:join", present(rooms=rooms, since=self._since(rooms))).reply.add_done_callback(asked)

    def _since(self, rooms: list[str]) -> Any:
        return {room: self.positions[room] for room in rooms if room in self.positions} or ABSENT

    def _forget(self, room: str) -> asyncio.Future[None] | None:
        self.positions.pop(room, None)
        return self._rooms.pop(room, None)

    def _decided(self, room: str, joined: asyncio.Future[None], error: RequestError | None) -> None:
        if error is None:
            self._entered.add(room)
            settle(joined)
            return
        again = joined.done()
        if self._rooms.get(room) is joined and not (again and error.code in NO_REFUSALS):
            self._forget(room)
        settle(joined, error=error)
        if again:
            self._events.put_nowait(Event("hub:error", {"code": error.code, "message": str(error)}))

    def _take(self, message: str | bytes, packet: dict[str, Any], outgoing: Outgoing) -> None:
        name, number, data = packet.get("event"), packet.get("reply"), packet.get("data", ABSENT)
        if (room := packet.get("room")) in self.positions and "at" in packet:
            self.positions[room]["at"] = packet["at"]  # 4.3
        if name == "hub:ping":
            outgoing.put_nowait(encode(event="hub:pong"))
        elif name == "hub:record":
            self.positions[data["room"]] = {"stream": data["stream"], "at": data["at"]}
            if "gap" in data:  # What the application shows has to be loaded anew.
                self._events.put_nowait(Event("hub:gap", data["gap"], data["room"]))
        elif name == "hub:left":
            self.positions.pop(data["room"], None)
            if data["room"] in self._entered:  # Otherwise a request is on its way, and will have an answer.
                self._forget(data["room"])
            self._events.put_nowait(Event(name, data))
        elif name == "hub:dropped" or (isinstance(name, str) and not name.startswith("hub:")):
            self._events.put_nowait(Event(name, data, packet.get("room")))
            if "id" in packet:
                task = asyncio.create_task(self._answer(name, data, packet["id"], outgoing))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
        elif name is None and isinstance(number, int):
            if number == 0:
                self._flush(self._window)
            request, error = self._requests.get(number), packet.get("error")
            if request is not None:  # Otherwise it is late, invented, or the second one (5).
                failed = remote(error) if error else None
                settle(request.reply, packet.get("data"), error=failed)
        elif not isinstance(name, str):
            self._events.put_nowait(Event("hub:message", message))  # 6

    async def _answer(self, name: str, data: Any, number: int, outgoing: Outgoing) -> None:
        try:
            if name not in self._handlers:
                raise ReplyError("unknown-event", f'This client does not handle "{name}".')
            answer = self._handlers[name](data)
            answer = await answer if inspect.isawaitable(answer) else answer
            reply = encode(reply=number, data=ABSENT if answer is None else answer)
        except ReplyError as error:
            reply = encode(reply=number, error=present(code=error.code, message=str(error), data=error.data))
        except Exception:  # The details are nobody else's business.
            reply = encode(reply=number, error={"code": "handler-failed", "message": "The client failed."})
        outgoing.put_nowait(reply)

    def _tell(self, state: str, **details: Any) -> None:
        self._events.put_nowait(Event("hub:state", {"state": state, **details}))


def after_close(code: int) -> Literal["never", "back-off", "at-once"]:
    """Returns what a client does after a connection has ended with this code: the table of 7.2."""
    if code in (1001, 1006, 1009) or 1011 <= code <= 1015 or 4100 <= code <= 4199:
        return "back-off"
    return "at-once" if 4200 <= code <= 4299 else "never"


def remote(error: dict[str, Any]) -> RequestError:
    """Returns the exception for an error of the server."""
    return RequestError("remote", error["code"], error["message"], error.get("data"))


def present(**fields: Any) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if value is not ABSENT}


def encode(**fields: Any) -> str:
    return json.dumps(present(**fields), allow_nan=False)  # 3.1


def parse(message: str | bytes) -> dict[str, Any]:
    """Returns the object in a message, or an empty one."""
    with suppress(ValueError, RecursionError):
        if isinstance(message, str) and isinstance(packet := json.loads(message), dict):
            return packet
    return {}


def retry_after(error: Exception) -> float:
    """Returns for how long a refusal asks to wait (2.1). Versions of websockets differ in where the headers are."""
    seconds = getattr(getattr(error, "response", error), "headers", {}).get("Retry-After", "")
    return float(seconds) if seconds.isdecimal() else 0.0


def settle(future: asyncio.Future[Any], result: Any = None, *, error: Exception | None = None) -> None:
    if future.done():
        return
    if error is None:
        future.set_result(result)
    else:
        future.set_exception(error)
        future.exception()  # Nobody has to look at it.


async def main(url: str) -> None:
    async with Client(url) as client:
        async for event in client:
            print(event)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
