import { readdirSync } from "node:fs";
import type { TransportName } from "roomcast";
import { Application } from "./application.ts";
import type { Command, Figures, HubFigures, HubName, Report } from "./messages.ts";
import { Prototypes } from "./prototypes.ts";

const prototypes = new Prototypes();
const transport = process.argv[2] as TransportName;
const applications = {
  usual: new Application("usual", transport),
  lenient: new Application("lenient", transport),
  compressing: new Application("compressing", transport),
};

function tell(report: Report): void {
  process.send?.(report);
}

function ofEach<V>(of: (application: Application) => V): Record<HubName, V> {
  const { usual, lenient, compressing } = applications;
  return { usual: of(usual), lenient: of(lenient), compressing: of(compressing) };
}

function figures(): Figures {
  if (globalThis.gc === undefined) throw new Error("Start the server's process with --expose-gc.");
  // Twice, because what the first collection finalises only the second frees.
  globalThis.gc();
  globalThis.gc();
  const { rss, heapUsed, external } = process.memoryUsage();
  const resources: Record<string, number> = {};
  for (const name of process.getActiveResourcesInfo()) resources[name] = (resources[name] ?? 0) + 1;
  return {
    hubs: ofEach(({ figures: ofHub }): HubFigures => ofHub),
    descriptors: readdirSync("/proc/self/fd").length,
    resources,
    memory: heapUsed + external,
    rss,
    pollution: prototypes.additions,
  };
}

for (const event of ["uncaughtException", "unhandledRejection", "warning"] as const) {
  process.on(event, (fault: unknown) => {
    tell({ told: "fault", fault: `${event}: ${fault instanceof Error ? fault.stack : String(fault)}` });
  });
}

process.on("message", (command: Command) => {
  if (command.do === "figures") tell({ told: "figures", figures: figures() });
  else if (command.do === "pause") tell({ told: "paused", ticks: ofEach((application) => application.pause()) });
  else process.exit(0);
});
// The coordinator is gone.
process.on("disconnect", () => process.exit(1));

const { usual, lenient, compressing } = applications;
const ports = { usual: await usual.listen(), lenient: await lenient.listen(), compressing: await compressing.listen() };
tell({ told: "ports", ports });
