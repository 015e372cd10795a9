import { readFileSync } from "node:fs";
import { once } from "node:events";
import { connect, type AddressInfo } from "node:net";
import { createServer } from "node:tls";
import type { TestContext } from "vitest";
import { CERT_FILE, KEY_FILE } from "../../support/certificate.ts";

/** Puts TLS before a server of NATS of a version that cannot begin with TLS itself. Resolves with the port. */
export async function tlsFront(t: TestContext, port: number): Promise<number> {
  const settings = { cert: readFileSync(CERT_FILE), key: readFileSync(KEY_FILE) };
  const front = createServer(settings, (near) => {
    const far = connect(port, "127.0.0.1");
    near.on("error", () => {}).on("close", () => far.destroy());
    far.on("error", () => {}).on("close", () => near.destroy());
    // The client of NATS asks for a server that says so itself.
    far.once("data", (info) => {
      near.write(info.toString().replace("INFO {", 'INFO {"tls_available":true,'));
      far.pipe(near);
      near.pipe(far);
    });
  });
  front.listen(0, "127.0.0.1");
  await once(front, "listening");
  t.onTestFinished(() => void front.close());
  return (front.address() as AddressInfo).port;
}
