/**
 * An event as the hub's own codec writes it, for peers that have no format of their own: encoded as applications do it.
 *
 * @param room - the one that it is sent to; `undefined` where there are several.
 */
export function encodeEvent(room: string | undefined, body: string): string {
  return JSON.stringify({ event: "m", room, data: body });
}

/** The body of what a client says: `{"event":"say","data":"…"}`. */
export function decodeSaid(message: string): string {
  return (JSON.parse(message) as { data: string }).data;
}
