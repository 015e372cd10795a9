import { Hub, type Socket } from "roomcast";
import { memory } from "roomcast/testing";
import { median } from "./statistics/median.ts";

const ROOMS = 100_000;
const MEMBERS = 10_000;
const ROOMS_EACH = 100;
const BROADCASTS = 20_000;
const ROUNDS = 7;

/** A hub in memory with this many sockets. */
async function hubWith(count: number): Promise<{ hub: Hub; sockets: readonly Socket[] }> {
  const transport = memory();
  const hub = new Hub({ transport, welcome: false, heartbeat: false });
  const sockets: Socket[] = [];
  await new Promise<void>((resolve) => {
    hub.on("connection", (socket) => {
      sockets.push(socket);
      if (sockets.length === count) resolve();
    });
    for (let client = 0; client < count; client++) transport.connect();
  });
  return { hub, sockets };
}

/** Room names are made beforehand: making strings is not what is measured. */
const names = Array.from({ length: ROOMS }, (_, room) => `room-${room}`);

/** Every socket in `ROOMS_EACH` rooms, every room with ten sockets. */
function forEachMembership(sockets: readonly Socket[], action: (socket: Socket, room: string) => void): void {
  for (const [member, socket] of sockets.entries()) {
    for (let step = 0; step < ROOMS_EACH; step++) action(socket, names[(member * ROOMS_EACH + step) % ROOMS] ?? "");
  }
}

function perSecond(action: () => void): number {
  const start = process.hrtime.bigint();
  action();
  return (MEMBERS * ROOMS_EACH) / (Number(process.hrtime.bigint() - start) / 1e9);
}

/** Microseconds for one broadcast to a room of ten, delivery in memory included. */
async function broadcastTime(hub: Hub): Promise<number> {
  const before = process.cpuUsage();
  for (let sent = 0; sent < BROADCASTS; sent += 100) {
    for (let message = 0; message < 100; message++) hub.to("room-0").emit("m", message);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { user, system } = process.cpuUsage(before);
  return (user + system) / BROADCASTS;
}

const full = await hubWith(MEMBERS);
const joins: number[] = [];
const leaves: number[] = [];
for (let round = 0; round < ROUNDS; round++) {
  if (round > 0) leaves.push(perSecond(() => forEachMembership(full.sockets, (socket, room) => socket.leave(room))));
  joins.push(perSecond(() => forEachMembership(full.sockets, (socket, room) => socket.join(room))));
}
console.log(`${MEMBERS * ROOMS_EACH} memberships in ${full.hub.rooms.size} rooms, medians of ${ROUNDS} rounds`);
console.log(`  joins a second    ${(median(joins) / 1e6).toFixed(2)} million`);
console.log(`  leaves a second   ${(median(leaves) / 1e6).toFixed(2)} million`);

const empty = await hubWith(10);
for (const socket of empty.sockets) socket.join("room-0");
const ratios: number[] = [];
const times: { full: number[]; empty: number[] } = { full: [], empty: [] };
for (let round = 0; round < ROUNDS; round++) {
  const inEmpty = await broadcastTime(empty.hub);
  const inFull = await broadcastTime(full.hub);
  times.empty.push(inEmpty);
  times.full.push(inFull);
  ratios.push(inFull / inEmpty);
}
console.log(`A broadcast to ${full.hub.rooms.get("room-0")?.size} members, in µs`);
console.log(`  in that hub       ${median(times.full).toFixed(2)}`);
console.log(`  in an empty hub   ${median(times.empty).toFixed(2)}   ratio ${median(ratios).toFixed(2)}`);
await Promise.all([full.hub.close(), empty.hub.close()]);
