import { closeSync, openSync, writeSync } from 'node:fs'

const bufferBytes = 4_194_304
const ethernetBytes = 14
const tcpHeaderBytes = 32
const udpHeaderBytes = 8
/** between two packets */
const gapMicros = 20

export const flag = { fin: 1, syn: 2, psh: 8, ack: 16 } as const

/** One flow of TCP or UDP. Its packets are written in their order, so the sequence numbers are those of a healthy connection. */
export interface Flow {
  readonly isIpv6: boolean
  /** the last 32 bits of the address */
  readonly client: number
  readonly server: number
  readonly clientPort: number
  readonly serverPort: number
  /** of the next byte that the client and the server send */
  readonly next: [client: number, server: number]
}

/** A part of a buffer. */
export interface Payload {
  readonly bytes: Uint8Array
  readonly start: number
  readonly length: number
}

export const noPayload: Payload = { bytes: new Uint8Array(0), start: 0, length: 0 }

/** Writes TCP segments (with timestamps, as Linux sends them) and UDP datagrams in Ethernet frames into a pcap file. */
export class PacketWriter {
  packets = 0
  bytes = 24
  readonly #file: number
  readonly #buffer = Buffer.alloc(bufferBytes)
  #used = 24

  constructor(path: string) {
    this.#file = openSync(path, 'w')
    this.#buffer.writeUInt32LE(0xa1b2c3d4, 0)
    this.#buffer.writeUInt32LE(0x0004_0002, 4)
    this.#buffer.writeUInt32LE(262_144, 16)
    this.#buffer.writeUInt32LE(1, 20)
  }

  /** `sender`: 0 the client, 1 the server. */
  segment(flow: Flow, sender: 0 | 1, flags: number, payload = noPayload): void {
    const at = this.#frame(flow, sender, 6, tcpHeaderBytes + payload.length)
    const buffer = this.#buffer
    const takesOne = (flags & (flag.syn | flag.fin)) === 0 ? 0 : 1
    buffer.writeUInt32BE(flow.next[sender], at + 4)
    buffer.writeUInt32BE((flags & flag.ack) === 0 ? 0 : flow.next[sender === 0 ? 1 : 0], at + 8)
    buffer.writeUInt32BE(0x8000_01f5 + flags * 65_536, at + 12)
    buffer.writeUInt32BE(0, at + 16)
    buffer.writeUInt32BE(0x0101_080a, at + 20)
    buffer.writeUInt32BE(this.packets, at + 24)
    buffer.writeUInt32BE(this.packets, at + 28)
    this.#add(at + tcpHeaderBytes, payload)
    flow.next[sender] = (flow.next[sender] + payload.length + takesOne) >>> 0
  }

  datagram(flow: Flow, sender: 0 | 1, payload: Payload): void {
    const at = this.#frame(flow, sender, 17, udpHeaderBytes + payload.length)
    this.#buffer.writeUInt32BE((udpHeaderBytes + payload.length) * 65_536, at + 4)
    this.#add(at + udpHeaderBytes, payload)
  }

  close(): void {
    this.#flush()
    closeSync(this.#file)
  }

  /** Writes everything up to the ports. Returns where the transport header begins. */
  #frame(flow: Flow, sender: 0 | 1, protocol: number, transportBytes: number): number {
    const ipBytes = flow.isIpv6 ? 40 : 20
    const length = ethernetBytes + ipBytes + transportBytes
    if (this.#used + 16 + length > bufferBytes) this.#flush()
    const buffer = this.#buffer
    const at = this.#used
    const micros = this.packets * gapMicros
    buffer.writeUInt32LE(1_700_000_000 + Math.floor(micros / 1e6), at)
    buffer.writeUInt32LE(micros % 1e6, at + 4)
    buffer.writeUInt32LE(length, at + 8)
    buffer.writeUInt32LE(length, at + 12)
    buffer.set(flow.isIpv6 ? ipv6Header : ipv4Header, at + 16)
    const ip = at + 16 + ethernetBytes
    const [source, destination] = sender === 0 ? [flow.client, flow.server] : [flow.server, flow.client]
    if (flow.isIpv6) {
      buffer.writeUInt16BE(transportBytes, ip + 4)
      buffer[ip + 6] = protocol
      buffer.writeUInt32BE(source, ip + 20)
      buffer.writeUInt32BE(destination, ip + 36)
    } else {
      buffer.writeUInt16BE(ipBytes + transportBytes, ip + 2)
      buffer.writeUInt16BE(this.packets & 0xffff, ip + 4)
      buffer[ip + 9] = protocol
      buffer.writeUInt32BE(source, ip + 12)
      buffer.writeUInt32BE(destination, ip + 16)
    }
    const transport = ip + ipBytes
    buffer.writeUInt16BE(sender === 0 ? flow.clientPort : flow.serverPort, transport)
    buffer.writeUInt16BE(sender === 0 ? flow.serverPort : flow.clientPort, transport + 2)
    this.#used += 16 + length
    this.bytes += 16 + length
    this.packets += 1
    return transport
  }

  #add(at: number, { bytes, start, length }: Payload): void {
    if (length > 0)
      this.#buffer.set(start === 0 && length === bytes.length ? bytes : bytes.subarray(start, start + length), at)
  }

  #flush(): void {
    writeSync(this.#file, this.#buffer, 0, this.#used)
    this.#used = 0
  }
}

const ipv4Header = Buffer.from('0200000000010200000000020800' + '450000000000400040000000' + '0000000000000000', 'hex')
const ipv6Header = Buffer.from(
  '020000000001020000000002' +
    '86dd' +
    '6000000000000040' +
    'fd00000000000000000000000000000a' +
    'fd00000000000000000000000000000b',
  'hex',
)
