import { defineContract } from "roomcast/contract";
import { z } from "zod";

const name = z.string().trim().min(1).max(32);
const room = z.string().max(32);
const person = z.object({ id: z.string(), name });
const message = z.object({ id: z.string(), from: person, text: z.string(), at: z.number() });

const profile = z.object({ name });

/** What a page says of its user when it connects. All tabs of a browser are one user. */
export const visitor = profile.extend({ user: z.string().min(1).max(64) });

/** The events of the rooms, for both sides: the types of all of it, and for the server the checks of what comes in. */
export const contract = defineContract({
  client: {
    typing: z.object({ room, isTyping: z.boolean() }),
  },
  server: {
    message,
    rooms: z.array(z.object({ name: room, people: z.number() })),
  },
  requests: {
    history: { data: z.object({ room }), reply: z.array(message) },
    say: { data: z.object({ room, text: z.string().trim().min(1).max(2_000) }), reply: message },
    rename: { data: profile, reply: person },
  },
});

export type Person = z.infer<typeof person>;

/** What everybody in a room knows of a user there. */
export interface Present {
  readonly name: string;
  readonly isTyping: boolean;
}

export type Message = z.infer<typeof message>;
