/** Where the decoder is in a frame. */
export class Cursor {
  /** position in the buffer of the next header */
  at = 0
  /** after the last captured byte of what encloses the next header */
  end = 0
  /** after its last byte on the wire: more than `end` where the capture was cut */
  wireEnd = 0

  /** Captured bytes from here on, negative where a header reached over the end. */
  left(): number {
    return this.end - this.at
  }
}

/** Ethertypes, and three numbers outside of their range for what has none. */
export const etherType = {
  ipv4: 0x0800,
  arp: 0x0806,
  transparentEthernet: 0x6558,
  vlan: 0x8100,
  ipv6: 0x86dd,
  ppp: 0x880b,
  mpls: 0x8847,
  mplsMulticast: 0x8848,
  pppoe: 0x8864,
  serviceVlan: 0x88a8,
  erspan2: 0x88be,
  erspan3: 0x22eb,
  oldServiceVlan: 0x9100,
  /** nothing that is decoded */
  none: -1,
  /** IPv4 or IPv6, as its first four bits say */
  ip: -2,
} as const
