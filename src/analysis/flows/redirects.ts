import { addressText } from '../addresses.ts'
import { i32 } from '../bytes.ts'
import { ipProtocol, tcpFlag } from '../decoded-packet.ts'
import type { DecodedPacket, Endpoint } from '../decoded-packet.ts'
import type { FlowTable } from './flow-table.ts'
import { flowWords, word } from './layout.ts'

/** A sidecar has as many open ones as its application has connections; beyond this, the two halves of the oldest stay apart. */
const maxRedirectsCount = 20_000
/** Servers whose address and port are held once for all connections to them. */
const maxSharedCount = 1_000
/** How far an acknowledgment may be behind what the client has sent: the largest window. */
const maxUnacknowledgedBytes = 1 << 30

/** 127.0.0.1 */
const loopback4 = 0x7f000001
/** Of Envoy in Istio's sidecar, and of ztunnel in ambient mode. */
const outboundProxyPort = 15_001

interface Redirect {
  /** of the client's half */
  readonly connection: number
  /** of the server's half */
  readonly direction: number
  /** of the proxy */
  readonly port: number
  /** the sequence number that the client sends next */
  next: number
  /** where the application connected to; undefined before the first answer */
  server: Endpoint | undefined
}

/**
 * Joins the halves of a connection that iptables redirects to a proxy in the pod (REDIRECT, as in Istio's sidecar and ambient modes, for DNS over UDP,
 * too): on the loopback interface, the client's packets go to 127.0.0.1, and the answers come from the address that the application connected to.
 */
export class Redirects {
  readonly #words: Int32Array
  readonly #byClient = new Map<number | string, Redirect>()
  /** where the application connected to, by connection */
  readonly #servers = new Map<number, Endpoint>()
  readonly #sharedServers = new Map<string, Endpoint>()

  constructor({ words }: FlowTable) {
    this.#words = words
  }

  /**
   * Called before a packet is assigned. False: it is no answer of a known connection; otherwise it is assigned to it. `first`: it is the first one
   * that is known to be.
   */
  join(packet: DecodedPacket): 'first' | boolean {
    if (this.#byClient.size === 0) return false
    const redirect = this.#byClient.get(packetKey(packet, packet.destinationOffset, packet.destinationPort))
    if (redirect === undefined) return false
    const isFirst = redirect.server === undefined
    if (redirect.server === undefined) {
      if (!answers(packet, redirect)) return false
      redirect.server = this.#share({
        address: addressText(packet.buffer, packet.sourceOffset, packet.addressLength),
        port: packet.sourcePort,
        redirectPort: redirect.port,
      })
      this.#servers.set(redirect.connection, redirect.server)
    } else if (packet.sourcePort !== redirect.server.port) return false
    packet.connection = redirect.connection
    packet.direction = redirect.direction
    return isFirst ? 'first' : true
  }

  /** Called after a packet is assigned to a connection of its own. */
  note(packet: DecodedPacket): void {
    if (!isToLoopback(packet)) return
    const key = packetKey(packet, packet.sourceOffset, packet.sourcePort)
    const known = this.#byClient.get(key)
    const redirect = known?.connection === packet.connection ? known : this.#begin(packet, key)
    if (redirect === undefined) return
    const sent = packet.payloadLength + ((packet.tcpFlags & (tcpFlag.syn | tcpFlag.fin)) === 0 ? 0 : 1)
    redirect.next = (packet.sequence + sent) | 0
  }

  /** An answer to the loopback address is no redirection: without its SYN, a connection is one only where it goes to the port of a proxy. */
  #begin(packet: DecodedPacket, key: number | string): Redirect | undefined {
    const isSyn = (packet.tcpFlags & (tcpFlag.syn | tcpFlag.ack)) === tcpFlag.syn
    const isTcp = packet.protocol === ipProtocol.tcp
    if (isTcp && !isSyn && packet.destinationPort !== outboundProxyPort) return undefined
    this.#byClient.delete(key)
    for (const oldest of this.#byClient.keys()) {
      if (this.#byClient.size >= maxRedirectsCount) this.#byClient.delete(oldest)
      break
    }
    const { connection, direction, destinationPort } = packet
    const redirect = { connection, direction: 1 - direction, port: destinationPort, next: 0, server: undefined }
    this.#byClient.set(key, redirect)
    return redirect
  }

  /** Where the client connected to, before the redirection. */
  serverOf(connection: number): Endpoint | undefined {
    return this.#servers.get(connection)
  }

  /** The connection's number will be that of another one. */
  forget(connection: number): void {
    this.#servers.delete(connection)
    if (this.#byClient.size === 0) return
    const at = connection * flowWords
    const ports = this.#words[at + word.ports]!
    const isIpv4 = this.#words[at + word.protocol]! >> 8 === 4
    for (const [end, port] of [
      [word.low, ports >>> 16],
      [word.high, ports & 0xffff],
    ] as const) {
      const [first = 0, second = 0, third = 0, fourth = 0] = this.#words.subarray(at + end, at + end + 4)
      const key = endKey([first, second, third, fourth], isIpv4, port)
      if (this.#byClient.get(key)?.connection === connection) this.#byClient.delete(key)
    }
  }

  #share(server: Endpoint): Endpoint {
    const key = `${server.port} ${server.address} ${server.redirectPort}`
    const known = this.#sharedServers.get(key)
    if (known !== undefined) return known
    if (this.#sharedServers.size < maxSharedCount) this.#sharedServers.set(key, server)
    return server
  }
}

/** From an address of the pod to the loopback address. */
function isToLoopback({ buffer, addressLength, sourceOffset, destinationOffset }: DecodedPacket): boolean {
  if (addressLength === 4) return i32(buffer, destinationOffset) === loopback4 && buffer[sourceOffset] !== 127
  return isLoopback6(buffer, destinationOffset) && !isLoopback6(buffer, sourceOffset)
}

function isLoopback6(buffer: Uint8Array, at: number): boolean {
  return (
    buffer[at] === 0 &&
    i32(buffer, at + 12) === 1 &&
    (i32(buffer, at) | i32(buffer, at + 4) | i32(buffer, at + 8)) === 0
  )
}

/** A segment acknowledges what the client has sent. The port of a client that has asked by UDP is that of nobody else. */
function answers({ protocol, tcpFlags, acknowledgment }: DecodedPacket, { next }: Redirect): boolean {
  if (protocol !== ipProtocol.tcp) return true
  if ((tcpFlags & tcpFlag.ack) === 0) return false
  const unacknowledged = (next - acknowledgment) | 0
  return unacknowledged >= 0 && unacknowledged < maxUnacknowledgedBytes
}

type Address = readonly [number, number, number, number]

function packetKey({ buffer, addressLength }: DecodedPacket, at: number, port: number): number | string {
  if (addressLength === 4) return endKey([i32(buffer, at), 0, 0, 0], true, port)
  return endKey([i32(buffer, at), i32(buffer, at + 4), i32(buffer, at + 8), i32(buffer, at + 12)], false, port)
}

/** The protocol is not in it: a client that uses one port for both has two connections, of which the later one is joined. */
function endKey(words: Address, isIpv4: boolean, port: number): number | string {
  return isIpv4 ? (words[0] >>> 0) * 65_536 + port : `${words.join(' ')} ${port}`
}
