import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { Hub } from "roomcast";
import { blocksOf } from "../../support/markdown.ts";
import { TRANSPORTS } from "../../support/transports.ts";

/** The parts of the client of `docs/PROTOCOL.md` that its page provides. */
interface Surroundings {
  readonly url: string;
  readonly rooms: readonly string[];
  readonly WebSocket: typeof WebSocket;
  setTimeout(callback: () => void, delay: number): void;
  reload(room: string): void;
  handle(event: string, data: unknown, room: string): void;
}

const PATH = "docs/PROTOCOL.md";

/** Starts the client of `docs/PROTOCOL.md` as it stands there. */
function start(surroundings: Surroundings): void {
  const block = blocksOf(PATH).find(({ info, text }) => info[0] === "js" && text.includes("hub:record"));
  if (block === undefined) throw new Error(`${PATH} has no such client.`);
  const names = Object.keys(surroundings);
  // oxlint-disable-next-line typescript/no-implied-eval, no-new-func -- the document is the source
  const run = new Function(...names, `${block.text}\nopen();`) as (...values: unknown[]) => void;
  run(...Object.values(surroundings));
}

function eventsOf(room: string, events: readonly (readonly unknown[])[]): readonly unknown[] {
  return events.filter(([place]) => place === room);
}

test.each(TRANSPORTS)(
  "the plain client of the document misses nothing, and hears of gaps, on %s",
  async (transport) => {
    const hub = new Hub({
      transport,
      joinable: () => true,
      history: { rooms: { "chat*": { size: 100, age: 60_000 } } },
    });
    onTestFinished(() => hub.close());
    const { port } = await hub.listen({ host: "127.0.0.1" });
    const heard: (readonly unknown[])[] = [];
    const gaps: string[] = [];
    let isOver = false;
    onTestFinished(() => {
      isOver = true;
    });
    start({
      url: `ws://127.0.0.1:${port}/`,
      rooms: ["chat 1", "chat 2"],
      WebSocket,
      // It does not wait, and after the test nobody connects again.
      setTimeout: (callback) => {
        if (!isOver) setImmediate(callback);
      },
      reload: (room) => gaps.push(room),
      handle: (event, data, room) => {
        if (event === "said") heard.push([room, data]);
      },
    });
    const areIn = async (): Promise<void> => {
      await expect.poll(() => ["chat 1", "chat 2"].map((room) => hub.rooms.get(room)?.size)).toStrictEqual([1, 1]);
    };
    const said: (readonly unknown[])[] = [];
    const say = (room: string): void => {
      said.push([room, said.length]);
      hub.to(room).emit("said", said.length - 1);
    };
    await areIn();
    say("chat 1");
    for (let round = 0; round < 5; round++) {
      for (const [, socket] of hub.sockets) socket.terminate();
      for (const room of ["chat 1", "chat 2", "chat 1"]) say(room);
      // oxlint-disable-next-line no-await-in-loop -- one round after the other
      await areIn();
      say("chat 2");
    }
    await expect.poll(() => heard.length).toBe(said.length);
    for (const room of ["chat 1", "chat 2"]) expect(eventsOf(room, heard)).toStrictEqual(eventsOf(room, said));
    expect(gaps).toStrictEqual([]);
    await hub.forget("chat 2");
    await expect.poll(() => gaps).toStrictEqual(["chat 2"]);
  },
);
