import { nats } from "roomcast/backplanes/nats";
import { backplaneSuite, type BackplaneSubject } from "roomcast/testing";
import { afterAll, beforeAll, describe, it } from "vitest";
import { NatsServer } from "../engines/nats.ts";
import { CLUSTER_TRANSPORTS } from "../../support/cluster-transports.ts";

let server: NatsServer;
beforeAll(async () => {
  server = await NatsServer.start("", true);
});
afterAll(() => server.stop());

const subject: BackplaneSubject = {
  name: "nats",
  create: (prefix) => nats({ servers: server.url, prefix }),
  hasLog: true,
  outage: { begin: () => server.kill(), end: () => server.restart() },
};
backplaneSuite({ describe, it }, subject, CLUSTER_TRANSPORTS);
