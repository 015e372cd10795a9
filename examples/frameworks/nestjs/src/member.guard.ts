import type { CanActivate, ExecutionContext } from "@nestjs/common";
import type { Socket } from "roomcast";

export class MemberGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    return context.switchToWs().getClient<Socket>().rooms.has("lobby");
  }
}
