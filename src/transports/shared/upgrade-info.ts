import { plainAddress } from "../../checks/plain-address.ts";
import type { UpgradeInfo } from "../transport.ts";
import type { WaitingClient } from "./waiting-client.ts";

/** What a transport reads of an upgrade request. */
type UpgradeRequest = Pick<UpgradeInfo, "url" | "headers" | "remoteAddress" | "secure">;

/** Describes an upgrade request to the hub. */
export function upgradeInfo(request: UpgradeRequest, client: WaitingClient): UpgradeInfo {
  const { url, headers, remoteAddress, secure } = request;
  return {
    url,
    headers,
    remoteAddress: plainAddress(remoteAddress),
    secure,
    protocols: offeredProtocols(headers["sec-websocket-protocol"]),
    get signal() {
      return client.signal;
    },
  };
}

/** Splits a `Sec-WebSocket-Protocol` header (RFC 6455 section 11.3.4) into its items. */
function offeredProtocols(header: string | undefined): readonly string[] {
  if (header === undefined) return [];
  return header
    .split(",")
    .map((item) => item.trim())
    .filter((item) => item !== "");
}
