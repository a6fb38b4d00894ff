/**
 * Where the fields of a flow are in the table's memory. A flow is one record of `flowWords` signed 32-bit words, the last of which are seen as
 * doubles as well: one record is a few neighbouring cache lines, and nothing is allocated per packet or per flow.
 */
export const word = {
  /** four words of the endpoint with the smaller address and port, then four of the other; IPv4 uses the first of each */
  low: 0,
  high: 4,
  /** port of the low endpoint << 16 | port of the high one */
  ports: 8,
  /** IP version << 8 | protocol */
  protocol: 9,
  hash: 10,
  /** the next flow of the same hash bucket, -1: none */
  chainNext: 11,
  /** where each direction was seen (interface, VLAN, tunnel), see `flowTag` */
  tag0: 12,
  tag1: 13,
  /** bits of `flowBit` */
  bits: 14,
  interfaceId: 15,
  vlan: 16,
  /** the previous flow of the same hash bucket, -1: this is the first */
  chainPrevious: 17,
  tunnelId: 18,
  firstFrame: 19,
  lastFrame: 20,
  /** tshark's tcp.completeness: bits of `completeness` */
  completeness: 21,
  /** all events of its segments: bits of `tcpEvent` */
  events: 22,
  /** number of pure SYNs */
  syns: 23,
  /** two blocks of `directionWords`, one per direction */
  directions: 24,
} as const

/** Within a direction's block. Sequence numbers are signed 32-bit: compare by their difference. */
export const directionWord = {
  next: 0,
  maxAckable: 1,
  lastAck: 2,
  duplicateAcks: 3,
  window: 4,
  /** shift; -1: its SYN had none, -2: its SYN was not seen */
  scale: 5,
  lastEvents: 6,
  /** sequence number of the SYN, or a guess */
  base: 7,
  /** bits of `directionBit` */
  bits: 8,
  packets: 9,
  dataSegments: 10,
  largestPayload: 11,
  /** the highest end of data that was seen, for resent data; `directionBit.hasData` */
  highest: 12,
  resentSegments: 13,
  /** index of the direction's holes, -1: none */
  holes: 14,
} as const

export const directionWords = 15

/** Doubles: index in the view of doubles, within a record of `flowDoubles`. Times are ns since the capture's base. */
export const double = {
  firstTime: 27,
  lastTime: 28,
  /** of the latest pure SYN */
  synTime: 29,
  /** handshake's round trip; negative: not seen */
  roundTrip: 30,
  synAckTime: 31,
  directions: 32,
  /** the last pause of at least 3 s: how long it was, and when it ended */
  idleBefore: 42,
  idleEnd: 43,
} as const

export const directionDouble = {
  nextTime: 0,
  lastAckTime: 1,
  lastTime: 2,
  payloadBytes: 3,
  wireBytes: 4,
} as const

export const directionDoubles = 5

export const flowDoubles = 44
export const flowWords = 88

export const flowBit = {
  /** the first packet was sent by the low endpoint */
  firstIsLow: 1 << 0,
  hasTag1: 1 << 1,
  /** direction 1 is the client's */
  clientIs1: 1 << 2,
  clientKnown: 1 << 3,
  hasSyn: 1 << 4,
  hasSynAck: 1 << 5,
  /** the client acknowledged the SYN-ACK */
  established: 1 << 6,
  hasData: 1 << 7,
  hasFin: 1 << 8,
  hasRst: 1 << 9,
  /** a reset before the client's acknowledgment, by the client or the server */
  refused: 1 << 10,
  resetInHandshake: 1 << 11,
  synRepeated: 1 << 12,
  icmpError: 1 << 13,
  /** a later connection has the same key */
  superseded: 1 << 14,
  /** all its packets are copies of another flow's */
  copy: 1 << 15,
  reused: 1 << 16,
  serverAnswered: 1 << 17,
  clientFinned: 1 << 18,
  serverFinned: 1 << 19,
  /** the latest data was sent in direction 1 */
  lastDataIn1: 1 << 20,
  /** the server sent its SYN-ACK again: the client's acknowledgment did not arrive, or was not captured */
  synAckRepeated: 1 << 21,
} as const

/** Two more bits: packets of direction 0, and of direction 1. */
export const seenShift = 22

export const directionBit = {
  hasBase: 1 << 0,
  /** a segment with ACK and without SYN was sent: windows are scaled from here on */
  isScaling: 1 << 1,
  hasData: 1 << 2,
  /** its last segment announced a window of 0 */
  isStalled: 1 << 3,
} as const

export const completeness = { syn: 1, synAck: 2, ack: 4, data: 8, fin: 16, rst: 32 } as const
