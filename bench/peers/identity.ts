/** Who a client says it is, and where it belongs. */
export interface Identity {
  readonly client: number;
  readonly rooms: readonly string[];
}

/** Reads the query of a client's request: `client=17&rooms=r0,r5`. */
export function identify(query: URLSearchParams): Identity {
  const rooms = query.get("rooms") ?? "";
  return { client: Number(query.get("client")), rooms: rooms === "" ? [] : rooms.split(",") };
}

/** The same, from the URL of a request. */
export function identifyByUrl(url = ""): Identity {
  return identify(new URLSearchParams(url.slice(url.indexOf("?") + 1)));
}
