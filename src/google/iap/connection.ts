import type { IncomingMessage } from 'node:http'
import { WebSocket, type ClientOptions, type RawData } from 'ws'
import { messageOf } from '../../common/errors.ts'
import { toOneLine } from '../../common/remote-text.ts'
import { readRefusal } from '../../common/upgrade-refusal.ts'
import { protocolViolation, relayRefusal, relayTimeout, relayUnreachable, type TunnelError } from './errors.ts'
import { readFrame, type RelayFrame } from './frames.ts'
import type { TunnelOptions, TunnelTarget, TunnelTiming } from './types.ts'

/** A frame that concerns the session, which may outlive the connection. */
export type SessionFrame = Exclude<RelayFrame, { kind: 'long-close' | 'unknown' }>

export interface RelayConnectionOptions extends Pick<TunnelOptions, 'agent' | 'certificateAuthority'> {
  readonly url: string
  readonly token: string
  readonly target: TunnelTarget
  readonly timing: TunnelTiming
  /** gets each SessionFrame, the welcome first; an error that it throws is a protocol violation and ends the connection */
  onFrame(frame: SessionFrame): void
}

const subprotocol = 'relay.tunnel.cloudproxy.app'
/** The relay requires it, as the sources of gcloud and IAP Desktop show. */
const origin = 'bot:iap-tunneler'
/** The relay sends frames of 16 KiB; a later one may send larger ones. */
const maxMessageBytes = 1024 * 1024 + 64
const maxUnansweredPingCount = 2
/** of what the relay, or a server in its place, gives as the reason: it appears in the log */
const maxReasonChars = 300
const closedByInstance: ReadonlySet<number> = new Set([1000, 4009, 4010])

/**
 * One WebSocket to the relay. Its states:
 * connecting: until the handshake succeeds; open: until the relay's first frame, the welcome; established: frames of the session flow;
 * closing: the client has sent its close; closed.
 */
export class RelayConnection {
  /** Resolves with the welcome. Rejects with a TunnelError, or with undefined where the relay closed normally. */
  readonly welcome: Promise<void>
  /** Why the connection ended; undefined where the instance closed its side. Never rejects. */
  readonly ended: Promise<TunnelError | undefined>
  readonly #options: RelayConnectionOptions
  readonly #socket: WebSocket
  readonly #welcome = Promise.withResolvers<void>()
  readonly #startedAtMs = performance.now()
  readonly #openTimer: NodeJS.Timeout
  #state: 'connecting' | 'open' | 'established' | 'closing' | 'closed' = 'connecting'
  #failure: TunnelError | undefined
  /** the reason that the relay announced in a frame, before its close */
  #announcedClose: { readonly code: number; readonly reason: string } | undefined
  /** the first error of the socket, or a silence */
  #cause: string | undefined
  #hasCarriedData = false
  #pingTimer: NodeJS.Timeout | undefined
  #unansweredPingCount = 0
  #answersPings = false

  constructor(options: RelayConnectionOptions) {
    const { target, timing } = options
    this.#options = options
    this.#socket = openSocket(options)
    this.welcome = this.#welcome.promise
    this.#openTimer = setTimeout(() => this.#fail(relayTimeout(target, timing.openTimeoutMs)), timing.openTimeoutMs)
    this.ended = this.#listen()
  }

  /** bytes that the network has not taken yet */
  get bufferedBytes(): number {
    return this.#socket.bufferedAmount
  }

  /** It carried data, or lasted. A connection that breaks again at once is no progress. */
  get isProven(): boolean {
    return this.#hasCarriedData || performance.now() - this.#startedAtMs > this.#options.timing.maxDelayMs
  }

  /** @param onTaken called when the network has taken the frame */
  send(frame: Buffer, onTaken?: () => void): void {
    if (this.#socket.readyState === WebSocket.OPEN) this.#socket.send(frame, onTaken)
  }

  pause(): void {
    if (this.#state !== 'closing') this.#socket.pause()
  }

  resume(): void {
    if (!this.#socket.isPaused) return
    this.#unansweredPingCount = 0
    this.#socket.resume()
  }

  /** Closes as the protocol has it, so that the relay does not keep the session; cuts where the relay does not answer. */
  close(): void {
    this.#socket.resume()
    if (this.#state === 'established' || this.#state === 'closing') {
      this.#state = 'closing'
      this.#socket.close(1000)
    } else {
      this.#socket.terminate()
    }
  }

  #listen(): Promise<TunnelError | undefined> {
    const socket = this.#socket
    socket.on('open', () => (this.#state = 'open'))
    socket.on('pong', () => {
      this.#answersPings = true
      this.#unansweredPingCount = 0
    })
    socket.on('message', (message: RawData, isBinary: boolean) => this.#onMessage(message as Buffer, isBinary))
    socket.on('unexpected-response', (_request, response: IncomingMessage) => {
      void readMessage(response).then((message) =>
        this.#fail(relayRefusal(this.#options.target, response.statusCode ?? 0, message)),
      )
    })
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code?.startsWith('WS_ERR_')) this.#failure ??= protocolViolation(this.#options.target, error.message)
      this.#cause ??= messageOf(error)
    })
    return new Promise((resolve) => {
      socket.once('close', (code: number, reason: Buffer) => resolve(this.#onClosed(code, reason.toString('utf8'))))
    })
  }

  #onMessage(message: Buffer, isBinary: boolean): void {
    this.#unansweredPingCount = 0
    if (this.#failure) return
    try {
      if (!isBinary) throw new RangeError('it sends text')
      this.#takeFrame(readFrame(message))
    } catch (error) {
      this.#fail(protocolViolation(this.#options.target, messageOf(error)))
    }
  }

  #takeFrame(frame: RelayFrame): void {
    switch (frame.kind) {
      case 'unknown':
        return
      case 'long-close':
        this.#announcedClose = frame
        return
      case 'connected':
      case 'reconnected':
        if (this.#state !== 'open') throw new RangeError('it connects twice')
        this.#establish(frame)
        return
      case 'data':
      case 'ack':
        if (this.#state === 'open') throw new RangeError(`${frame.kind} before it has connected`)
        this.#hasCarriedData = true
        this.#options.onFrame(frame)
    }
  }

  #establish(frame: SessionFrame): void {
    this.#state = 'established'
    this.#options.onFrame(frame)
    clearTimeout(this.#openTimer)
    this.#socket.ping()
    this.#pingTimer = setInterval(() => this.#checkPing(), this.#options.timing.pingIntervalMs)
    this.#welcome.resolve()
  }

  /** While the relay is held back nothing is read, no pong either. A relay that has never answered a ping is not required to. */
  #checkPing(): void {
    if (this.#socket.isPaused || !this.#answersPings) this.#unansweredPingCount = 0
    if (this.#unansweredPingCount >= maxUnansweredPingCount) {
      const seconds = (maxUnansweredPingCount * this.#options.timing.pingIntervalMs) / 1000
      this.#cause ??= `no answer to a ping for ${String(seconds)} s`
      this.#socket.terminate()
    } else if (this.#socket.readyState === WebSocket.OPEN) {
      this.#unansweredPingCount += 1
      this.#socket.ping()
    }
  }

  #fail(error: TunnelError): void {
    this.#failure ??= error
    this.#socket.terminate()
  }

  #onClosed(socketCode: number, socketReason: string): TunnelError | undefined {
    clearTimeout(this.#openTimer)
    clearInterval(this.#pingTimer)
    const code = this.#announcedClose?.code ?? socketCode
    const end = this.#endReason(code, reasonIn(this.#announcedClose?.reason ?? socketReason) ?? this.#cause)
    this.#state = 'closed'
    this.#welcome.reject(end)
    return end
  }

  #endReason(code: number, reason: string | undefined): TunnelError | undefined {
    if (this.#failure) return this.#failure
    if (this.#state === 'connecting')
      return relayUnreachable(new URL(this.#options.url).host, this.#cause ?? 'the connection was closed')
    if (this.#state !== 'open' && closedByInstance.has(code)) return undefined
    return relayRefusal(this.#options.target, code, reason && reasonIn(reason))
  }
}

function openSocket({ url, token, agent, certificateAuthority, timing }: RelayConnectionOptions): WebSocket {
  // @types/ws does not have closeTimeout.
  // eslint-disable-next-line local/units-in-names -- the name of an option of ws
  const settings: ClientOptions & { closeTimeout: number } = {
    ...(agent ? { agent } : {}),
    ...(certificateAuthority === undefined ? {} : { ca: certificateAuthority }),
    origin,
    headers: { authorization: `Bearer ${token}`, 'user-agent': 'kubernetes-packet-capture' },
    maxPayload: maxMessageBytes,
    perMessageDeflate: false,
    skipUTF8Validation: true,
    closeTimeout: timing.closeTimeoutMs,
  }
  return new WebSocket(url, subprotocol, settings)
}

const refusalTimeoutMs = 2_000
const maxRefusalLength = 4096

/** The text of a refusal, in one line; undefined for a page of HTML, and where there is none. */
async function readMessage(response: IncomingMessage): Promise<string | undefined> {
  const text = await readRefusal(response, refusalTimeoutMs, maxRefusalLength)
  return /<html|<!doctype/i.test(text) ? undefined : reasonIn(text)
}

function reasonIn(text: string): string | undefined {
  return toOneLine(text, maxReasonChars) || undefined
}
