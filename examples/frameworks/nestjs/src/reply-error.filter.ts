import { Catch, HttpException, type ExceptionFilter } from "@nestjs/common";
import { WsException } from "@nestjs/websockets";
import { ReplyError } from "roomcast";

@Catch()
export class ReplyErrorFilter implements ExceptionFilter {
  catch(error: unknown): never {
    if (error instanceof WsException) throw new ReplyError("refused", error.message, { data: error.getError() });
    if (error instanceof HttpException) throw new ReplyError("refused", error.message, { data: error.getResponse() });
    throw error;
  }
}
