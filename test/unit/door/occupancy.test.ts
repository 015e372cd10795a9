import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { Occupancy } from "../../../src/door/occupancy.ts";

function limited(maxConnections?: number, maxConnectionsPerAddress?: number): Occupancy {
  return new Occupancy({ maxConnections, maxConnectionsPerAddress });
}

it("the occupancy refuses no client without limits", () => {
  const occupancy = limited();
  for (let count = 0; count < 1_000; count += 1) occupancy.enter("198.51.100.7");
  expect(occupancy.obstacleTo("198.51.100.7")).toBeUndefined();
});

it("the occupancy counts all connections and gives places back", () => {
  const occupancy = limited(2);
  occupancy.enter("198.51.100.7");
  expect(occupancy.obstacleTo("198.51.100.7")).toBeUndefined();
  occupancy.enter("");
  expect(occupancy.obstacleTo("198.51.100.8")).toBe("capacity");
  occupancy.leave("");
  expect(occupancy.obstacleTo("198.51.100.8")).toBeUndefined();
});

it("the occupancy counts the connections of each address and gives places back", () => {
  const occupancy = limited(undefined, 2);
  occupancy.enter("198.51.100.7");
  occupancy.enter("198.51.100.7");
  expect(occupancy.obstacleTo("198.51.100.7")).toBe("address-capacity");
  expect(occupancy.obstacleTo("198.51.100.8")).toBeUndefined();
  occupancy.leave("198.51.100.7");
  expect(occupancy.obstacleTo("198.51.100.7")).toBeUndefined();
});

it("the occupancy names the limit of all connections first, which clients of other addresses meet, too", () => {
  const occupancy = limited(1, 1);
  occupancy.enter("198.51.100.7");
  expect(occupancy.obstacleTo("198.51.100.7")).toBe("capacity");
});

describe("the subscriber", () => {
  it.each([
    ["2001:db8:1:2::1", "2001:db8:1:2::2"],
    ["2001:db8:1:2::1", "2001:db8:1:2:ffff:ffff:ffff:ffff"],
    ["2001:db8:1:2::", "2001:db8:1:2:0:0:0:9"],
    ["2001:db8::1", "2001:db8:0:0:1::"],
    ["2001:db8:0:1::", "2001:db8::1:0:0:0:0"],
    ["2001:db8::5:0:0:1", "2001:db8::6:7:8:9"],
    ["::1", "::2"],
    ["::1.2.3.4", "::2"],
    ["64:ff9b::102:304", "64:ff9b::1.2.3.4"],
    ["1::", "1::1"],
  ])("of %s also has %s", (one, other) => {
    const occupancy = limited(undefined, 1);
    occupancy.enter(one);
    expect(occupancy.obstacleTo(other)).toBe("address-capacity");
    occupancy.leave(other);
    expect(occupancy.obstacleTo(one)).toBeUndefined();
  });

  it.each([
    ["2001:db8:1:2::1", "2001:db8:1:3::1"],
    ["2001:db8::1", "2001:db8:0:1::1"],
    ["2001:db8:0:1::", "2001:db8:1:0::"],
    ["1::2:3:4:5:6", "1:2:3:4:5:6:7:8"],
    ["1::2:3:4:5:6", "1::2:3:4:5"],
    ["::", "1::"],
    ["198.51.100.7", "198.51.100.8"],
    ["0.0.0.0", "::"],
  ])("of %s does not have %s", (one, other) => {
    const occupancy = limited(undefined, 1);
    occupancy.enter(one);
    expect(occupancy.obstacleTo(other)).toBeUndefined();
  });

  it("on a Unix domain socket has no limit of its own", () => {
    const occupancy = limited(undefined, 1);
    occupancy.enter("");
    occupancy.enter("");
    expect(occupancy.obstacleTo("")).toBeUndefined();
    occupancy.leave("");
    occupancy.leave("");
    expect(occupancy.obstacleTo("")).toBeUndefined();
  });
});

it("the occupancy agrees with a plain list, in any order of arrivals and departures", () => {
  const address = fc.constantFrom("198.51.100.7", "198.51.100.8", "2001:db8::1", "");
  const visits = fc.array(fc.record({ address, comes: fc.boolean() }), { maxLength: 60 });
  fc.assert(
    fc.property(visits, fc.nat(8), fc.integer({ min: 1, max: 3 }), (all, most, mostEach) => {
      const occupancy = limited(most, mostEach);
      const inside: string[] = [];
      for (const visit of all) {
        const each = inside.filter((other) => other === visit.address).length;
        const full = visit.address !== "" && each >= mostEach ? "address-capacity" : undefined;
        const obstacle = inside.length >= most ? "capacity" : full;
        expect(occupancy.obstacleTo(visit.address)).toBe(obstacle);
        if (visit.comes && obstacle === undefined) {
          occupancy.enter(visit.address);
          inside.push(visit.address);
        } else if (!visit.comes && each > 0) {
          occupancy.leave(visit.address);
          inside.splice(inside.indexOf(visit.address), 1);
        }
      }
    }),
  );
});
