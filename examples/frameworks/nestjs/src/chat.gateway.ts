import { UseFilters, UseGuards } from "@nestjs/common";
import { MessageBody, SubscribeMessage, WebSocketGateway, WebSocketServer } from "@nestjs/websockets";
import type { Hub, HubOptions } from "roomcast";
import { MemberGuard } from "./member.guard.js";
import { ReplyErrorFilter } from "./reply-error.filter.js";

@WebSocketGateway<HubOptions>({ path: "/chat", joinable: (room) => room === "lobby" })
@UseFilters(ReplyErrorFilter)
export class ChatGateway {
  @WebSocketServer()
  private readonly hub: Hub;

  @SubscribeMessage("message")
  @UseGuards(MemberGuard)
  message(@MessageBody() text: unknown): void {
    this.hub.to("lobby").emit("message", String(text));
  }
}
