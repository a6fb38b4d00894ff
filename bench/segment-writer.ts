import { closeSync, openSync, writeSync } from 'node:fs'

/** Writes TCP segments in Ethernet frames, 30 µs apart. */
export class SegmentWriter {
  packets = 0
  bytes = 24
  readonly #file: number
  readonly #buffer = Buffer.alloc(1_048_576, 0x5a)
  #used = 24

  constructor(path: string) {
    this.#file = openSync(path, 'w')
    this.#buffer.writeUInt32LE(0xa1b2c3d4, 0)
    this.#buffer.writeUInt32LE(0x0004_0002, 4)
    this.#buffer.writeUInt32LE(1, 20)
  }

  write(id: number, fromServer: boolean, fields: { seq: number; ack: number; flags: number; bytes?: number }): void {
    const { seq, ack, flags, bytes = 0 } = fields
    const buffer = this.#buffer
    const length = 54 + bytes
    if (this.#used + 16 + length > buffer.length) this.#flush()
    const micros = this.packets * 30
    const header = [1_700_000_000 + Math.floor(micros / 1e6), micros % 1e6, length, length]
    header.forEach((value, index) => buffer.writeUInt32LE(value, this.#used + index * 4))
    const at = this.#used + 16
    buffer.write('0200000000010200000000020800450000000000400040060000', at, 'hex')
    buffer.writeUInt16BE(40 + bytes, at + 16)
    const [client, server] = [0x0af40000 + (id & 0xffff), 0x0a600000 + (id % 200)]
    buffer.writeUInt32BE(fromServer ? server : client, at + 26)
    buffer.writeUInt32BE(fromServer ? client : server, at + 30)
    const port = 32_768 + (id % 28_000)
    buffer.writeUInt16BE(fromServer ? 80 : port, at + 34)
    buffer.writeUInt16BE(fromServer ? port : 80, at + 36)
    buffer.writeUInt32BE(seq, at + 38)
    buffer.writeUInt32BE(ack, at + 42)
    buffer.writeUInt32BE(0x5000_01f5 + flags * 65_536, at + 46)
    this.#used += 16 + length
    this.bytes += 16 + length
    this.packets += 1
  }

  close(): void {
    this.#flush()
    closeSync(this.#file)
  }

  #flush(): void {
    writeSync(this.#file, this.#buffer, 0, this.#used)
    this.#used = 0
  }
}
