import { addressText } from '../addresses.ts'
import { i32 } from '../bytes.ts'
import { ipProtocol, tcpFlag } from '../decoded-packet.ts'
import type { DecodedPacket, Endpoint } from '../decoded-packet.ts'

/** A sidecar has as many as its application has connections; beyond this, the two halves of a connection stay apart. */
const maxRedirectsCount = 20_000
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
  /** the sequence number that the client sends next */
  next: number
  /** where the application connected to; undefined before the first answer */
  server: Endpoint | undefined
}

/**
 * Joins the halves of a connection that iptables redirects to a proxy in the pod (REDIRECT, as in Istio's sidecar and ambient modes): on the loopback
 * interface, the client's segments go to 127.0.0.1, and the answers come from the address that the application connected to.
 */
export class Redirects {
  readonly #byClient = new Map<string, Redirect>()
  readonly #byConnection = new Map<number, { readonly key: string; readonly redirect: Redirect }>()

  /** Called before a segment is assigned. True: it is an answer of a known connection, and is assigned to it. */
  join(packet: DecodedPacket): boolean {
    if (this.#byClient.size === 0 || packet.protocol !== ipProtocol.tcp) return false
    const redirect = this.#byClient.get(keyOf(packet, packet.destinationOffset, packet.destinationPort))
    if (redirect === undefined) return false
    if (redirect.server === undefined) {
      if (!answers(packet, redirect)) return false
      redirect.server = {
        address: addressText(packet.buffer, packet.sourceOffset, packet.addressLength),
        port: packet.sourcePort,
      }
    } else if (packet.sourcePort !== redirect.server.port) return false
    packet.connection = redirect.connection
    packet.direction = redirect.direction
    return true
  }

  /** Called after a segment is assigned to a connection of its own. */
  note(packet: DecodedPacket): void {
    if (!isToLoopback(packet)) return
    const key = keyOf(packet, packet.sourceOffset, packet.sourcePort)
    const known = this.#byClient.get(key)
    const redirect = known?.connection === packet.connection ? known : this.#begin(packet, key)
    if (redirect === undefined) return
    const sent = packet.payloadLength + ((packet.tcpFlags & (tcpFlag.syn | tcpFlag.fin)) === 0 ? 0 : 1)
    redirect.next = (packet.sequence + sent) | 0
  }

  /** An answer to the loopback address is no redirection: without its SYN, a connection is one only where it goes to the port of a proxy. */
  #begin(packet: DecodedPacket, key: string): Redirect | undefined {
    const isSyn = (packet.tcpFlags & (tcpFlag.syn | tcpFlag.ack)) === tcpFlag.syn
    if (!isSyn && packet.destinationPort !== outboundProxyPort) return undefined
    if (this.#byConnection.size >= maxRedirectsCount) return undefined
    const redirect = { connection: packet.connection, direction: 1 - packet.direction, next: 0, server: undefined }
    this.#byClient.set(key, redirect)
    this.#byConnection.set(packet.connection, { key, redirect })
    return redirect
  }

  /** Where the client connected to, before the redirection. */
  serverOf(connection: number): Endpoint | undefined {
    return this.#byConnection.get(connection)?.redirect.server
  }

  forget(connection: number): void {
    const known = this.#byConnection.get(connection)
    if (known === undefined) return
    this.#byConnection.delete(connection)
    if (this.#byClient.get(known.key) === known.redirect) this.#byClient.delete(known.key)
  }
}

/** From an address of the pod to the loopback address. */
function isToLoopback({ protocol, buffer, addressLength, sourceOffset, destinationOffset }: DecodedPacket): boolean {
  if (protocol !== ipProtocol.tcp) return false
  if (addressLength === 4) return buffer[sourceOffset] !== 127 && i32(buffer, destinationOffset) === loopback4
  return isLoopback6(buffer, destinationOffset) && !isLoopback6(buffer, sourceOffset)
}

function isLoopback6(buffer: Uint8Array, at: number): boolean {
  return (
    buffer[at] === 0 &&
    i32(buffer, at + 12) === 1 &&
    (i32(buffer, at) | i32(buffer, at + 4) | i32(buffer, at + 8)) === 0
  )
}

/** It acknowledges what the client has sent. */
function answers({ tcpFlags, acknowledgment }: DecodedPacket, { next }: Redirect): boolean {
  if ((tcpFlags & tcpFlag.ack) === 0) return false
  const unacknowledged = (next - acknowledgment) | 0
  return unacknowledged >= 0 && unacknowledged < maxUnacknowledgedBytes
}

function keyOf({ buffer, addressLength, interfaceId }: DecodedPacket, addressOffset: number, port: number): string {
  let key = `${interfaceId} ${port}`
  for (let at = addressOffset; at < addressOffset + addressLength; at += 4) key += ` ${i32(buffer, at)}`
  return key
}
