import { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { messageOf } from '../../common/errors.ts'
import { RelayConnection, type SessionFrame } from './connection.ts'
import { connectionLost, tokenUnavailable, TunnelError } from './errors.ts'
import { ackFrame } from './frames.ts'
import { connectionUrl } from './relay-url.ts'
import { SendQueue } from './send-queue.ts'
import { defaultTiming, type TunnelOptions, type TunnelTarget, type TunnelTiming } from './types.ts'

/** Received but not acknowledged, from which on gcloud acknowledges; the relay stalls at about 1.5 MB (SshRelaySession of IAP Desktop). */
const ackThresholdBytes = 2 * 16_384
/** what a slow reader may leave in the buffer */
const readBufferBytes = 256 * 1024
/** on their way to the relay, and not acknowledged yet */
const sendQueueBytes = 2 * 1024 * 1024
/** as in gcloud */
const delayGrowth = 1.1

type Callback = (error?: Error | null) => void

/**
 * A TCP connection to a port of an instance, through the relay of Identity-Aware Proxy. It survives lost connections to the relay.
 * The protocol has no half-close: `end()` delivers what was written, then closes both directions.
 * Resolves when the relay has connected to the port of the instance. Later the stream too fails with a TunnelError.
 * @throws TunnelError, what `token` throws, or the reason of the signal
 */
export async function openIapTunnel(target: TunnelTarget, options: TunnelOptions): Promise<Duplex> {
  options.signal?.throwIfAborted()
  const tunnel = new IapTunnel(target, options)
  await tunnel.open()
  return tunnel
}

/** Time without a working connection. */
interface Outage {
  readonly sinceMs: number
  attemptCount: number
}

/**
 * The session of a tunnel, over one connection after another. Its states:
 * disconnected: while it opens and between two connections; connected; ended: the instance closed its side, or `end()` has delivered everything.
 */
class IapTunnel extends Duplex {
  readonly #target: TunnelTarget
  readonly #options: TunnelOptions
  readonly #timing: TunnelTiming
  readonly #queue = new SendQueue(sendQueueBytes)
  /** aborts the waits when the stream is destroyed */
  readonly #destroying = new AbortController()
  #state: 'disconnected' | 'connected' | 'ended' = 'disconnected'
  #connection: RelayConnection | undefined
  #sessionId: string | undefined
  #token = ''
  #receivedBytes = 0
  #acknowledgedBytes = 0
  #ackTimer: NodeJS.Timeout | undefined
  /** the reader is slower than the relay */
  #isReaderBehind = false
  /** the callback of the write that waits for room in the queue */
  #blockedWrite: Callback | undefined
  #ackPatienceTimer: NodeJS.Timeout | undefined
  /** the relay has acknowledged nothing for too long, so that sent bytes are dropped */
  #isDroppingSent = false
  /** the callback of `end()` */
  #final: Callback | undefined

  constructor(target: TunnelTarget, options: TunnelOptions) {
    const { signal } = options
    super({ allowHalfOpen: false, readableHighWaterMark: readBufferBytes, ...(signal ? { signal } : {}) })
    this.#target = target
    this.#options = options
    this.#timing = { ...defaultTiming, ...options.timing }
  }

  async open(): Promise<void> {
    const ignoreError = (): void => {} // this promise reports it
    this.on('error', ignoreError)
    try {
      const first = await this.#connect()
      void this.#keepConnected(first).catch((error: unknown) => this.destroy(error as Error))
    } catch (error) {
      this.destroy()
      this.#options.signal?.throwIfAborted()
      throw error
    }
    this.off('error', ignoreError)
  }

  override _read(): void {
    this.#isReaderBehind = false
    this.#connection?.resume()
  }

  override _write(bytes: Buffer, _encoding: string, done: Callback): void {
    this.#blockedWrite = done
    if (this.#state !== 'ended') this.#queue.add(bytes)
    this.#sendQueued()
    this.#releaseWrite()
    if (this.#isWriteBlocked())
      this.#ackPatienceTimer ??= setTimeout(() => this.#dropSent(), this.#timing.ackPatienceMs)
  }

  override _final(done: Callback): void {
    if (this.#state === 'ended') return done()
    this.#final = done
    this.#sendQueued()
  }

  override _destroy(error: Error | null, done: Callback): void {
    this.#destroying.abort()
    clearTimeout(this.#ackTimer)
    clearTimeout(this.#ackPatienceTimer)
    this.#connection?.close()
    void Promise.resolve(this.#connection?.ended).then(() => done(error))
  }

  // Connections

  /** Resolves with the welcome of the relay. @param loss why the connection before it was lost */
  async #connect(loss?: TunnelError): Promise<RelayConnection> {
    const { url, agent, certificateAuthority } = this.#options
    this.#token = await this.#options.token(loss && isTokenRejected(loss) ? this.#token : undefined)
    this.#destroying.signal.throwIfAborted()
    this.#acknowledgedBytes = this.#receivedBytes // a relay that resumes the session reads it in the URL
    const resume =
      this.#sessionId === undefined ? undefined : { sessionId: this.#sessionId, receivedBytes: this.#receivedBytes }
    const connection = new RelayConnection({
      url: connectionUrl(url, this.#target, resume),
      token: this.#token,
      target: this.#target,
      timing: this.#timing,
      onFrame: (frame) => this.#onFrame(frame),
      ...(agent ? { agent } : {}),
      ...(certificateAuthority === undefined ? {} : { certificateAuthority }),
    })
    this.#connection = connection
    await connection.welcome
    return connection
  }

  /** Replaces each lost connection, until one side closes the session. @throws TunnelError where that fails */
  async #keepConnected(first: RelayConnection): Promise<void> {
    let outage: Outage | undefined
    for (let current = first; ;) {
      const loss = await current.ended
      this.#state = 'disconnected'
      if (this.destroyed) return
      if (loss === undefined || (this.#final && this.#queue.unacknowledgedBytes === 0)) break
      if (!loss.isTransient) throw loss
      if (current.isProven) outage = undefined
      outage ??= { sinceMs: performance.now(), attemptCount: 0 }
      current = await this.#reconnect(loss, outage)
    }
    this.#state = 'ended'
    this.push(null)
    this.#releaseWrite()
    this.#final?.()
  }

  async #reconnect(loss: TunnelError, outage: Outage): Promise<RelayConnection> {
    this.#options.onReconnecting?.(loss.reason)
    for (let last = loss; ;) {
      const waitMs = this.#reconnectDelayMs(outage.attemptCount)
      const outageMs = performance.now() - outage.sinceMs
      if (outageMs + waitMs > this.#timing.patienceMs) throw connectionLost(this.#target, outageMs, last)
      await delay(waitMs, undefined, { signal: this.#destroying.signal })
      outage.attemptCount += 1
      try {
        return await this.#connect(last)
      } catch (error) {
        if (this.#destroying.signal.aborted) throw error
        if (!(error instanceof TunnelError)) last = tokenUnavailable(messageOf(error))
        else if (error.isTransient) last = error
        else throw error
      }
    }
  }

  #reconnectDelayMs(attemptCount: number): number {
    if (attemptCount === 0) return 0
    return Math.min(this.#timing.firstDelayMs * delayGrowth ** (attemptCount - 1), this.#timing.maxDelayMs)
  }

  /** The frames of a connection that begins the session or resumes it. */
  #onFrame(frame: SessionFrame): void {
    if (this.destroyed) return
    switch (frame.kind) {
      case 'connected':
        if (this.#sessionId !== undefined) throw new RangeError('it begins another session')
        this.#sessionId = frame.sessionId
        this.#onConnected()
        break
      case 'reconnected':
        if (this.#sessionId === undefined) throw new RangeError('it resumes a session that does not exist')
        this.#onAcknowledged(frame.totalBytes)
        this.#queue.rewind()
        this.#onConnected()
        break
      case 'data':
        this.#receive(frame.data)
        break
      case 'ack':
        this.#onAcknowledged(frame.totalBytes)
    }
  }

  #onConnected(): void {
    this.#state = 'connected'
    if (this.#isReaderBehind) this.#connection?.pause()
    this.#sendQueued()
  }

  // From the relay

  #receive(data: Buffer): void {
    this.#receivedBytes += data.length
    if (this.#receivedBytes - this.#acknowledgedBytes > ackThresholdBytes) this.#acknowledge()
    else this.#ackTimer ??= setTimeout(() => this.#acknowledge(), this.#timing.ackDelayMs)
    if (data.length > 0 && !this.push(data)) {
      this.#isReaderBehind = true
      this.#connection?.pause()
    }
  }

  #acknowledge(): void {
    clearTimeout(this.#ackTimer)
    this.#ackTimer = undefined
    if (this.#state !== 'connected' || this.#acknowledgedBytes === this.#receivedBytes) return
    this.#acknowledgedBytes = this.#receivedBytes
    this.#connection?.send(ackFrame(this.#receivedBytes))
  }

  // To the relay

  /** Sends what the connection has not taken yet. */
  #sendQueued(): void {
    if (this.#state !== 'connected') return
    for (let frame = this.#queue.next(); frame; frame = this.#queue.next()) {
      this.#connection?.send(frame, () => {
        if (this.#isDroppingSent) this.#dropSent()
      })
    }
    // The relay reads the close after all that was written, and its answer shows that it has.
    if (this.#final) this.#connection?.close()
  }

  #onAcknowledged(totalBytes: bigint): void {
    this.#queue.acknowledge(totalBytes)
    this.#isDroppingSent = false
    this.#releaseWrite()
  }

  #isWriteBlocked(): boolean {
    return this.#blockedWrite !== undefined
  }

  /** Lets the stream write on, where the queue has room. */
  #releaseWrite(): void {
    if (!this.#blockedWrite || (this.#queue.isFull && this.#state !== 'ended')) return
    clearTimeout(this.#ackPatienceTimer)
    this.#ackPatienceTimer = undefined
    const done = this.#blockedWrite
    this.#blockedWrite = undefined
    done()
  }

  /** gcloud works with a relay that acknowledges nothing. So bytes that the network has taken are dropped in the end, and cannot be sent again. */
  #dropSent(): void {
    if (!this.#blockedWrite) return
    if (this.#state === 'connected' && !this.#isReaderBehind && this.#connection?.bufferedBytes === 0) {
      this.#isDroppingSent = true
      this.#queue.dropSent()
    }
    clearTimeout(this.#ackPatienceTimer)
    this.#ackPatienceTimer = setTimeout(() => this.#dropSent(), this.#timing.ackPatienceMs)
    this.#releaseWrite()
  }
}

/** The relay asks for another token in a session (4004), or rejects the one of a new connection (401). */
function isTokenRejected({ relayCode }: TunnelError): boolean {
  return relayCode === 4004 || relayCode === 401
}
