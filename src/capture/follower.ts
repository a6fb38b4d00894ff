import { sanitizeRemoteText } from '../common/remote-text.ts'
import { pause } from '../common/timeouts.ts'
import { FollowerConnection, type ConnectionEnd } from './follower-connection.ts'
import type { SpoolSink } from './part-file.ts'
import { ReconnectLog } from './reconnect-log.ts'
import type { RecorderEndpoint, RecorderState } from './recorders/endpoint.ts'
import { parseRecorderError, type RecorderError } from './recorders/start-failure.ts'
import { parseTrailer, type Trailer } from './trailer.ts'

export interface FollowEvents {
  /** tcpdump has said "listening"; once */
  onListening(): void
  /** A connection was lost, for this reason, and is being restored. The same reason is reported once a minute, with the number of attempts. */
  onReconnecting(reason: string): void
  /** a line from the pod or node that is not part of the follower's protocol */
  onRemoteLine(line: string): void
}

/** How the following ended. Only with a trailer can the capture be complete. */
export interface FollowOutcome {
  readonly trailer: Trailer | undefined
  readonly end: 'whole' | 'container-ended' | 'endpoint-gone' | 'held' | 'runner-disk' | GiveUpReason
  /** at most 500 UTF-16 units */
  readonly detail: string
  /** of a recorder that ended before it recorded anything: its output says which input is wrong */
  readonly recorderError?: RecorderError | undefined
  /** how often a lost connection was restored */
  readonly reconnectCount: number
  /** the spool was in /dev/shm, which the containers of a pod share; undefined where that is not known */
  readonly isSpoolShared?: boolean | undefined
}

/** Why the runner takes no more: nothing comes, the rest comes too slowly, or more comes than a recorder may send. */
export type GiveUpReason = 'gave-up' | 'too-slow' | 'too-much'

/** The word with which the recorder is asked to stop; the trailer repeats it. */
export type StopCommand = 'cancelled' | 'duration' | 'size' | 'target-gone'

const firstBackoffMs = 200
const maxBackoffMs = 10_000
/** Lines that are not of the protocol are shown, but do not flood the log. */
const maxRemoteLineCount = 20
const maxRemoteLineCharacters = 1_000
const maxDetailCharacters = 500
/** A line needs this long to reach the follower before its connection is closed. */
const holdDelayMs = 200

/**
 * Follows the spool into the part file until its trailer, over as many connections as necessary, each from the present offset with fresh
 * credentials. `giveUpAtMs(lastProgressMs)`: the time after which a lost connection is not restored, given the time of the last byte; both ms
 * since the epoch.
 */
export function followSpool(
  endpoint: RecorderEndpoint,
  part: SpoolSink,
  giveUpAtMs: (lastProgressMs: number) => number,
  events: FollowEvents,
): Follower {
  return new Follower(endpoint, part, giveUpAtMs, events)
}

/** A loop of connections, with a wait after each that was lost. `stop`, `hold` and `giveUp` may come in each state. */
export class Follower {
  /** Never rejects. */
  readonly outcome: Promise<FollowOutcome>
  #state: 'connecting' | 'streaming' | 'asking-recorder' | 'waiting' | 'ended' = 'connecting'
  /** why the loop ends before the trailer is here */
  #leaving: 'held' | GiveUpReason | undefined
  readonly #left = Promise.withResolvers<undefined>()
  #stopCommand: StopCommand | undefined
  /** a stop could not be sent: the next wait is short, however many connections have failed */
  #isStopUrgent = false
  #connection: FollowerConnection | undefined
  #wake = new AbortController()
  #backoffMs = firstBackoffMs
  #lastProgressMs = Date.now()
  #reconnectCount = 0
  #hasListened = false
  #isSpoolShared = false
  #remoteLineCount = 0
  readonly #endpoint: RecorderEndpoint
  readonly #part: SpoolSink
  readonly #giveUpAtMs: (lastProgressMs: number) => number
  readonly #events: FollowEvents
  readonly #log: ReconnectLog

  constructor(
    endpoint: RecorderEndpoint,
    part: SpoolSink,
    giveUpAtMs: (lastProgressMs: number) => number,
    events: FollowEvents,
  ) {
    this.#endpoint = endpoint
    this.#part = part
    this.#giveUpAtMs = giveUpAtMs
    this.#events = events
    this.#log = new ReconnectLog((reason) => events.onReconnecting(sanitizeRemoteText(reason, maxDetailCharacters)))
    this.outcome = this.#run().then((outcome) => {
      this.#state = 'ended'
      return { ...outcome, detail: sanitizeRemoteText(outcome.detail, maxDetailCharacters) }
    })
  }

  /** Asks the recorder to stop, and again on each new connection. */
  stop(command: StopCommand): void {
    const isNew = this.#stopCommand !== command // a caller may ask each second
    this.#stopCommand = command
    if (this.#connection?.send(`stop ${command}`) || !isNew) return
    if (this.#state === 'waiting') this.#wake.abort()
    else this.#isStopUrgent = true
  }

  /** Ends the following with what has arrived. */
  giveUp(reason: GiveUpReason): void {
    this.#connection?.close()
    // Without a connection nothing can be too slow.
    this.#leave(reason === 'too-slow' && this.#state !== 'streaming' ? 'gave-up' : reason)
  }

  /** Leaves the rest in the pod for `seconds`, where the post step fetches it. */
  hold(seconds: number): void {
    this.#connection?.send(`hold ${seconds}`)
    this.#connection?.closeAfter(holdDelayMs)
    this.#leave('held')
  }

  #leave(how: 'held' | GiveUpReason): void {
    this.#leaving ??= how
    this.#left.resolve(undefined)
    this.#wake.abort()
  }

  async #run(): Promise<FollowOutcome> {
    for (;;) {
      const before = this.#part.receivedBytes
      const end = await this.#connect()
      if (end.kind === 'finished') return this.#outcome('whole', '', end.trailer)
      if (end.kind === 'disk-failed') return this.#outcome('runner-disk', end.reason)
      const hadProgress = this.#part.receivedBytes > before
      if (hadProgress) this.#noteProgress()
      const state = await this.#askRecorder()
      if (state === undefined || end.kind === 'left') return this.#leftOutcome()
      const last = this.#outcomeWithout(state, end)
      if (last) return last
      this.#log.connectionLost(state.kind === 'unknown' ? state.reason : end.reason, { hadProgress })
      await this.#waitToReconnect()
      if (this.#leaving) return this.#leftOutcome()
    }
  }

  async #connect(): Promise<ConnectionEnd> {
    this.#state = 'connecting'
    this.#connection = new FollowerConnection(this.#endpoint, this.#part, {
      onOpened: () => this.#onOpened(),
      onListening: () => this.#onListening(),
      onRemoteLine: (line) => this.#onRemoteLine(line),
      onMemorySpool: () => (this.#isSpoolShared = true),
    })
    const end = await this.#connection.run(this.#left.promise)
    this.#connection = undefined
    return end
  }

  #onOpened(): void {
    this.#state = 'streaming'
    if (this.#stopCommand !== undefined) this.#connection?.send(`stop ${this.#stopCommand}`)
    if (this.#leaving) this.#connection?.close()
  }

  #onListening(): void {
    if (this.#hasListened) return
    this.#hasListened = true
    this.#events.onListening()
  }

  #onRemoteLine(line: string): void {
    this.#remoteLineCount += 1
    if (this.#remoteLineCount <= maxRemoteLineCount) this.#events.onRemoteLine(line.slice(0, maxRemoteLineCharacters))
  }

  #noteProgress(): void {
    this.#backoffMs = firstBackoffMs
    this.#lastProgressMs = Date.now()
  }

  /** The state of the recorder; undefined where the following is left, also while the answer is not there. */
  async #askRecorder(): Promise<RecorderState | undefined> {
    this.#state = 'asking-recorder'
    if (this.#leaving) return undefined
    const state = await Promise.race([this.#endpoint.state(), this.#left.promise])
    return this.#leaving ? undefined : state
  }

  /** The end, where no further connection can bring the rest, or none is to be made. */
  #outcomeWithout(
    state: RecorderState,
    { reason, isOffsetGone }: ConnectionEnd & { kind: 'broken' },
  ): FollowOutcome | undefined {
    if (state.kind === 'terminated') return this.#terminatedOutcome(state)
    if (state.kind === 'gone') return this.#outcome('endpoint-gone', state.reason)
    if (isOffsetGone || Date.now() > this.#giveUpAtMs(this.#lastProgressMs)) return this.#outcome('gave-up', reason)
    return undefined
  }

  /** The container's termination message is the trailer, too: where every byte has arrived, that is proof enough. */
  #terminatedOutcome({ message, reason, podDeleted }: RecorderState & { kind: 'terminated' }): FollowOutcome {
    const trailer = parseTrailer(message.split('\n'))
    const detail = message.replace(/\s*\n\s*/g, '; ') || reason
    if (trailer?.sizeBytes === this.#part.receivedBytes) return this.#outcome('whole', detail, trailer)
    if (podDeleted) return this.#outcome('endpoint-gone', detail, trailer)
    const recorderError = parseRecorderError(sanitizeRemoteText(detail, maxDetailCharacters))
    return { ...this.#outcome('container-ended', detail, trailer), recorderError }
  }

  async #waitToReconnect(): Promise<void> {
    this.#reconnectCount += 1
    const jitter = 0.8 + Math.random() * 0.4
    const waitMs = (this.#isStopUrgent ? firstBackoffMs : this.#backoffMs) * jitter
    this.#isStopUrgent = false
    this.#wake = new AbortController()
    this.#state = 'waiting'
    await pause(waitMs, this.#wake.signal)
    this.#backoffMs = Math.min(this.#backoffMs * 2, maxBackoffMs)
  }

  #leftOutcome(): FollowOutcome {
    const end = this.#leaving ?? 'gave-up'
    return this.#outcome(end, leftDetails[end])
  }

  #outcome(end: FollowOutcome['end'], detail: string, trailer?: Trailer): FollowOutcome {
    return { trailer, end, detail, reconnectCount: this.#reconnectCount, isSpoolShared: this.#isSpoolShared }
  }
}

const leftDetails: Readonly<Record<'held' | GiveUpReason, string>> = {
  held: 'left for the post step',
  'gave-up': 'no more data arrived',
  'too-slow': '',
  'too-much': '',
}
