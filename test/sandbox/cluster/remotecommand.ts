// Exec over WebSocket as a real API server implements it (measured against 1.36): v5.channel.k8s.io and v4.channel.k8s.io. Every message
// is binary and starts with its channel. An empty message on the lowest open channel means "established"; channel 3 carries
// the status at the end, then the close code is 1000. In v5 the client closes a channel with [255, channel].

import type { Readable } from 'node:stream'
import type { WebSocket } from 'ws'
import type { ExecEnd, ExecProcess } from './namespaces.ts'

export const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'] as const
export type Protocol = (typeof protocols)[number]

const stdinChannel = 0
const statusChannel = 3
const closeChannel = 255
/** With more unsent bytes than this, the process's output is not read. */
const highWater = 256 * 1024

export interface ExecFaults {
  /** Destroys the connection after this many bytes of stdout. */
  cutAfterBytes?: number
  /** The number of connections to break; all of them if absent. */
  cutTimes?: number
  /** Supports only v4, as a server before 1.30. */
  refuseV5?: boolean
  /** After this many bytes of stdout nothing more is sent, but the connection remains open; 0: nothing after "established". */
  stallAfterBytes?: number
  /** `Success` and close code 1000 without output: what a proxy returns when it loses the kubelet. */
  emptySuccess?: boolean
}

export interface ExecStreams {
  stdin: boolean
  stdout: boolean
  stderr: boolean
  command: string[]
}

const success = { metadata: {}, status: 'Success' }

export function exitStatus(protocol: Protocol, command: string[], ended: ExecEnd): object {
  if ('missing' in ended)
    return notStarted(
      protocol,
      `failed to start exec "sandbox": OCI runtime exec failed: exec failed: unable to start container process: exec: "${command[0]}": executable file not found in $PATH: unknown`,
    )
  if ('stopped' in ended)
    return notStarted(protocol, 'failed to create exec "sandbox": cannot exec in a stopped state: unknown')
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

/** The status of an exec whose command the container runtime did not start. */
function notStarted(protocol: Protocol, reason: string): object {
  const inner = `error executing command in container: failed to exec in container: ${reason}`
  const twice = protocol === 'v5.channel.k8s.io' ? `Internal error occurred: ${inner}` : inner
  return {
    metadata: {},
    status: 'Failure',
    message: `Internal error occurred: ${twice}`,
    reason: 'InternalError',
    details: { causes: [{ message: twice }] },
    code: 500,
  }
}

/** Connects a process to the connection until one of them ends. */
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

  // How many bytes of stdout the faults allow, and what happens after that.
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
    // As containerd does: stdin closes immediately, and the output is no longer read, so a process that continues to write blocks until its container ends.
    child.stdin.end()
    const output = [child.stdout, child.stderr]
    for (const stream of output) stream.pause()
    const discard = (): void => output.forEach((stream) => stream.destroy())
    if (child.exitCode !== null || child.signalCode !== null) discard()
    else child.once('exit', discard)
  })
  void ended.then((result) => finish(exitStatus(protocol, streams.command, result)))
}
