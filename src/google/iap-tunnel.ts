import type { Agent } from 'node:http'
import { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import { ConfigurationError, messageOf } from '../errors.ts'
import { isSafe } from './endpoints.ts'
import { dialRelay, type RelayConnection } from './iap-connection.ts'
import { lostTunnel, TunnelError } from './iap-errors.ts'
import { ackFrame } from './iap-frames.ts'
import { createSendQueue } from './iap-send-queue.ts'

export { TunnelError } from './iap-errors.ts'

export interface TunnelTarget {
  readonly project: string
  readonly zone: string
  readonly instance: string
  /** `nic0` */
  readonly interface: string
  readonly port: number
}

export interface TunnelOptions {
  /** An access token, asked for at each (re)connect; `refused`: the one that the relay does not take any more. */
  token(refused?: string): Promise<string>
  /** base, `wss://tunnel.cloudproxy.app/v4`; see `tunnelUrl` */
  readonly url: string
  /** a proxy's */
  readonly agent?: Agent
  /** A connection was lost and is made again. `reason` is short: `4004: reauthentication required`. */
  reconnecting?(reason: string): void
  /** PEM of a CA for a relay of one's own (tests, private relays) */
  readonly certificateAuthority?: string
  /** gives the tunnel up, also while it opens */
  readonly signal?: AbortSignal
  /** in place of `defaultTiming` */
  readonly timing?: Partial<TunnelTiming>
}

/** All ms. */
export interface TunnelTiming {
  /** until the relay has connected to the port of the instance */
  readonly openTimeout: number
  /** A lost connection is made again at once, then after this, then after 1.1 times as much, … */
  readonly firstDelay: number
  /** … at most this. A connection that lasted longer has been one. */
  readonly longestDelay: number
  /** without a working connection, until the tunnel is given up */
  readonly patience: number
  /** the relay is gone when it answers neither of two pings */
  readonly pingEvery: number
  /** what was received is confirmed this long after, at the latest */
  readonly ackDelay: number
  /** With a full queue, until bytes are let go that the relay has not confirmed: it may be one that never does. */
  readonly ackPatience: number
  /** for the answer to our goodbye */
  readonly closeTimeout: number
}

/** Opening and reconnecting as gcloud does (api_lib/compute/iap_tunnel_websocket.py). */
export const defaultTiming: TunnelTiming = {
  openTimeout: 60_000,
  firstDelay: 1_500,
  longestDelay: 20_000,
  patience: 15 * 60_000,
  pingEvery: 15_000,
  ackDelay: 2_000,
  ackPatience: 10_000,
  closeTimeout: 2_000,
}

/** Bytes received but not confirmed, from which on gcloud confirms; the relay stalls at about 1.5 MB (IAP Desktop's SshRelaySession). */
const ackThreshold = 2 * 16_384
/** bytes that a slow reader lets pile up here */
const readBuffer = 256 * 1024
/** bytes on their way to the relay, confirmed by it later */
const sendLimit = 2 * 1024 * 1024

/**
 * A TCP connection to a port of an instance, through the relay of Identity-Aware Proxy. It outlives lost connections to the relay.
 * The protocol knows no half-close: `end()` hands over what was written, then closes both ways.
 * Resolves when the relay has connected to the port of the instance; what ends the stream later is a TunnelError too.
 * @throws TunnelError, what `token` throws, or the signal's reason
 */
export async function openIapTunnel(target: TunnelTarget, options: TunnelOptions): Promise<Duplex> {
  const timing: TunnelTiming = { ...defaultTiming, ...options.timing }
  options.signal?.throwIfAborted()
  const queue = createSendQueue(sendLimit)
  const over = new AbortController()
  let connection: RelayConnection | undefined
  let connected = false
  let sid: string | undefined
  let received = 0
  let acked = 0
  let ackTimer: NodeJS.Timeout | undefined
  let held = false // the reader is slower than the relay
  let blockedWrite: (() => void) | undefined
  let patienceTimer: NodeJS.Timeout | undefined
  let unconfirmedGo = false
  let ending: (() => void) | undefined
  let atEnd = false

  const stream = new Duplex({
    allowHalfOpen: false,
    readableHighWaterMark: readBuffer,
    ...(options.signal ? { signal: options.signal } : {}),
    read: () => {
      held = false
      connection?.resume()
    },
    write: (bytes: Buffer, _encoding, done) => {
      blockedWrite = () => done()
      if (!atEnd) queue.add(bytes)
      flush()
      release()
      if (isBlocked()) patienceTimer ??= setTimeout(letGo, timing.ackPatience)
    },
    final: (done) => {
      if (atEnd) return done()
      ending = () => done()
      flush()
    },
    destroy: (error, done) => {
      over.abort()
      clearTimeout(ackTimer)
      clearTimeout(patienceTimer)
      connection?.close()
      void Promise.resolve(connection?.ended).then(() => done(error))
    },
  })

  const isBlocked = (): boolean => blockedWrite !== undefined

  /** Gives the connection what it has not had yet. */
  const flush = (): void => {
    if (!connected) return
    for (let frame = queue.next(); frame; frame = queue.next()) {
      connection?.send(frame, () => {
        if (unconfirmedGo) letGo()
      })
    }
    // The relay reads our goodbye after all that was written; that it answers says it has.
    if (ending) connection?.close()
  }

  /** Takes the next write, where there is room for it. */
  const release = (): void => {
    if (!blockedWrite || (queue.full && !atEnd)) return
    clearTimeout(patienceTimer)
    patienceTimer = undefined
    const done = blockedWrite
    blockedWrite = undefined
    done()
  }

  /** gcloud tolerates a relay that confirms nothing. So what the network has taken goes in the end, and with it the chance to send it again. */
  const letGo = (): void => {
    if (!blockedWrite) return
    if (connected && !held && connection?.buffered === 0) {
      unconfirmedGo = true
      queue.forget()
    }
    clearTimeout(patienceTimer)
    patienceTimer = setTimeout(letGo, timing.ackPatience)
    release()
  }

  const confirm = (total: bigint): void => {
    queue.confirm(total)
    unconfirmedGo = false
    release()
  }

  const acknowledge = (): void => {
    clearTimeout(ackTimer)
    ackTimer = undefined
    if (!connected || acked === received) return
    acked = received
    connection?.send(ackFrame(received))
  }

  const take = (data: Buffer): void => {
    received += data.length
    if (received - acked > ackThreshold) acknowledge()
    else ackTimer ??= setTimeout(acknowledge, timing.ackDelay)
    if (data.length > 0 && !stream.push(data)) {
      held = true
      connection?.pause()
    }
  }

  const begin = (): void => {
    connected = true
    if (held) connection?.pause()
    flush()
  }

  /** The frames of a connection that is to begin the session, or to go on with it. */
  const handle = (frame: SessionFrame): void => {
    if (stream.destroyed) return
    switch (frame.kind) {
      case 'connected':
        if (sid !== undefined) throw new RangeError('it begins another session')
        sid = frame.sid
        begin()
        break
      case 'reconnected':
        if (sid === undefined) throw new RangeError('it goes on with a session that never was')
        confirm(frame.total)
        queue.rewind()
        begin()
        break
      case 'data':
        take(frame.data)
        break
      case 'ack':
        confirm(frame.total)
    }
  }

  let token = ''
  /** A connection that has answered. `loss`: why there is not the one before. */
  const connect = async (loss?: TunnelError): Promise<RelayConnection> => {
    token = await options.token(loss && wantsToken(loss) ? token : undefined)
    over.signal.throwIfAborted()
    acked = received // a relay that goes on reads it in the address
    const made = dialRelay(callUrl(options.url, target, sid, received), token, target, options, timing, handle)
    connection = made
    await made.welcome
    return made
  }

  const reconnect = async (loss: TunnelError, outage: Outage): Promise<RelayConnection> => {
    options.reconnecting?.(loss.reason)
    for (let last = loss; ;) {
      const wait =
        outage.attempts === 0 ? 0 : Math.min(timing.firstDelay * 1.1 ** (outage.attempts - 1), timing.longestDelay)
      const elapsed = performance.now() - outage.since
      if (elapsed + wait > timing.patience) throw lostTunnel(target, elapsed, last)
      await delay(wait, undefined, { signal: over.signal })
      outage.attempts += 1
      try {
        return await connect(last)
      } catch (error) {
        if (over.signal.aborted) throw error
        // The token's source may be out of reach for the same reason as the relay is.
        if (!(error instanceof TunnelError))
          last = new TunnelError(`no token: ${messageOf(error)}`, { reason: messageOf(error), passing: true })
        else if (error.passing) last = error
        else throw error
      }
    }
  }

  /** From one connection to the next, until the instance's side closes or we do. */
  const keepUp = async (first: RelayConnection): Promise<void> => {
    let outage: Outage | undefined
    for (let current = first; ;) {
      const loss = await current.ended
      connected = false
      if (stream.destroyed) return
      if (loss === undefined || (ending && queue.unconfirmed === 0)) break
      if (!loss.passing) throw loss
      if (current.proven) outage = undefined
      outage ??= { since: performance.now(), attempts: 0 }
      current = await reconnect(loss, outage)
    }
    atEnd = true
    stream.push(null)
    release()
    ending?.()
  }

  const opening = (): void => {} // nobody else has the stream yet
  stream.on('error', opening)
  try {
    const first = await connect()
    void keepUp(first).catch((error: unknown) => stream.destroy(error as Error))
  } catch (error) {
    stream.destroy()
    options.signal?.throwIfAborted()
    throw error
  }
  stream.off('error', opening)
  return stream
}

/** The relay asks for another token in a session, or takes none of the old one's. */
function wantsToken({ code }: TunnelError): boolean {
  return code === 4004 || code === 401
}

type SessionFrame = Parameters<Parameters<typeof dialRelay>[5]>[0]

/** Time without a working connection. */
interface Outage {
  readonly since: number
  attempts: number
}

/** In the order of gcloud's; without a `sid` a session begins, else it goes on behind `received` bytes. */
function callUrl(base: string, target: TunnelTarget, sid: string | undefined, received: number): string {
  const { project, zone, instance, port } = target
  const newWebsocket = 'True'
  const query =
    sid === undefined
      ? { project, port: String(port), newWebsocket, zone, instance, interface: target.interface }
      : { sid, ack: String(received), newWebsocket, zone }
  return `${base}/${sid === undefined ? 'connect' : 'reconnect'}?${new URLSearchParams(query).toString()}`
}

const overrideName = 'IAP_TUNNEL_URL_OVERRIDE'

/**
 * The base of the relay's addresses: `IAP_TUNNEL_URL_OVERRIDE`, which takes what gcloud's --iap-tunnel-url-override does (a bare origin gets `/v4`),
 * else the universe's own.
 * @throws ConfigurationError for a value that is no such URL, and for plain ws beyond loopback: a token travels there
 */
export function tunnelUrl(env: NodeJS.ProcessEnv, universe: string): string {
  const value = env[overrideName]
  if (!value)
    return universe === 'googleapis.com' ? 'wss://tunnel.cloudproxy.app/v4' : `wss://tunnel-cloudproxy.${universe}/v4`
  const got = `${overrideName}: got ${JSON.stringify(value.slice(0, 200))}`
  const url = URL.parse(value)
  if (!url || !/^wss?:\/\/[^\s?#@]+$/i.test(value)) {
    throw new ConfigurationError(`${got}, takes wss://HOST[:PORT][/PATH], as gcloud's --iap-tunnel-url-override does`)
  }
  if (!isSafe(new URL(value.replace(/^ws/i, 'http')))) {
    throw new ConfigurationError(
      `${got}, takes plain ws for a loopback address only (127.0.0.1, [::1], localhost); use wss`,
    )
  }
  const path = url.pathname.replace(/\/+$/, '')
  return `${url.protocol}//${url.host}${path === '' ? '/v4' : path}`
}
