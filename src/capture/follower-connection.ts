import { silenceLimitMs, type RemoteProcess, type RemoteProcessEnd } from '../common/remote-process.ts'
import { messageOf } from '../common/errors.ts'
import { pause } from '../common/timeouts.ts'
import type { SpoolSink } from './part-file.ts'
import type { RecorderEndpoint } from './recorders/endpoint.ts'
import { startFollowerScript } from './scripts/scripts.ts'
import { parseTrailer, type Trailer } from './trailer.ts'

/** At full rate the spool must not fill between two acknowledgements. */
const ackIntervalMs = 250
/** The shortest heartbeat timeout is 20 s. */
const idleAckIntervalMs = 3_000
/** A line for each interface of a node, and some more. */
const maxTrailerCharacters = 1_000_000
/** `done` needs this long to reach the follower before the connection is closed. */
const closeDelayMs = 500
/** A connection that is left has ended by then; the end of the capture does not depend on it. */
const leaveGraceMs = 4_000

export interface ConnectionEvents {
  /** Lines can be sent from here on. */
  onOpened(): void
  /** tcpdump has said "listening". */
  onListening(): void
  /** A line that is not part of the follower's protocol. */
  onRemoteLine(line: string): void
  /** The spool is in /dev/shm, which the containers of a pod share. */
  onMemorySpool(): void
}

/** How a connection ended. */
export type ConnectionEnd =
  /** the trailer and all bytes have arrived */
  | { readonly kind: 'finished'; readonly trailer: Trailer }
  | { readonly kind: 'broken'; readonly reason: string; /** the spool no longer has the byte */ isOffsetGone: boolean }
  /** the runner's disk failed */
  | { readonly kind: 'disk-failed'; readonly reason: string }
  /** it was left before it was open */
  | { readonly kind: 'left' }

/**
 * One connection to a follower: starts the remote process at the present offset, takes its bytes and lines, acknowledges what the disk has, and
 * lets the process end once everything is here. The lines are listening, beat, trailer, end and gone (scripts/follower.sh).
 */
export class FollowerConnection {
  #state: 'opening' | 'streaming' | 'finishing' | 'ended' | 'left' = 'opening'
  #command: RemoteProcess | undefined
  #trailerText = ''
  #trailer: Trailer | undefined
  #diskError: unknown
  #goneByte: string | undefined
  #ackedBytes = -1
  #ackedAtMs = 0
  #missingSinceMs: number | undefined
  readonly #endpoint: RecorderEndpoint
  readonly #part: SpoolSink
  readonly #events: ConnectionEvents

  constructor(endpoint: RecorderEndpoint, part: SpoolSink, events: ConnectionEvents) {
    this.#endpoint = endpoint
    this.#part = part
    this.#events = events
  }

  /** Writes a line to the follower's stdin; false where the connection is not open. */
  send(line: string): boolean {
    return this.#command?.send(line) ?? false
  }

  close(): void {
    this.#command?.close()
  }

  closeAfter(ms: number): void {
    setTimeout(() => this.close(), ms)
  }

  /** Runs the connection to its end; never rejects. `left` fulfils when a connection that is not open yet is no longer wanted. */
  async run(left: Promise<unknown>): Promise<ConnectionEnd> {
    try {
      const command = await this.#open(left)
      return command ? await this.#stream(command, left) : { kind: 'left' }
    } catch (error) {
      this.#state = 'ended'
      return { kind: 'broken', reason: messageOf(error), isOffsetGone: false }
    }
  }

  /** Credentials, a proxy or the upgrade may hang: a capture that ends does not wait for them. */
  async #open(left: Promise<unknown>): Promise<RemoteProcess | undefined> {
    const opening = this.#endpoint.open(followCommand(this.#endpoint.spoolDirs, this.#part.receivedBytes), {
      stdout: (chunk) => this.#takeBytes(chunk),
      stderr: (line) => this.#takeLine(line),
    })
    const command = await Promise.race([opening, left.then(() => undefined)])
    if (command) return command
    this.#state = 'left'
    void opening.then((late) => late.close()).catch(() => undefined)
    return undefined
  }

  async #stream(command: RemoteProcess, left: Promise<unknown>): Promise<ConnectionEnd> {
    this.#command = command
    this.#state = 'streaming'
    this.#finishWhenWhole() // bytes and lines may come before the opening is reported
    this.#events.onOpened()
    if (this.#diskError !== undefined) command.close()
    const timer = setInterval(() => this.#acknowledge(), ackIntervalMs)
    const { reason, code } = await endOf(command, left)
    clearInterval(timer)
    const trailer = this.#isFinishing() ? this.#trailer : undefined
    this.#command = undefined
    this.#state = 'ended'
    if (this.#diskError !== undefined) return { kind: 'disk-failed', reason: messageOf(this.#diskError) }
    if (trailer) return { kind: 'finished', trailer }
    if (this.#goneByte !== undefined)
      return { kind: 'broken', reason: `the spool no longer has byte ${this.#goneByte}`, isOffsetGone: true }
    return { kind: 'broken', reason: `${reason || 'closed'} (code ${code})`, isOffsetGone: false }
  }

  #isFinishing(): boolean {
    return this.#state === 'finishing'
  }

  #takeBytes(chunk: Buffer): Promise<void> | undefined {
    if (this.#state === 'left' || this.#state === 'ended') return undefined
    const room = this.#part.push(chunk)?.catch((error: unknown) => this.#failDisk(error))
    this.#finishWhenWhole()
    return room
  }

  #failDisk(error: unknown): void {
    this.#diskError ??= error
    this.send('stop error')
    this.send('done') // the rest will not be fetched
    this.closeAfter(closeDelayMs)
  }

  #takeLine(line: string): void {
    if (this.#state === 'left' || this.#state === 'ended') return
    const space = line.indexOf(' ')
    const word = space === -1 ? line : line.slice(0, space)
    const value = space === -1 ? '' : line.slice(space + 1)
    switch (word) {
      case 'memory':
        return this.#events.onMemorySpool()
      case 'listening':
        return this.#events.onListening()
      case 'trailer':
        if (this.#trailerText.length < maxTrailerCharacters) this.#trailerText += `${value}\n`
        return
      case 'end':
        return this.#endTrailer()
      case 'gone':
        this.#goneByte = value
        return
      case 'beat':
        return
      default:
        return this.#events.onRemoteLine(line)
    }
  }

  #endTrailer(): void {
    this.#trailer = parseTrailer(this.#trailerText.split('\n'))
    if (this.#trailer === undefined) {
      this.#events.onRemoteLine(`unreadable trailer: ${this.#trailerText.trimEnd().replaceAll('\n', '; ')}`)
    }
    this.#finishWhenWhole()
  }

  /** Only now may the remote process end: one that ends with bytes on the way loses them (kubernetes/kubernetes#60140). */
  #finishWhenWhole(): void {
    if (this.#state !== 'streaming' || !this.#hasAllBytes()) return
    this.#state = 'finishing'
    this.send('done')
    this.closeAfter(closeDelayMs)
  }

  #hasAllBytes(): boolean {
    return this.#trailer !== undefined && this.#part.receivedBytes >= this.#trailer.sizeBytes
  }

  #acknowledge(): void {
    this.#part.flush()
    this.#sendAck()
    if (this.#state === 'streaming' && this.#trailer !== undefined) this.#closeWhenBytesAreLost()
  }

  /** An acknowledgement is the runner's heartbeat, too. Each one costs CPU time in the pod, so without news they are rare. */
  #sendAck(): void {
    const { storedBytes } = this.#part
    const nowMs = Date.now()
    if (storedBytes === this.#ackedBytes && nowMs - this.#ackedAtMs < idleAckIntervalMs) return
    this.#ackedBytes = storedBytes
    this.#ackedAtMs = nowMs
    this.send(`ack ${storedBytes}`)
  }

  /** The trailer is here, but bytes are missing and none come: they were lost on the way, so the next connection asks for them again. */
  #closeWhenBytesAreLost(): void {
    this.#missingSinceMs ??= Date.now()
    if (Date.now() - this.#missingSinceMs > silenceLimitMs) this.close()
  }
}

/** The end of a process. A transport whose `close` has no end does not keep a capture that is left. */
async function endOf(command: RemoteProcess, left: Promise<unknown>): Promise<RemoteProcessEnd> {
  const ended = new AbortController()
  const unanswered = left.then(async () => {
    await pause(leaveGraceMs, ended.signal)
    return { code: 1006, reason: 'the connection did not end' }
  })
  return Promise.race([command.ended, unanswered]).finally(() => ended.abort())
}

function followCommand(spoolDirs: readonly string[], offset: number): readonly string[] {
  return ['sh', '-c', startFollowerScript, 'follow', String(offset), ...spoolDirs]
}
