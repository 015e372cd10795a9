import type { IncomingMessage } from "node:http";
import type { Socket as TcpSocket } from "node:net";
import type { TLSSocket } from "node:tls";
import type { UpgradeInfo } from "../transport.ts";
import { offeredProtocols, plainAddress } from "../shared/upgrade-info.ts";
import type { Vanishing } from "../shared/vanishing.ts";

/** What the hub has to know of a request. */
export function upgradeInfo(request: IncomingMessage, tcp: TcpSocket, client: Vanishing): UpgradeInfo {
  return {
    url: request.url ?? "/",
    // Only `set-cookie`, which requests do not have, is ever an array.
    headers: request.headers as Record<string, string>,
    remoteAddress: plainAddress(tcp.remoteAddress ?? ""),
    secure: (tcp as Partial<TLSSocket>).encrypted === true,
    protocols: offeredProtocols(request.headers["sec-websocket-protocol"]),
    get signal() {
      return client.signal;
    },
  };
}
