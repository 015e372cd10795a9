import { describe, expect, test } from "vitest";
import { acceptableOffer } from "../../../../src/transports/uws/negotiation.ts";

describe("an offer of compression", () => {
  test.each([
    "permessage-deflate",
    "permessage-deflate; client_max_window_bits",
    "permessage-deflate; client_max_window_bits=10",
    'permessage-deflate; client_max_window_bits="15"',
    "permessage-deflate;client_no_context_takeover ; server_no_context_takeover",
    "permessage-deflate; server_max_window_bits=10, permessage-deflate; client_max_window_bits",
    "x-unknown, permessage-deflate",
  ])("is accepted: %s", (offers) => {
    expect(acceptableOffer(offers)).toBe("permessage-deflate");
  });

  test.each([
    undefined,
    "",
    "x-webkit-deflate-frame",
    "permessage-bzip2",
    "permessage-deflate; server_max_window_bits=10",
    "permessage-deflate; server_max_window_bits=15",
    "permessage-deflate; server_max_window_bits",
    "permessage-deflate; client_max_window_bits=16",
    "permessage-deflate; client_max_window_bits=7",
    "permessage-deflate; client_max_window_bits; client_max_window_bits",
    "permessage-deflate; server_no_context_takeover=1",
    "permessage-deflate; unknown",
    "permessage-deflate; server_max_window_bits=10, permessage-deflate; server_max_window_bits=9",
    // Their letters have the sum that the library takes for the name.
    "permessage-edflate",
  ])("is declined: %s", (offers) => {
    expect(acceptableOffer(offers)).toBe("");
  });
});
