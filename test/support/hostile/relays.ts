import type { WebSocket } from 'ws'

/** A relay that lies. Frames: google/iap/frames.ts */
export interface HostileRelay {
  /** what it does, for the title of a test */
  readonly does: string
  /** called for each connection, with its number from 0 */
  readonly serve: (socket: WebSocket, number: number) => void
}

const u16 = (value: number): Buffer => Buffer.from([value >> 8, value & 255])
const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}
const u64 = (value: bigint): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(value)
  return bytes
}
const counted = (bytes: Buffer): Buffer => Buffer.concat([u32(bytes.length), bytes])
const frame = (tag: number, ...parts: readonly Buffer[]): Buffer => Buffer.concat([u16(tag), ...parts])
const connected = (id = 'session-1'): Buffer => frame(1, counted(Buffer.from(id)))
const reconnected = (total: bigint): Buffer => frame(2, u64(total))
const data = (bytes: Buffer): Buffer => frame(4, counted(bytes))
const ack = (total: bigint): Buffer => frame(7, u64(total))
const longClose = (code: number, reason: string): Buffer => frame(10, u32(code), counted(Buffer.from(reason)))

const sending =
  (...frames: readonly Buffer[]): HostileRelay['serve'] =>
  (socket) => {
    for (const one of frames) socket.send(one)
  }
const commands = '::error::x\n##[set-output name=x;]y\u001b[2J'

export const hostileRelays: readonly HostileRelay[] = [
  { does: 'never welcomes', serve: () => undefined },
  { does: 'sends data before it has connected', serve: sending(data(Buffer.from('SSH-2.0-x\r\n'))) },
  { does: 'acknowledges before it has connected', serve: sending(ack(0n)) },
  { does: 'resumes a session that does not exist', serve: sending(reconnected(0n)) },
  { does: 'connects twice', serve: sending(connected(), connected()) },
  { does: 'acknowledges bytes that were never sent', serve: sending(connected(), ack(1_000_000n)) },
  { does: 'acknowledges 2^64 - 1 bytes', serve: sending(connected(), ack(2n ** 64n - 1n)) },
  { does: 'names a session with 1 MB', serve: sending(connected('x'.repeat(1_000_000))) },
  {
    does: 'announces 4 GB in a frame of 10 bytes',
    serve: sending(connected(), frame(4, u32(0xffffffff), Buffer.alloc(4))),
  },
  { does: 'sends a frame of one byte', serve: sending(connected(), Buffer.from([0])) },
  { does: 'sends an empty message', serve: sending(connected(), Buffer.alloc(0)) },
  { does: 'sends a message of 2 MB', serve: sending(connected(), Buffer.alloc(2_000_000)) },
  { does: 'sends text', serve: (socket) => socket.send('connected') },
  { does: 'closes with workflow commands', serve: (socket) => socket.close(4_033, commands) },
  {
    does: 'announces its close with workflow commands',
    serve: (socket) => {
      socket.send(longClose(4_033, commands.repeat(1_000)))
      socket.close(1_000)
    },
  },
  {
    does: 'breaks each connection after its welcome',
    serve: (socket, number) => {
      socket.send(number === 0 ? connected() : reconnected(0n))
      setTimeout(() => socket.terminate(), 5)
    },
  },
  {
    does: 'begins another session when it should resume one',
    serve: (socket, number) => {
      socket.send(connected(`session-${String(number)}`))
      setTimeout(() => socket.terminate(), 5)
    },
  },
  {
    does: 'resumes with more bytes than were sent',
    serve: (socket, number) => {
      socket.send(number === 0 ? connected() : reconnected(2n ** 40n))
      setTimeout(() => socket.terminate(), 5)
    },
  },
  {
    does: 'sends unknown frames and breaks each connection',
    serve: (socket, number) => {
      socket.send(number === 0 ? connected() : reconnected(0n))
      for (let tag = 20; tag < 2_000; tag += 1) socket.send(frame(tag, Buffer.alloc(100)))
      setTimeout(() => socket.terminate(), 5)
    },
  },
]
