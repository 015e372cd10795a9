import { EventEmitter } from "node:events";
import { Logger, type INestApplication, type WsMessageHandler } from "@nestjs/common";
import { AbstractWsAdapter } from "@nestjs/websockets";
import { Hub, type HubOptions, type Socket } from "roomcast";
import { ws } from "roomcast/transports/ws";
import { lastValueFrom, type Observable } from "rxjs";

type Transform = (result: unknown) => Observable<unknown>;

export class RoomcastAdapter extends AbstractWsAdapter {
  private readonly ends = new EventEmitter();

  constructor(
    app: INestApplication,
    private readonly options: HubOptions = {},
  ) {
    super(app);
  }

  create(port: number, options: HubOptions): Hub {
    if (port !== 0) throw new Error("The hub is on the port of the application. Give the gateway a path and no port.");
    const hub = new Hub({ transport: ws({ server: this.httpServer }), ...this.options, ...options });
    hub.on("disconnection", (socket, { reason }) => this.ends.emit(socket.id, reason));
    hub.on("error", (error) => Logger.error(error, "Hub"));
    return hub;
  }

  override bindClientDisconnect(socket: Socket, callback: (reason: string) => void): void {
    this.ends.once(socket.id, callback);
  }

  bindMessageHandlers(socket: Socket, handlers: WsMessageHandler[], transform: Transform): void {
    for (const { message, callback } of handlers) {
      socket.on(message, (data) => lastValueFrom(transform(callback(data)), { defaultValue: undefined }));
    }
  }

  override close(hub: Hub): Promise<void> {
    return hub.close();
  }
}
