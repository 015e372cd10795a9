import { Hub } from "roomcast";
import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { blocksOf } from "../../support/markdown.ts";
import { TRANSPORTS } from "../../support/transports.ts";
import { named } from "./lists.ts";

/** The parts of the client of `docs/PRESENCE.md` that its page provides. */
interface Surroundings {
  readonly url: string;
  readonly room: string;
  readonly WebSocket: typeof WebSocket;
  setTimeout(callback: () => void, delay: number): void;
  show(users: ReadonlyMap<string, unknown>, count: number): void;
  handle(event: string, data: unknown): void;
}

const PATH = "docs/PRESENCE.md";

const block = blocksOf(PATH).find(({ info }) => info[0] === "js");

/** Starts the client of `docs/PRESENCE.md` as it stands there. */
function start(surroundings: Surroundings): void {
  const names = Object.keys(surroundings);
  // oxlint-disable-next-line typescript/no-implied-eval, no-new-func -- the document is the source
  const run = new Function(...names, `${block?.text}\nopen();`) as (...values: unknown[]) => void;
  run(...Object.values(surroundings));
}

/** A WebSocket that loses the next notice of a change when it is told to. */
class LossyWebSocket extends WebSocket {
  static losing = false;

  override emit(event: string | symbol, ...values: unknown[]): boolean {
    const text = event === "message" && LossyWebSocket.losing ? String(values[0]) : "";
    if (!text.includes("hub:presence") || text.includes("reset")) return super.emit(event, ...values);
    LossyWebSocket.losing = false;
    return false;
  }
}

test.each(TRANSPORTS)("the plain client of the document knows who is there, on %s", async (transport) => {
  const hub = new Hub({ ...named({ grace: 0, full: 3 }), transport });
  let isOver = false;
  onTestFinished(async () => {
    isOver = true;
    await hub.close();
  });
  const { port } = await hub.listen({ host: "127.0.0.1" });
  let shown: unknown;
  const handled: string[] = [];
  /** Starts the client of a user. */
  const open = (user: string, show: Surroundings["show"] = () => {}): void => {
    start({
      url: `ws://127.0.0.1:${port}/?${user}`,
      room: "chat",
      WebSocket: LossyWebSocket,
      // It does not wait, and after the test nobody connects again.
      setTimeout: (callback) => {
        if (!isOver) setImmediate(callback);
      },
      show,
      handle: (event) => handled.push(event),
    });
  };
  const isShown = async (count: number, users: object): Promise<void> => {
    await expect.poll(() => shown).toStrictEqual([count, users]);
  };
  const socketOf = (user: string) => [...hub.sockets.values()].find((socket) => socket.user?.id === user);

  open("ann", (users, count) => (shown = [count, Object.fromEntries(users)]));
  await isShown(1, { ann: null });
  open("bob");
  await isShown(2, { ann: null, bob: null });
  socketOf("bob")?.presence("chat").set({ name: "Bob" });
  await isShown(2, { ann: null, bob: { name: "Bob" } });
  // The data stays, as the users do, while their connections are lost; it is told anew.
  shown = undefined;
  for (const socket of hub.sockets.values()) socket.terminate();
  await isShown(2, { ann: null, bob: { name: "Bob" } });
  open("cy");
  open("dee");
  await isShown(4, {});
  await expect.poll(() => socketOf("dee") !== undefined).toBe(true);
  // It has the room no more, and does not come back, because its connection stays.
  socketOf("dee")?.leave("chat");
  socketOf("cy")?.leave("chat");
  await isShown(2, { ann: null, bob: { name: "Bob" } });
  LossyWebSocket.losing = true;
  socketOf("bob")?.presence("chat").set(1);
  await expect.poll(() => LossyWebSocket.losing).toBe(false);
  socketOf("ann")?.presence("chat").set(2);
  await isShown(2, { ann: 2, bob: 1 });
  expect(handled).toContain("hub:welcome");
});

test("it has at most twenty lines", () => {
  expect(block?.text.trim().split("\n").length).toBeLessThanOrEqual(20);
});
