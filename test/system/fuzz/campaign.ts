import type { Arena, Level, Result } from "./case.ts";
import type { ServerProgram } from "./server-program.ts";

/** How many connections there are at a time. */
const AT_A_TIME = 32;

/** How much of a script is shown. */
const SHOWN = 2_000;

/** After so many complaints there is enough to look for. */
const ENOUGH = 5;

/** What came of the cases of one level. */
export interface Summary {
  readonly inputs: number;
  readonly cases: number;
  /** In milliseconds. */
  readonly duration: number;
  /** How often each came about. */
  readonly outcomes: ReadonlyMap<string, number>;
  readonly complaints: readonly string[];
  /** What should have come about, but did not. */
  readonly missing: readonly string[];
}

/** Plays the cases of these seeds, `first` and on, until there were so many inputs. */
export async function campaign(
  level: Level,
  arena: Arena,
  server: ServerProgram,
  { first, inputs: wanted }: { readonly first: number; readonly inputs: number },
): Promise<Summary> {
  const outcomes = new Map<string, number>();
  const complaints: string[] = [];
  const playing = new Set<number>();
  let inputs = 0;
  let next = first;
  const isOver = (): boolean => inputs >= wanted || complaints.length >= ENOUGH || server.complaints.length > 0;
  const work = async (): Promise<void> => {
    while (!isOver()) {
      const seed = next++;
      playing.add(seed);
      const result = await tried(level, seed, arena);
      if (server.complaints.length === 0) playing.delete(seed);
      inputs += result.inputs;
      for (const outcome of result.outcomes) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      for (const complaint of result.complaints) {
        complaints.push(`${complaint}\n${replay(seed, level, arena)}\n${result.script.slice(0, SHOWN)}`);
      }
    }
  };
  const start = performance.now();
  // Of a single input, one connection: what came of a seed must not depend on others.
  await Promise.all(Array.from({ length: Math.min(AT_A_TIME, wanted) }, work));
  const duration = performance.now() - start;
  if (server.complaints.length > 0) {
    complaints.push(...server.complaints, ...Array.from(playing, (seed) => replay(seed, level, arena)));
  }
  const due = [...level.outcomes, ...(level.outcomesOn?.[arena.transport] ?? [])];
  const missing = due.filter((outcome) => !outcomes.has(outcome));
  return { missing, inputs, cases: next - first, duration, outcomes, complaints };
}

async function tried(level: Level, seed: number, arena: Arena): Promise<Result> {
  try {
    return await level.play(seed, arena);
  } catch (error) {
    return { inputs: 1, outcomes: [], complaints: [String(error)], script: "" };
  }
}

/** How to see it again. */
function replay(seed: number, { name }: Level, { transport }: Arena): string {
  return `SEED=${seed} FUZZ_CASES=1 npx vitest run test/system/fuzz -t "${name} on ${transport}"`;
}
