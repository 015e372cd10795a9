import type { ClientReport, Connect } from "./client.ts";
import { CONTESTANTS, type ClientKind, type ContestantName } from "./contestants.ts";
import { connectHub } from "./hub-client.ts";
import { Journal, sumOf } from "./journal.ts";
import type { ClientsCommand, ClientsReport, Cut } from "./messages.ts";
import { Network } from "./network.ts";
import { connectPlain } from "./plain-client.ts";
import { connectSocketIo } from "./socket-io-client.ts";

// All clients of one contestant and the network before them, in a process of their own.

/** Nothing more arrives if all clients were in their rooms for so long and heard nothing, in milliseconds. */
const QUIET = 1_500;

/** The longest time until all clients are back, in milliseconds. */
const PATIENCE = 60_000;

/** How often it is looked whether everything has arrived, in milliseconds. */
const INTERVAL = 50;

const CONNECT: Readonly<Record<ClientKind, Connect>> = {
  hub: connectHub,
  plain: connectPlain,
  "socket.io": connectSocketIo,
};

const { client: kind } = CONTESTANTS[process.argv[2] as ContestantName];
const journals: Journal[] = [];
/** The clients that are in all their rooms. */
const present = new Set<number>();
let network: Network | undefined;
let cutting: NodeJS.Timeout | undefined;
let lastChange = Date.now();

process.on("message", (command: ClientsCommand) => void obey(command));

async function obey(command: ClientsCommand): Promise<void> {
  switch (command.do) {
    case "connect":
      await connect(command.ports, command.rooms);
      tell({ told: "joined" });
      break;
    case "cut":
      cutInTurn(command.cuts, Date.now());
      break;
    case "end":
      clearTimeout(cutting);
      network?.heal();
      await settled(command.sent);
      tell({ told: "tally", tally: sumOf(journals.map((journal) => journal.close(command.sent))) });
      break;
  }
}

async function connect(ports: readonly number[], rooms: readonly (readonly string[])[]): Promise<void> {
  network = await Network.to(ports);
  const { port } = network;
  for (const [client, own] of rooms.entries()) {
    const journal = new Journal(own);
    journals.push(journal);
    CONNECT[kind]({ port, client, rooms: own }, reportOf(client, journal));
  }
  await until(() => present.size === rooms.length);
}

function reportOf(client: number, journal: Journal): ClientReport {
  return {
    joined() {
      present.add(client);
      journal.connected();
      lastChange = Date.now();
    },
    lost() {
      present.delete(client);
      lastChange = Date.now();
    },
    received(room, number) {
      journal.received(room, number);
      lastChange = Date.now();
    },
    gap: (room, reason) => journal.gap(room, reason),
  };
}

function cutInTurn(cuts: readonly Cut[], start: number, index = 0): void {
  let next = index;
  const elapsed = Date.now() - start;
  for (let cut = cuts[next]; cut !== undefined && cut.time <= elapsed; cut = cuts[++next]) {
    network?.cut(cut.client, cut.kind);
  }
  const following = cuts[next];
  if (following !== undefined) cutting = setTimeout(() => cutInTurn(cuts, start, next), following.time - elapsed);
}

/** Resolves when everything has arrived, or nothing more does. */
async function settled(sent: Readonly<Record<string, number>>): Promise<void> {
  await until(() => {
    const isQuiet = present.size === journals.length && Date.now() - lastChange > QUIET;
    return isQuiet || journals.every((journal) => journal.missing(sent) === 0);
  });
}

async function until(isTrue: () => boolean): Promise<void> {
  const end = Date.now() + PATIENCE;
  while (!isTrue() && Date.now() < end) {
    await new Promise((resolve) => {
      setTimeout(resolve, INTERVAL);
    });
  }
}

function tell(report: ClientsReport): void {
  process.send?.(report);
}
