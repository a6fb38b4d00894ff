const noBytes: Uint8Array = Buffer.alloc(0)

/**
 * The packet that every tracker of the analysis gets.
 *
 * How it is used:
 * - There is ONE object, filled again for each packet: copy what you keep. The bytes of `buffer` are reused, too.
 * - A frame with tunnels is handed over once for each IP datagram in it, from the outside to the inside: first the outer UDP datagram
 *   (`carriesTunnel` is true, its payload is not an application's), then the inner datagram (`tunnelDepth` 1, and so on up to 4).
 *   `frameNumber`, `frameOffset` and the times are the same for all of them. A frame without IP is handed over once (ARP: `etherType` 0x0806).
 * - The IP datagram that an ICMP error quotes is handed over after the ICMP message, with `inIcmpError` true and the fields of TCP that were
 *   quoted (`payloadCaptured` may be 0). It belongs to no connection (`connection` is -1) and changes none.
 * - All offsets are positions in `buffer`, -1 where the frame does not have the thing. Every byte from an offset to offset + the captured
 *   length of the same name is inside the frame: a reader that stays in these bounds reads no other packet.
 * - Numbers only, so that nothing is allocated per packet: times are ns since `baseSeconds`, addresses are offsets (`addressText` makes text).
 */
export class DecodedPacket {
  /** The frame's bytes are `buffer[frameOffset]` to `buffer[frameOffset + capturedLength - 1]`. */
  buffer: Uint8Array = noBytes
  frameOffset = 0
  /** position of the frame in the file, from 1, as Wireshark counts */
  frameNumber = 0
  /** bytes in the file */
  capturedLength = 0
  /** bytes on the wire, never less than `capturedLength` */
  wireLength = 0
  /** s since the epoch, and ns to add */
  seconds = 0
  nanoseconds = 0
  /** ns since the start of the second of the first packet: exact for 104 days, may go backwards */
  timeNs = 0
  /** LINKTYPE_ number */
  linkType = 0
  /** SLL2: the interface index; pcapng: the number of the interface description in the file; else 0 */
  interfaceId = 0
  /** SLL and SLL2: 0 to this host, 1 broadcast, 2 multicast, 3 to another host, 4 sent by this host; -1 for other link types */
  packetType = -1
  /** Bits of `layer`: everything that was found in the frame so far, outer layers included. */
  layers = 0

  /** number of VLAN tags before this datagram, and the identifiers of the outermost and the innermost one (-1: none) */
  vlanCount = 0
  outerVlan = -1
  /** ethertype of the outermost tag: 0x8100, or 0x88a8 for a provider's tag */
  outerVlanType = 0
  vlan = -1
  /** stands for the whole stack of tags, those outside of tunnels included; 0: no tag */
  vlanKey = 0
  /** how many tunnels are around this datagram; the kind of the innermost one (`tunnel`), its VNI or key (-1: none) */
  tunnelDepth = 0
  tunnelKind = 0
  tunnelId = -1
  /** the payload is a tunnel's: the datagram inside is handed over next */
  carriesTunnel = false
  inIcmpError = false

  /** of the innermost Ethernet or SLL header; 0 where IP is not preceded by one */
  etherType = 0
  /** where the bytes after the link header are (the ARP message, for example), and how many were captured */
  networkOffset = -1
  networkCaptured = 0

  /** 4, 6, or 0 where there is no IP */
  ipVersion = 0
  sourceOffset = -1
  destinationOffset = -1
  /** bytes of an address: 4 or 16 */
  addressLength = 0
  /** IPv4 identification; 0 for IPv6 */
  ipId = 0
  /** TTL or hop limit */
  ttl = 0
  dontFragment = false
  /** a fragment header or fragment bits are there; an atomic IPv6 fragment has the header and is whole */
  hasFragmentHeader = false
  /** bytes before this fragment in its datagram; where it is > 0 there are no ports */
  fragmentStartBytes = 0
  moreFragments = false
  /** last protocol number of the chain: 6 TCP, 17 UDP, 1 ICMP, 58 ICMPv6; -1 where it is unknown */
  protocol = -1

  /** of the TCP, UDP or ICMP header; -1 where it is not there (a later fragment, cut off) */
  transportOffset = -1
  sourcePort = 0
  destinationPort = 0
  /** after the TCP or UDP header; for ICMP after the first four bytes */
  payloadOffset = -1
  /** bytes by the IP length, not by what was captured */
  payloadLength = 0
  /** bytes of the payload that are in `buffer`, at most `payloadLength` */
  payloadCaptured = 0

  /** unsigned 32 bit */
  sequence = 0
  acknowledgment = 0
  /** bits of `tcpFlag` */
  tcpFlags = 0
  /** as in the header, not scaled */
  window = 0
  /** shift of the window scale option, -1: not there */
  windowScale = -1
  /** bytes of the MSS option, 0: not there */
  maxSegmentLength = 0
  hasTimestamps = false
  timestampValue = 0
  timestampEcho = 0
  /** number of SACK blocks; their left and right edges are `sackEdges[2 * i]` and `sackEdges[2 * i + 1]` */
  sackCount = 0
  readonly sackEdges = new Uint32Array(8)
  isSackPermitted = false

  /** Set by the connection tracker before other trackers are called. Number of the connection (TCP, UDP), -1: none. See `Connections`. */
  connection = -1
  /** of the datagram that an ICMP error quotes: the connection that it is about, -1: it is not known */
  quotedConnection = -1
  /** 0: sent by the endpoint that is `first` of the connection (the client where a SYN was seen), 1: by the other */
  direction = 0
  /** bits of `tcpEvent`: how the segment was judged */
  tcpEvents = 0
  /** the sequence number after the highest byte which this direction sent before this segment; meaningful where `isNextKnown` */
  nextSequence = 0
  isNextKnown = false
  /** all its data was sent before in this direction: set by the connection tracker, as `tcpEvents` */
  isResent = false
  /** the same packet was seen on another interface before: statistics and application parsers skip it */
  isCopy = false
  /** bits of `trait`; set before trackers are called */
  traits = 0
}

/** What a packet has that only some trackers look at. */
export const trait = {
  /** payload of a connection's TCP segment or UDP datagram, some of which was captured */
  payload: 1 << 0,
  /** a connection's TCP segment with FIN or RST */
  close: 1 << 1,
  /** no segment or datagram of a connection: ICMP, what it quotes, ARP, later fragments, headers that are cut off */
  other: 1 << 2,
  /** a VLAN tag, a tunnel, or a fragment header */
  wrapped: 1 << 3,
  /** a connection's segment or datagram without payload: every second packet is an acknowledgment */
  bare: 1 << 4,
} as const

/** IP protocol numbers. */
export const ipProtocol = {
  icmp: 1,
  igmp: 2,
  ipip: 4,
  tcp: 6,
  udp: 17,
  ipv6: 41,
  gre: 47,
  esp: 50,
  ah: 51,
  icmpv6: 58,
  sctp: 132,
} as const

export const tcpFlag = { fin: 1, syn: 2, rst: 4, psh: 8, ack: 16, urg: 32, ece: 64, cwr: 128 } as const

export const tunnel = { none: 0, ipip: 1, gre: 2, erspan: 3, vxlan: 4, geneve: 5 } as const

/** What was found in a frame, by the names that tshark gives the protocols. */
export const layer = {
  eth: 1 << 0,
  sll: 1 << 1,
  raw: 1 << 2,
  null: 1 << 3,
  vlan: 1 << 4,
  mpls: 1 << 5,
  pppoes: 1 << 6,
  arp: 1 << 7,
  ip: 1 << 8,
  ipv6: 1 << 9,
  tcp: 1 << 10,
  udp: 1 << 11,
  icmp: 1 << 12,
  icmpv6: 1 << 13,
  igmp: 1 << 14,
  sctp: 1 << 15,
  esp: 1 << 16,
  gre: 1 << 17,
  erspan: 1 << 18,
  vxlan: 1 << 19,
  geneve: 1 << 20,
  ppp: 1 << 21,
} as const

/** tshark's judgement of a segment, the 15 `tcp.analysis.*` counters. `retransmission` is set beside `fastRetransmission` and `spuriousRetransmission`, too. */
export const tcpEvent = {
  retransmission: 1 << 0,
  fastRetransmission: 1 << 1,
  spuriousRetransmission: 1 << 2,
  outOfOrder: 1 << 3,
  duplicateAck: 1 << 4,
  lostSegment: 1 << 5,
  ackLostSegment: 1 << 6,
  zeroWindow: 1 << 7,
  zeroWindowProbe: 1 << 8,
  zeroWindowProbeAck: 1 << 9,
  windowFull: 1 << 10,
  windowUpdate: 1 << 11,
  keepAlive: 1 << 12,
  keepAliveAck: 1 << 13,
  reusedPorts: 1 << 14,
} as const

/** Gets the packets of one capture in order. It must not throw. */
export interface PacketTracker {
  /** `onPacket` is called for packets that have one of these traits (bits of `trait`); undefined: for all */
  readonly wantedTraits?: number
  onPacket?(packet: DecodedPacket): void
  /** The connection is evicted, or the capture has ended. Called once for each connection that is not a copy of another. */
  onConnectionEnd?(connection: number): void
  /** The connection's number is about to be given to another connection (a reuse of its ports has a new number and does not count here). */
  onConnectionEvicted?(connection: number): void
  /** Its packets turn out to belong to another connection: it is forgotten, and does not end. */
  onConnectionMerged?(connection: number): void
}

/** Facts of one connection, for a finding or a table: made on demand, never per packet. */
export interface ConnectionFacts {
  readonly protocol: number
  /** the sender of the SYN; where none was seen, the sender of the SYN-ACK's peer; else the sender of the first packet */
  readonly client: Endpoint
  readonly server: Endpoint
  /** where it ended behind NAT, where the capture shows it: the pod behind the address of a service */
  readonly backend: Endpoint | undefined
  /** false: the direction is a guess */
  readonly isClientKnown: boolean
  readonly interfaceId: number
  readonly vlan: number
  readonly tunnelId: number
  readonly firstFrame: number
  readonly firstTimeNs: number
  readonly lastTimeNs: number
}

export interface Endpoint {
  readonly address: string
  readonly port: number
  /** of a server: the port of 127.0.0.1 to which iptables redirects the client's packets, where it does */
  readonly redirectPort?: number
}

/** What trackers may ask about connections. The numbers are those of `DecodedPacket.connection`. */
export interface Connections {
  facts(connection: number): ConnectionFacts
  /** 0 or 1: which `direction` is the client's */
  clientDirection(connection: number): number
  /** bits of the directions that have packets: 3 is both */
  seenDirections(connection: number): number
  /** ns since `baseSeconds` of the connection's first packet */
  firstTimeNs(connection: number): number
  /** ns: the handshake's round trip (tshark's iRTT), undefined where it was not seen */
  initialRoundTripNs(connection: number): number | undefined
  /** ns since `baseSeconds` of the latest packet of the capture */
  readonly nowNs: number
}
