import { setTimeout as sleep } from "node:timers/promises";
import type { Engine } from "../recovery/run.ts";
import { LEASE, Run } from "./run.ts";

/** The most time that a run takes, in milliseconds, on a machine that has much else to do. */
export const MOST_TIME = 600_000;

/** `SEED=2 npx vitest run test/system/presence` runs another one. */
const seed = Number(process.env["SEED"] ?? 1);

/** What a busy machine adds to the time after which the users of a dead node are out, in milliseconds. */
const SLACK = 15_000;

/** Ends the engine, and starts it again after a pause. */
type Restart = (pause: () => Promise<unknown>) => Promise<void>;

/**
 * Has users come, go and come back while nodes and the engine end, and looks whether everybody knows in the end who is there, and
 * whether somebody was told that a user had gone who had not. Returns, in words, what is wrong.
 *
 * @param restart - without it the nodes end with the engine.
 */
export async function provePresence(engine: Engine, restart?: Restart): Promise<readonly string[]> {
  const run = await Run.start(engine, seed);
  const phases =
    restart === undefined
      ? [deployed, frozen, killed, restarted]
      : [deployed, (): Promise<void> => cutOff(run, engine, restart), frozen, killed];
  try {
    for (const phase of phases) {
      await phase(run);
      if (run.violations.length > 0) break;
    }
    return run.violations;
  } finally {
    await run.stop();
  }
}

/** Clients reconnect, tabs are closed, and all nodes are deployed anew: nobody flickers, and exactly one node acts on each end. */
async function deployed(run: Run): Promise<void> {
  const gone = [...run.some(10)];
  for (const user of gone) user.leave();
  for (const { tabs } of run.present) if (tabs.length > 1) tabs[0]?.close();
  for (const { tabs } of run.some(60)) for (const tab of tabs) tab.cut();
  for (const [number, node] of run.nodes.entries()) {
    const last = run.some(5, node);
    for (const user of last) user.leave();
    gone.push(...last);
    await run.roll(number);
  }
  await run.agreed();
  await run.actedOn(gone);
  run.checkActedOnce(gone);
}

/** Connections with the engine end, and the engine itself: no list is emptied. A node that is away for long may be taken for dead. */
async function cutOff(run: Run, engine: Engine, restart: Restart): Promise<void> {
  const proxies = engine.proxiesOf(0);
  for (const proxy of proxies) proxy.cut();
  await run.agreed();
  await restart(() => sleep(300));
  await run.agreed();
  await run.pardoning(run.usersOn(0), async () => {
    for (const proxy of proxies) {
      proxy.welcome = "refuse";
      proxy.cut();
    }
    await sleep(LEASE / 5);
    for (const proxy of proxies) proxy.heal();
  });
}

/** A node stands still for less than a lease, of which nobody learns, and for longer. */
async function frozen(run: Run): Promise<void> {
  const [node] = run.nodes;
  node?.freeze();
  await sleep(LEASE / 5);
  node?.thaw();
  await run.agreed();
  await run.pardoning(run.usersOn(0), async () => {
    node?.freeze();
    await sleep(LEASE * 1.5);
    node?.thaw();
  });
}

/** A node is killed. Half of its users stay away; the others come back elsewhere at once, and nobody takes them for absent. */
async function killed(run: Run): Promise<void> {
  const latest = performance.now() + (LEASE * 4) / 3 + SLACK;
  const there = run.some(Infinity, run.nodes[1]);
  const gone = there.slice(there.length / 2);
  // Before their tabs are closed, of which the node must not learn.
  const ended = run.nodes[1]?.kill();
  for (const user of gone) user.leave();
  await ended;
  await run.replace(1);
  await run.agreed();
  await run.actedOn(gone);
  run.checkOutBy(latest, gone);
}

/** Everything ends, and begins again. */
async function restarted(run: Run): Promise<void> {
  await run.pardoning(new Set(run.present), () => run.replaceAll());
}
