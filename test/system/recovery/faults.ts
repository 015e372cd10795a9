import type { GapReason } from "roomcast";
import { Random } from "../../support/random.ts";
import type { Fault, Run, Slot } from "./run.ts";

/** A node is killed, and another one takes its place after a while. */
export const nodeKilled: Fault = {
  name: "a node is killed",
  happen: (run) => killed(run, run.random.pick(run.nodes)),
};

export const emitterKilled: Fault = {
  name: "an emitter is killed",
  happen: (run) => killed(run, run.random.pick(run.emitters)),
};

export const nodeFrozen: Fault = {
  name: "a node stands still",
  happen: async (run) => {
    const { program } = run.random.pick(run.nodes);
    program.freeze();
    await run.wait(200, 700);
    program.thaw();
  },
};

export const nodeDrained: Fault = {
  name: "a node is drained",
  happen: async (run) => {
    const slot = run.random.pick(run.nodes);
    await slot.program.drain(1_000);
    await slot.program.kill();
    await run.replace(slot);
  },
};

/** The connections of all programs with the engine, or of one of them, end in some way. */
export const engineCut: Fault = {
  name: "connections with the engine end",
  causes: ["unavailable"],
  happen: async (run) => {
    const { random } = run;
    const hit = random.chance(0.5) ? run.slots : [random.pick(run.slots)];
    const proxies = hit.flatMap(({ number }) => run.engine.proxiesOf(number));
    const isAway = random.chance(0.5);
    if (isAway) for (const proxy of proxies) proxy.welcome = random.pick(["refuse", "hang"]);
    for (const proxy of proxies) {
      random.pick([
        () => proxy.cut(),
        () => proxy.reset(),
        // What is on its way to the engine arrives, and no answer does.
        () => proxy.detach(),
        () => proxy.cutAfter(random.pick(["up", "down"]), random.between(1, 2_000)),
      ])();
    }
    if (isAway) await run.wait(100, 600);
    for (const proxy of proxies) proxy.heal();
  },
};

/** What passes between programs and the engine is held for a while. */
export const engineStalled: Fault = {
  name: "the network stalls",
  causes: ["unavailable"],
  happen: async (run) => {
    const { random } = run;
    const slot = random.pick(run.slots);
    const direction = random.pick(["up", "down", undefined] as const);
    for (const proxy of run.engine.proxiesOf(slot.number)) proxy.stall(direction);
    await run.wait(100, 500);
    for (const proxy of run.engine.proxiesOf(slot.number)) proxy.heal();
  },
};

/** Returns a fault that causes gaps where there is no engine that has what a node had. */
export function causing(fault: Fault, ...causes: readonly GapReason[]): Fault {
  return { ...fault, causes };
}

/** Returns the faults in an order that the seed chooses. */
export function shuffled(seed: number, faults: readonly Fault[]): readonly Fault[] {
  const random = new Random(seed);
  return faults
    .map((fault) => ({ fault, place: random.next() }))
    .toSorted((one, other) => one.place - other.place)
    .map(({ fault }) => fault);
}

async function killed(run: Run, slot: Slot): Promise<void> {
  await slot.program.kill();
  await run.wait(0, 300);
  await run.replace(slot);
}
