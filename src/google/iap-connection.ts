import type { IncomingMessage } from 'node:http'
import { WebSocket, type ClientOptions, type RawData } from 'ws'
import { messageOf } from '../errors.ts'
import { brokenTunnel, refusedTunnel, silentTunnel, unreachableRelay, type TunnelError } from './iap-errors.ts'
import { readFrame, type RelayFrame } from './iap-frames.ts'
import type { TunnelOptions, TunnelTarget, TunnelTiming } from './iap-tunnel.ts'

/** One WebSocket to the relay. A session outlives it. */
export interface RelayConnection {
  /** The relay has answered with its first frame. Rejects with a TunnelError. */
  readonly welcome: Promise<void>
  /** Why it is over, once it is; undefined: the instance's side has closed. Never rejects. */
  readonly ended: Promise<TunnelError | undefined>
  /** bytes that the network has not taken yet */
  readonly buffered: number
  /** has carried data, or lasted; a connection that breaks again at once is no progress */
  readonly proven: boolean
  /** `taken`: called when the network has it */
  send(frame: Buffer, taken?: () => void): void
  pause(): void
  resume(): void
  /** Says goodbye, so that the relay does not keep the session; cuts where no answer comes. */
  close(): void
}

type SessionFrame = Exclude<RelayFrame, { kind: 'long-close' | 'unknown' }>

const subprotocol = 'relay.tunnel.cloudproxy.app'
/** The relay checks for it, as gcloud and IAP Desktop show. */
const origin = 'bot:iap-tunneler'
/** Bytes. The relay sends frames of 16 KiB; a later one may send larger ones. */
const longestMessage = 1024 * 1024 + 64
const closedByInstance: ReadonlySet<number> = new Set([1000, 4009, 4010])

/** `take` gets the frames that concern the session, the welcome first; what it throws ends the connection for good. */
export function dialRelay(
  url: string,
  token: string,
  target: TunnelTarget,
  options: TunnelOptions,
  timing: TunnelTiming,
  take: (frame: SessionFrame) => void,
): RelayConnection {
  // @types/ws does not know closeTimeout.
  const settings: ClientOptions & { closeTimeout: number } = {
    ...(options.agent ? { agent: options.agent } : {}),
    ...(options.certificateAuthority === undefined ? {} : { ca: options.certificateAuthority }),
    origin,
    headers: { authorization: `Bearer ${token}`, 'user-agent': 'kubernetes-packet-capture' },
    maxPayload: longestMessage,
    perMessageDeflate: false,
    skipUTF8Validation: true,
    closeTimeout: timing.closeTimeout,
  }
  const socket = new WebSocket(url, subprotocol, settings)
  const began = performance.now()
  let opened = false
  let welcomed = false
  let closing = false
  let carried = false
  let failure: TunnelError | undefined
  let longClose: { code: number; reason: string } | undefined
  let cause = ''
  let unanswered = 0
  let answersPings = false
  let pulse: NodeJS.Timeout | undefined
  const welcome = Promise.withResolvers<void>()
  const ended = Promise.withResolvers<TunnelError | undefined>()

  const fail = (error: TunnelError): void => {
    failure ??= error
    socket.terminate()
  }
  const timeout = setTimeout(() => fail(silentTunnel(target, timing.openTimeout)), timing.openTimeout)

  const accept = (frame: RelayFrame): void => {
    if (frame.kind === 'unknown') return
    if (frame.kind === 'long-close') {
      longClose = { code: frame.code, reason: frame.reason }
      return
    }
    const first = frame.kind === 'connected' || frame.kind === 'reconnected'
    if (first === welcomed) throw new RangeError(first ? 'it connects twice' : `${frame.kind} before it has connected`)
    if (first) welcomed = true
    else carried = true
    take(frame)
    if (!first) return
    clearTimeout(timeout)
    socket.ping()
    pulse = setInterval(checkPulse, timing.pingEvery)
    welcome.resolve()
  }

  /** While we hold the sender back nothing is read, no pong either. A relay that never answers a ping is not held to it. */
  const checkPulse = (): void => {
    if (socket.isPaused || !answersPings) unanswered = 0
    if (unanswered >= 2) {
      cause ||= `no sign of life for ${String((2 * timing.pingEvery) / 1000)} s`
      socket.terminate()
    } else if (socket.readyState === WebSocket.OPEN) {
      unanswered += 1
      socket.ping()
    }
  }

  socket.on('open', () => (opened = true))
  socket.on('pong', () => {
    answersPings = true
    unanswered = 0
  })
  socket.on('message', (message: RawData, binary: boolean) => {
    unanswered = 0
    if (failure) return
    try {
      if (!binary) throw new RangeError('it sends text')
      accept(readFrame(message as Buffer))
    } catch (error) {
      fail(brokenTunnel(target, messageOf(error)))
    }
  })
  socket.on('unexpected-response', (_request, response: IncomingMessage) => {
    void readWords(response).then((words) => fail(refusedTunnel(target, response.statusCode ?? 0, words)))
  })
  socket.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code?.startsWith('WS_ERR_')) failure ??= brokenTunnel(target, error.message)
    cause ||= messageOf(error)
  })
  socket.once('close', (closeCode: number, closeReason: Buffer) => {
    clearTimeout(timeout)
    clearInterval(pulse)
    const code = longClose?.code ?? closeCode
    const end = (): TunnelError | undefined => {
      if (failure) return failure
      if (!opened) return unreachableRelay(new URL(url).host, cause)
      if (welcomed && closedByInstance.has(code)) return undefined
      return refusedTunnel(target, code, oneLine((longClose?.reason ?? closeReason.toString('utf8')) || cause))
    }
    const reason = end()
    welcome.reject(reason)
    ended.resolve(reason)
  })

  return {
    welcome: welcome.promise,
    ended: ended.promise,
    get buffered() {
      return socket.bufferedAmount
    },
    get proven() {
      return carried || performance.now() - began > timing.longestDelay
    },
    send: (frame, taken) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(frame, taken)
    },
    pause: () => {
      if (!closing) socket.pause()
    },
    resume: () => {
      if (!socket.isPaused) return
      unanswered = 0
      socket.resume()
    },
    close: () => {
      closing = true
      socket.resume()
      if (welcomed) socket.close(1000)
      else socket.terminate()
    },
  }
}

/** What a refusal says; nothing that it lacks is waited for. */
async function readWords(response: IncomingMessage): Promise<string> {
  const timer = setTimeout(() => response.destroy(), 2_000)
  let text = ''
  try {
    for await (const chunk of response) {
      text += String(chunk)
      if (text.length > 4096) break
    }
  } catch {
    // what has come of it is all there is
  }
  clearTimeout(timer)
  return /<html|<!doctype/i.test(text) ? '' : oneLine(text)
}

/** It ends in the log, whoever wrote it. */
function oneLine(text: string): string {
  return text
    .replace(/[\s\u0000-\u001f\u007f]+/g, ' ')
    .trim()
    .slice(0, 300)
}
