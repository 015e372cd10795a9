import { connect, type Client } from "roomcast/client";

/** The messages of a room, and the way to send one, as long as the component is there. */
export class Room {
  messages = $state<string[]>([]);
  isJoined = $state(false);
  #client: Client | undefined;

  constructor(name: string) {
    $effect(() => {
      const client = connect("/chat");
      client.room(name).on("message", (text) => this.messages.push(text));
      void client.join(name).then(() => (this.isJoined = true));
      this.#client = client;
      return () => client.close();
    });
  }

  send(text: string) {
    this.#client?.emit("message", text);
  }
}
