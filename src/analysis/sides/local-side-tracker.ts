import { addressText } from '../addresses.ts'
import { i32, u16 } from '../bytes.ts'
import type { DecodedPacket, PacketTracker } from '../decoded-packet.ts'
import { isLoopbackAddress, LocalSide, type LocalSideSource } from './local-side.ts'

/** No pod talks to so many that more is needed to tell its own address; of more, nothing is derived from what they have in common. */
const maxAddressesCount = 4_096
/** The hop limits (TTL) that systems start with: Linux, Windows, network devices. */
const fullHopLimits: ReadonlySet<number> = new Set([64, 128, 255])
/** Packet types and the hardware type of LINUX_SLL and LINUX_SLL2 */
const toUs = 0
const sentByUs = 4
const loopbackHardware = 772
const hardwareTypeOffsets: ReadonlyMap<number, number> = new Map([
  [113, 2],
  [276, 8],
])

/** What the packets of one address tell. */
interface AddressFacts {
  readonly text: string
  readonly isLoopback: boolean
  readonly isIpv6: boolean
  /** a packet of it was sent by this host, or arrived from the link; a packet to it arrived */
  isSentOut: boolean
  isSentIn: boolean
  isReceivedIn: boolean
  /** a packet of it had passed no router, or one */
  isFull: boolean
  isHopped: boolean
  /** its packets had not passed a router, and those of the other end had; and the other way round */
  isNear: boolean
  isFar: boolean
  hasLoopbackPeer: boolean
  firstPeer: AddressFacts | undefined
  hasSeveralPeers: boolean
  conversations: number
}

/** Of a connection, by direction: it was seen, and its first packet had not passed a router. */
const seenBits = [1, 2] as const
const fullBits = [4, 8] as const

/**
 * Finds out which addresses are those of the captured host, where that is not known, by the first packet of each direction of a connection.
 * A node forwards packets and sees those of tunnels: its own addresses are no end of most connections, and nothing is derived.
 */
export class LocalSideTracker implements PacketTracker {
  readonly #connections: Uint8Array
  readonly #addresses = new Map<string | number, AddressFacts>()
  readonly #conversations = { ipv4: 0, ipv6: 0 }
  #hasTunnels = false
  #hasOverflow = false

  constructor(maxConnectionsCount: number) {
    this.#connections = new Uint8Array(maxConnectionsCount)
  }

  onPacket(packet: DecodedPacket): void {
    const { connection } = packet
    const direction = packet.direction === 0 ? 0 : 1
    if (connection < 0) return
    const bits = this.#connections[connection]!
    if ((bits & seenBits[direction]) !== 0) return
    const isFull = fullHopLimits.has(packet.ttl)
    this.#connections[connection] = bits | seenBits[direction] | (isFull ? fullBits[direction] : 0)
    if (packet.tunnelDepth > 0 || packet.carriesTunnel) {
      this.#hasTunnels = true
      return
    }
    const source = this.#facts(packet, packet.sourceOffset)
    const destination = this.#facts(packet, packet.destinationOffset)
    if (source === undefined || destination === undefined) return
    noteTypes(packet, source, destination)
    if (isFull) source.isFull = true
    else source.isHopped = true
    if (bits === 0) this.#noteConversation(source, destination)
    else noteDistance({ source, destination }, isFull, (bits & fullBits[direction === 0 ? 1 : 0]) !== 0)
  }

  onConnectionEvicted(connection: number): void {
    this.#connections[connection] = 0
  }

  /** To be called after the last packet. */
  side(): LocalSide {
    const all = [...this.#addresses.values()].filter(({ isLoopback }) => !isLoopback)
    const isOneHost =
      !this.#hasTunnels && !this.#hasOverflow && !all.some(({ isSentOut, isSentIn }) => isSentOut && isSentIn)
    const one = isOneHost ? all : []
    const ways: [LocalSideSource, AddressFacts[]][] = [
      ['packet-types', one.filter((facts) => (facts.isSentOut || facts.isReceivedIn) && !facts.isSentIn)],
      ['loopback', all.filter(({ hasLoopbackPeer }) => hasLoopbackPeer)],
      ['hop-limits', singles(one.filter(({ isNear, isFar, isHopped }) => isNear && !isFar && !isHopped))],
      ['common-address', singles(one.filter((facts) => this.#isInAll(facts) && facts.isFull && !facts.isHopped))],
    ]
    const [source, facts] = ways.find(([, found]) => found.length > 0) ?? ['unknown', []]
    return new LocalSide(
      source,
      facts.map(({ text }) => text),
    )
  }

  /** Of several others, it is an end of all connections. */
  #isInAll({ conversations, hasSeveralPeers, isIpv6 }: AddressFacts): boolean {
    return hasSeveralPeers && conversations === this.#conversations[isIpv6 ? 'ipv6' : 'ipv4']
  }

  #noteConversation(source: AddressFacts, destination: AddressFacts): void {
    if (source === destination || source.isLoopback || destination.isLoopback) {
      if (!source.isLoopback) source.hasLoopbackPeer ||= destination.isLoopback
      if (!destination.isLoopback) destination.hasLoopbackPeer ||= source.isLoopback
      return
    }
    if (isMulticast(destination)) return
    this.#conversations[source.isIpv6 ? 'ipv6' : 'ipv4'] += 1
    notePeer(source, destination)
    notePeer(destination, source)
  }

  /** Undefined: there are too many. */
  #facts({ buffer, addressLength }: DecodedPacket, at: number): AddressFacts | undefined {
    const isIpv6 = addressLength === 16
    const key = isIpv6 ? addressText(buffer, at, addressLength) : i32(buffer, at)
    const known = this.#addresses.get(key)
    if (known !== undefined) return known
    if (this.#addresses.size >= maxAddressesCount) {
      this.#hasOverflow = true
      return undefined
    }
    const text = typeof key === 'string' ? key : addressText(buffer, at, addressLength)
    const facts: AddressFacts = {
      ...{ text, isIpv6, isLoopback: isLoopbackAddress(text) },
      ...{
        isSentOut: false,
        isSentIn: false,
        isReceivedIn: false,
        isFull: false,
        isHopped: false,
        isNear: false,
        isFar: false,
      },
      ...{ hasLoopbackPeer: false, firstPeer: undefined, hasSeveralPeers: false, conversations: 0 },
    }
    this.#addresses.set(key, facts)
    return facts
  }
}

function noteTypes(packet: DecodedPacket, source: AddressFacts, destination: AddressFacts): void {
  const { buffer, frameOffset, linkType, packetType } = packet
  const at = hardwareTypeOffsets.get(linkType)
  // On the loopback interface, all packets arrive, and the kernel's NAT has changed their addresses already.
  if (at === undefined || u16(buffer, frameOffset + at) === loopbackHardware) return
  if (packetType === sentByUs) source.isSentOut = true
  else source.isSentIn = true
  if (packetType === toUs && !isMulticast(destination)) destination.isReceivedIn = true
}

/** Both ends of a connection have sent: the one whose packets passed no router is near. */
function noteDistance(
  { source, destination }: { source: AddressFacts; destination: AddressFacts },
  isSourceFull: boolean,
  isDestinationFull: boolean,
): void {
  if (isSourceFull === isDestinationFull) return
  const [near, far] = isSourceFull ? [source, destination] : [destination, source]
  near.isNear = true
  far.isFar = true
}

function notePeer(one: AddressFacts, other: AddressFacts): void {
  one.conversations += 1
  one.firstPeer ??= other
  if (one.firstPeer !== other) one.hasSeveralPeers = true
}

function isMulticast({ text, isIpv6 }: AddressFacts): boolean {
  return isIpv6 ? text.startsWith('ff') : Number.parseInt(text, 10) >= 224
}

/** One address of each family: with more, the capture shows several hosts. */
function singles(all: readonly AddressFacts[]): AddressFacts[] {
  return [true, false].flatMap((isIpv6) => {
    const ofFamily = all.filter((facts) => facts.isIpv6 === isIpv6)
    return ofFamily.length === 1 ? ofFamily : []
  })
}
