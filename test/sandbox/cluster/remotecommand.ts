// Exec over WebSocket as a real API server speaks it (measured against 1.36): v5.channel.k8s.io and v4.channel.k8s.io. Every message
// is binary and starts with its channel. An empty message on the lowest open channel says "established"; channel 3 carries
// the status at the end, then the close code is 1000. In v5 the client closes a channel with [255, channel].

import type { Readable } from 'node:stream'
import type { WebSocket } from 'ws'
import type { ExecProcess } from './namespaces.ts'

export const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'] as const
export type Protocol = (typeof protocols)[number]

const stdinChannel = 0
const statusChannel = 3
const closeChannel = 255
/** Above this many bytes under way to the client, the process's output is not read. */
const highWater = 256 * 1024

export interface ExecFaults {
  /** Destroys the connection after this many bytes of stdout. */
  cutAfterBytes?: number
  /** How many connections are cut; all of them when absent. */
  cutTimes?: number
  /** Speaks v4 only, as a server before 1.30. */
  refuseV5?: boolean
  /** After this many bytes of stdout nothing more is sent, though the connection lives; 0: nothing after "established". */
  stallAfterBytes?: number
  /** `Success` and close code 1000 without a byte of output: what a translator makes of a lost kubelet. */
  emptySuccess?: boolean
}

export interface ExecStreams {
  stdin: boolean
  stdout: boolean
  stderr: boolean
  command: string[]
}

const success = { metadata: {}, status: 'Success' }

export function exitStatus(
  protocol: Protocol,
  command: string[],
  ended: { exitCode: number } | { missing: true },
): object {
  if ('missing' in ended) {
    const error = `exec: "${command[0]}": executable file not found in $PATH`
    const inner = `error executing command in container: failed to exec in container: failed to start exec "sandbox": OCI runtime exec failed: exec failed: unable to start container process: ${error}: unknown`
    const twice = protocol === 'v5.channel.k8s.io' ? `Internal error occurred: ${inner}` : inner
    const details = { causes: [{ message: twice }] }
    return {
      metadata: {},
      status: 'Failure',
      message: `Internal error occurred: ${twice}`,
      reason: 'InternalError',
      details,
      code: 500,
    }
  }
  const { exitCode } = ended
  if (exitCode === 0) return success
  const words =
    protocol === 'v5.channel.k8s.io'
      ? `command terminated with exit code ${exitCode}`
      : `error executing command [${command.join(' ')}], exit code ${exitCode}`
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: ${words}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  }
}

/** Joins a process to the connection until either ends. */
export function serveExec(socket: WebSocket, streams: ExecStreams, start: () => ExecProcess, faults: ExecFaults): void {
  const protocol = socket.protocol as Protocol
  const send = (channel: number, data: Buffer, done?: () => void): void => {
    const frame = Buffer.allocUnsafe(data.length + 1)
    frame[0] = channel
    data.copy(frame, 1)
    socket.send(frame, { binary: true }, done)
  }
  let silent = faults.stallAfterBytes === 0
  const finish = (status: object): void => {
    if (socket.readyState !== socket.OPEN || silent) return
    send(statusChannel, Buffer.from(JSON.stringify(status)))
    socket.close(1000)
  }
  socket.on('error', () => undefined)
  send(
    streams.stdin && !streams.stdout && !streams.stderr
      ? stdinChannel
      : streams.stdout
        ? 1
        : streams.stderr
          ? 2
          : statusChannel,
    Buffer.alloc(0),
  )
  if (silent) return
  if (faults.emptySuccess) return finish(success)

  const { child, ended } = start()
  child.stdin.on('error', () => undefined)
  if (!streams.stdin) child.stdin.end()

  // How much of stdout the faults let through, and what happens then.
  let allowed = faults.stallAfterBytes ?? Infinity
  let atLimit = (): void => void (silent = true)
  if (faults.cutAfterBytes !== undefined && faults.cutTimes !== 0) {
    allowed = faults.cutAfterBytes
    atLimit = () => socket.terminate()
    if (faults.cutTimes !== undefined) faults.cutTimes -= 1
  }
  const forward = (channel: number, stream: Readable, wanted: boolean): void => {
    stream.on('data', (chunk: Buffer) => {
      if (!wanted || socket.readyState !== socket.OPEN || silent) return
      const part = channel === 1 ? chunk.subarray(0, allowed) : chunk
      if (channel === 1) allowed -= part.length
      send(channel, part, () => {
        if (allowed === 0) atLimit()
        else if (socket.readyState === socket.OPEN && socket.bufferedAmount < highWater) stream.resume()
      })
      if (allowed === 0 || socket.bufferedAmount >= highWater) stream.pause()
    })
  }
  forward(1, child.stdout, streams.stdout)
  forward(2, child.stderr, streams.stderr)

  socket.on('message', (data: Buffer) => {
    const channel = data[0]
    if (channel === closeChannel) {
      if (protocol === 'v5.channel.k8s.io' && data[1] === stdinChannel) child.stdin.end()
    } else if (channel === stdinChannel && streams.stdin && child.stdin.writable) {
      if (!child.stdin.write(data.subarray(1))) {
        socket.pause()
        child.stdin.once('drain', () => socket.resume())
      }
    }
  })
  child.stdin.on('close', () => socket.resume())
  socket.on('close', () => {
    // As containerd does: stdin ends at once; nobody reads the output any more, so a process that goes on writing blocks until its container ends.
    child.stdin.end()
    const streams = [child.stdout, child.stderr]
    for (const stream of streams) stream.pause()
    const discard = (): void => streams.forEach((stream) => stream.destroy())
    if (child.exitCode !== null || child.signalCode !== null) discard()
    else child.once('exit', discard)
  })
  void ended.then((result) => finish(exitStatus(protocol, streams.command, result)))
}
