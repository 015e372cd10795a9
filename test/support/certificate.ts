import { fileURLToPath } from "node:url";

/** The certificate for localhost that tests of TLS use, which signs itself. */
export const CERT_FILE: string = fixture("cert.pem");
export const KEY_FILE: string = fixture("key.pem");

function fixture(name: string): string {
  return fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
}
