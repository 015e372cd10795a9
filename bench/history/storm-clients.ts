import { now } from "../stamp.ts";
import { StormClient, type StormPlan, type Wish } from "./storm-client.ts";
import type { Return, StormCommand, StormReport } from "./storm-messages.ts";

// All clients of a storm, in a process of their own.

/** Handshakes that are under way at a time. */
const CONCURRENCY = 200;

const ADDRESSES = 8;

const WISHES: Readonly<Record<Return, Omit<Wish, "missed">>> = {
  connect: {},
  join: { letter: "o" },
  recover: { letter: "r" },
};

let clients: readonly StormClient[] = [];
let plan: Omit<StormPlan, "from"> = { port: 0, compression: false };

process.on("message", (command: StormCommand) => {
  obey(command).then(tell, (error: Error) => tell({ told: "failed", reason: error.message }));
});

async function obey(command: StormCommand): Promise<StormReport> {
  if (command.do === "lose") {
    for (const client of clients) client.lose();
    return { told: "lost" };
  }
  if (command.do === "return") {
    const { how, missed } = command;
    return { told: "returned", ...(await connect({ ...WISHES[how], missed: how === "recover" ? missed : 0 })) };
  }
  plan = command;
  clients = command.rooms.map((rooms, id) => new StormClient(id, rooms));
  await connect({ ...WISHES.recover, missed: 0 });
  return { told: "begun" };
}

async function connect(wish: Wish): Promise<{ readonly connecting: number; readonly catchingUp: number }> {
  const began = now();
  const waiting = clients.entries();
  const catchingUp: Promise<void>[] = [];
  const connectInTurn = async (): Promise<void> => {
    for (const [index, client] of waiting) {
      const from = `127.0.0.${1 + (index % ADDRESSES)}`;
      const { caughtUp } = await client.connect({ ...plan, from }, wish);
      catchingUp.push(caughtUp);
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, connectInTurn));
  const connected = now();
  await Promise.all(catchingUp);
  return { connecting: (connected - began) / 1e6, catchingUp: (now() - connected) / 1e6 };
}

function tell(report: StormReport): void {
  process.send?.(report);
}
