import { createHash } from 'node:crypto'
import { constants } from 'node:os'
import type { Duplex } from 'node:stream'
import { setTimeout as delay } from 'node:timers/promises'
import type { CipherAlgorithm, Client, ClientChannel, ServerHostKeyAlgorithm } from 'ssh2'
import { Cancelled, ConfigurationError, messageOf } from '../errors.ts'
import { lineSplitter } from '../lines.ts'
import { withDirname } from './with-dirname.ts'

export interface SshOptions {
  /** a new way to the node's sshd each time, e.g. an IAP tunnel */
  connect(): Promise<Duplex>
  readonly user: string
  /** OpenSSH PEM, in memory only */
  readonly privateKey: string
  /** `ssh-ed25519 AAAA…` lines known beforehand (guest attributes); []: the first key seen is pinned for the session */
  readonly hostKeys: readonly string[]
  /** A key takes up to a minute to reach a node: until one has let us in, authentication is tried again for this long, ms. */
  readonly patience: number
  /** told before each further try, with the reason */
  waiting?(reason: string): void
  /** Ends the wait for the first login. A session that is in goes on: what was recorded is still to be fetched. */
  readonly signal?: AbortSignal
}

/** Handlers, command and end: the shapes of src/cluster/remote-command.ts, so that one follower serves both. */
export interface SshHandlers {
  /** Bytes of stdout. A promise holds the sender back until it is fulfilled. */
  stdout(chunk: Buffer): Promise<void> | undefined
  /** One line of stderr, without its end. */
  stderr(line: string): void
}

export interface SshCommand {
  readonly protocol: string
  /** Writes one line to the process' stdin; false when the channel is no longer open. */
  send(line: string): boolean
  /** Ends the process' stdin, and the channel: sshd kills nothing, so a process of ours must end with its stdin. */
  close(): void
  /** How it ended; never rejects. */
  readonly ended: Promise<SshEnd>
}

export interface SshEnd {
  /** as of a WebSocket: 1000 where the process ended, 1006 for a cut, ours too */
  readonly code: number
  /** the exit code or signal, the cause of a cut */
  readonly reason: string
}

export interface RunOptions {
  readonly stdin?: Buffer | string
  /** ms; 30 s unless told */
  readonly timeout?: number
  /** bytes of stdout, and of stderr; 1 MiB unless told */
  readonly maxOutput?: number
}

export interface Finished {
  /** the exit code; 128 + N for a process that signal N has ended */
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export interface SshSession {
  /**
   * Runs argv to its end; no word of it is parsed by a shell.
   * @throws SshError where it takes too long, says too much, or the connection is lost meanwhile; else as `open`
   */
  run(argv: readonly string[], options?: RunOptions): Promise<Finished>
  /**
   * Starts a process that is long at work. One that says nothing for 15 s counts as lost.
   * @throws HostKeyError, AuthenticationError, SshError, Cancelled, and what `connect` throws
   */
  open(argv: readonly string[], handlers: SshHandlers): Promise<SshCommand>
  /** Ends the connection and what runs over it; the session is of no use afterwards. */
  close(): void
  /** `TYPE BASE64`; '' until the first login */
  readonly hostKey: string
  /** nobody vouched for the host key: the first one seen is held to */
  readonly pinned: boolean
}

/** The node shows another host key than it should: never tried again. */
export class HostKeyError extends ConfigurationError {}
/** The node does not take the user's key. */
export class AuthenticationError extends ConfigurationError {}
/** The connection, or a command over it, failed; the message says how. */
export class SshError extends Error {
  override readonly name = 'SshError'
}

export interface SshClock {
  /** ms */
  now(): number
  sleep(ms: number, signal?: AbortSignal): Promise<void>
}
const realClock: SshClock = {
  now: () => performance.now(),
  sleep: (ms, signal) => delay(ms, undefined, signal ? { signal } : {}),
}

const keepaliveInterval = 10_000
const keepaliveCountMax = 3
const handshakeTimeout = 20_000
const channelTimeout = 15_000
const retryEvery = 3_000
/** Neither data nor a line, and the follower sends one every 2 s: the connection is dead, whatever TCP says. */
const silenceLimit = 15_000
const pulseEvery = 5_000
/** From the end of stdin to the end of the channel: a follower leaves at once. */
const closeGrace = 1_000
/** ssh2 opens the channel's window again with each piece of stderr, also while nobody takes stdout. */
const mostBuffered = 8 * 1024 * 1024

/** The signature algorithms for a type of key, in the order of choice; none with SHA-1. */
const algorithmsOf = new Map<string, readonly ServerHostKeyAlgorithm[]>([
  ['ssh-ed25519', ['ssh-ed25519']],
  ['ecdsa-sha2-nistp256', ['ecdsa-sha2-nistp256']],
  ['ecdsa-sha2-nistp384', ['ecdsa-sha2-nistp384']],
  ['ecdsa-sha2-nistp521', ['ecdsa-sha2-nistp521']],
  ['ssh-rsa', ['rsa-sha2-512', 'rsa-sha2-256']],
])

/**
 * AES-GCM first, from OpenSSL: half the CPU (0.5 s for 200 MB) of ChaCha20, which ssh2 chooses where it has no native add-on.
 */
const ciphers: readonly CipherAlgorithm[] = [
  'aes128-gcm@openssh.com',
  'aes256-gcm@openssh.com',
  'aes256-ctr',
  'aes128-ctr',
  'chacha20-poly1305@openssh.com',
]

/** One login; `lost` says why it is of no more use. */
interface Link {
  readonly client: Client
  readonly socket: Duplex
  lost: string | undefined
}

/** A session to a node's sshd. It connects when it is first used, and again when the connection was lost. */
export function openSsh(options: SshOptions, clock: SshClock = realClock): SshSession {
  let expected = options.hostKeys.map(parseHostKey).filter((key) => algorithmsOf.has(typeOf(key)))
  let hostKey = ''
  let closed = false
  /** the login that holds, or is under way; whoever needs one shares it */
  let current: Promise<Link> | undefined
  let live: Link | undefined
  const commands = new Set<SshCommand>()

  const lose = (link: Link, reason: string): void => {
    link.lost ??= reason
    if (live === link) {
      live = undefined
      current = undefined
    }
    link.socket.destroy()
  }

  const connected = (): Promise<Link> => {
    if (closed) return Promise.reject(new SshError('the SSH session is closed'))
    if (options.hostKeys.length > 0 && expected.length === 0) return Promise.reject(noUsableKey(options.hostKeys))
    current ??= login().catch((error: unknown) => {
      current = undefined
      throw error
    })
    return current
  }

  /** Until the node lets us in, or patience is at its end. */
  const login = async (): Promise<Link> => {
    const entered = hostKey !== ''
    const signal = entered ? undefined : options.signal
    const end = clock.now() + options.patience
    for (;;) {
      let refusal: NotYet
      try {
        return await connectOnce(signal)
      } catch (error) {
        if (!(error instanceof NotYet)) throw error
        refusal = error
      }
      const left = end - clock.now()
      if (entered || left <= 0 || closed) throw notLetIn(options, refusal, entered)
      options.waiting?.(refusal.message)
      await clock.sleep(Math.min(retryEvery, left), signal).catch((error: unknown) => {
        if (!signal?.aborted) throw error
      })
    }
  }

  const connectOnce = async (signal: AbortSignal | undefined): Promise<Link> => {
    const [socket, { Client }] = await Promise.all([
      unlessAborted(() => options.connect(), signal),
      withDirname(() => import('ssh2')),
    ])
    const link: Link = { client: new Client(), socket, lost: undefined }
    let shown: Buffer | undefined
    let forget: () => void = () => undefined
    try {
      await new Promise<void>((resolve, reject) => {
        forget = onAbort(signal, () => reject(cancelled()))
        link.client.once('ready', resolve)
        // ssh2 tells more than one error of one failure: the first is the cause.
        link.client.on('error', (error: Ssh2Error) => {
          reject(explainLogin(error, options.user, shown, expected, hostKey !== ''))
          lose(link, error.level === 'client-timeout' ? 'no sign of life' : error.message)
        })
        link.client.once('close', () => {
          reject(new NotYet('the connection was closed during the login', 'the connection'))
          lose(link, 'the connection was closed')
        })
        link.client.connect({
          sock: socket,
          username: options.user,
          privateKey: options.privateKey,
          authHandler: ['publickey'],
          hostVerifier: (key: Buffer) => {
            shown = key
            return expected.length === 0 || isAmong(key, expected)
          },
          algorithms: { serverHostKey: serverHostKeyAlgorithms(expected), cipher: [...ciphers] },
          readyTimeout: handshakeTimeout,
          keepaliveInterval,
          keepaliveCountMax,
        })
      })
      if (closed) throw new SshError('the SSH session is closed')
    } catch (error) {
      lose(link, messageOf(error))
      throw error
    } finally {
      forget()
    }
    if (shown !== undefined) {
      // Only now has the server proven that the key is its own.
      expected = [shown]
      hostKey = `${typeOf(shown)} ${shown.toString('base64')}`
    }
    live = link
    return link
  }

  /** A channel on which argv runs; `attach` is called before any of its events. */
  const start = async <T>(argv: readonly string[], attach: (channel: ClientChannel, link: Link) => T): Promise<T> => {
    const line = quoteForShell(argv)
    const name = argv[0] ?? ''
    for (let attempt = 1; ; attempt++) {
      const link = await connected()
      const begun = await new Promise<{ value: T } | 'not connected'>((resolve, reject) => {
        const timer = setTimeout(() => {
          reject(new SshError(`the node has not started ${name} within ${channelTimeout / 1000} s`))
          lose(link, `no answer within ${channelTimeout / 1000} s`)
        }, channelTimeout)
        try {
          link.client.exec(line, (error, channel) => {
            clearTimeout(timer)
            if (error) reject(new SshError(`the node does not start ${name}: ${link.lost ?? error.message}`))
            else resolve({ value: attach(channel, link) })
          })
        } catch (error) {
          clearTimeout(timer)
          lose(link, messageOf(error)) // the socket has ended, and nobody has told us yet
          resolve('not connected')
        }
      })
      if (begun !== 'not connected') return begun.value
      if (attempt === 3) throw new SshError('each connection to the node is lost as soon as it is made')
    }
  }

  return {
    run: async (argv, runOptions = {}) =>
      start(argv, (channel, link) => collect(argv[0] ?? '', channel, runOptions, () => link.lost)),
    async open(argv, handlers) {
      const command = await start(argv, (channel, link) =>
        follow(channel, link, handlers, (reason) => lose(link, reason)),
      )
      commands.add(command)
      void command.ended.then(() => commands.delete(command))
      return command
    },
    close() {
      closed = true
      for (const command of commands) command.close()
      void current?.then(
        (link) => {
          const timer = setTimeout(() => lose(link, 'the SSH session is closed'), closeGrace)
          link.client.once('close', () => clearTimeout(timer))
          link.client.end()
        },
        () => undefined, // whoever waited for it has been told
      )
    },
    get hostKey() {
      return hostKey
    },
    pinned: options.hostKeys.length === 0,
  }
}

/** A process to its end, within its bounds. */
function collect(
  name: string,
  channel: ClientChannel,
  { stdin, timeout = 30_000, maxOutput = 1024 * 1024 }: RunOptions,
  lost: () => string | undefined,
): Promise<Finished> {
  return new Promise((resolve, reject) => {
    let size = 0
    const giveUp = (text: string): void => {
      clearTimeout(timer)
      reject(new SshError(text))
      endChannel(channel)
    }
    const timer = setTimeout(() => giveUp(`${name} has not ended within ${timeout / 1000} s`), timeout)
    const keep = (chunks: Buffer[]) => (chunk: Buffer) => {
      if (size > maxOutput) return
      size += chunk.length
      if (size <= maxOutput) chunks.push(chunk)
      else giveUp(`${name} has said more than ${maxOutput} bytes`)
    }
    const stdout: Buffer[] = []
    const stderr: Buffer[] = []
    channel.on('data', keep(stdout))
    channel.stderr.on('data', keep(stderr))
    void closeOf(channel).then(({ code, signal }) => {
      clearTimeout(timer)
      if (code === undefined) reject(new SshError(`the connection was lost while ${name} ran: ${lost() ?? 'closed'}`))
      const text = (chunks: Buffer[]): string => Buffer.concat(chunks).toString('utf8')
      resolve({ code: code ?? 128 + signalNumber(signal), stdout: text(stdout), stderr: text(stderr) })
    })
    channel.end(stdin ?? '')
  })
}

/** A process that is long at work, its output handed on with backpressure. */
function follow(channel: ClientChannel, link: Link, handlers: SshHandlers, lose: (reason: string) => void): SshCommand {
  let lastSign = Date.now()
  let held = 0
  let stalled = false
  let cause = ''
  const lines = lineSplitter((line) => handlers.stderr(line))

  const release = (): void => {
    channel.resume()
    if (stalled) link.socket.resume()
    stalled = false
  }
  const fail = (reason: string): void => {
    cause ||= reason
    lose(reason)
    release()
  }
  channel.on('data', (chunk: Buffer) => {
    lastSign = Date.now()
    if (cause !== '') return
    const drained = handlers.stdout(chunk)
    if (!drained) return
    held += 1
    channel.pause()
    void drained
      .catch((error: unknown) => fail(messageOf(error)))
      .finally(() => {
        held -= 1
        lastSign = Date.now()
        if (held === 0) release()
      })
  })
  channel.stderr.on('data', (chunk: Buffer) => {
    lastSign = Date.now()
    if (cause === '') lines.push(chunk)
    if (held === 0 || channel.readableLength < mostBuffered) return
    stalled = true
    link.socket.pause()
  })
  const pulse = setInterval(() => {
    if (held === 0 && Date.now() - lastSign > silenceLimit) fail(`no sign of life for ${silenceLimit / 1000} s`)
  }, pulseEvery)
  pulse.unref() // a taker that stays busy must not keep this process: the connection does, as long as there is one

  let last: NodeJS.Timeout | undefined
  let finish: (end: SshEnd) => void = () => undefined
  const ended = new Promise<SshEnd>((resolve) => {
    finish = (end) => {
      clearInterval(pulse)
      clearTimeout(last)
      lines.end()
      resolve(end)
    }
    void closeOf(channel).then(({ code, signal }) => {
      const cut = cause || (code === undefined ? (link.lost ?? 'the channel was closed') : '')
      if (cut !== '') finish({ code: 1006, reason: cut })
      else finish({ code: 1000, reason: code === null ? `ended by ${signal ?? 'a signal'}` : `exit code ${code}` })
    })
  })

  return {
    protocol: 'ssh',
    send: (line) => {
      if (cause !== '' || link.lost !== undefined || !channel.writable) return false
      channel.write(`${line}\n`)
      return true
    },
    close: () => {
      if (cause !== '') return
      cause = 'closed by us'
      endChannel(channel)
      release()
      last = setTimeout(() => finish({ code: 1006, reason: cause }), 2 * closeGrace) // a dead connection answers nothing
    },
    ended,
  }
}

/** Stdin first, for that is what our processes end with. */
function endChannel(channel: ClientChannel): void {
  const timer = setTimeout(() => channel.close(), closeGrace)
  channel.once('close', () => clearTimeout(timer))
  channel.end()
}

/** The end of the channel and of both its streams; without a code the connection was lost, with null a signal has ended the process. */
function closeOf(channel: ClientChannel): Promise<{ code: number | null | undefined; signal: string | undefined }> {
  channel.on('error', () => undefined) // a write to a channel that has just been closed; its close says all there is
  const stderr = new Promise<void>((resolve) => channel.stderr.once('close', resolve))
  return new Promise((resolve) => {
    channel.once('close', (code: number | null | undefined, signal: string | undefined) => {
      void stderr.then(() => resolve({ code, signal }))
    })
  })
}

function signalNumber(signal: string | undefined): number {
  return signal !== undefined && signal in constants.signals
    ? constants.signals[signal as keyof typeof constants.signals]
    : 0
}

/** Words as a POSIX shell reads them back, one by one. */
export function quoteForShell(argv: readonly string[]): string {
  return argv
    .map((word) => {
      if (word.includes('\0')) throw new SshError('a word of a command has a NUL byte')
      return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
    })
    .join(' ')
}

/** The way to sshd; one that comes after the end of the wait is closed again. */
async function unlessAborted(connect: () => Promise<Duplex>, signal: AbortSignal | undefined): Promise<Duplex> {
  if (signal?.aborted) throw cancelled()
  const way = connect()
  return new Promise((resolve, reject) => {
    const forget = onAbort(signal, () => reject(cancelled()))
    way.then((socket) => {
      forget()
      if (signal?.aborted) socket.destroy()
      resolve(socket)
    }, reject)
  })
}

/** Gives what takes it back. */
function onAbort(signal: AbortSignal | undefined, act: () => void): () => void {
  signal?.addEventListener('abort', act, { once: true })
  return () => signal?.removeEventListener('abort', act)
}

function cancelled(): Cancelled {
  return new Cancelled('Cancelled during the SSH login to the node.')
}

/** A refusal that time may cure. `what` was refused or broken, for the last word. */
class NotYet extends Error {
  readonly what: string
  constructor(message: string, what: string) {
    super(message)
    this.what = what
  }
}

type Ssh2Error = Error & { level?: string }

function explainLogin(
  error: Ssh2Error,
  user: string,
  shown: Buffer | undefined,
  expected: readonly Buffer[],
  again: boolean,
): Error {
  if (error.level === 'client-authentication') return new NotYet(`sshd does not take the key of ${user} yet`, 'the key')
  const otherKey = shown !== undefined && expected.length > 0 && !isAmong(shown, expected)
  if (otherKey || /no matching host key/.test(error.message)) return wrongHostKey(shown, expected, again)
  // A sshd that is being restarted (the guest agent does that), or one with too many at its door.
  if (/before handshake/.test(error.message)) return new NotYet('sshd closes the connection', 'the connection')
  if (error.level === 'client-timeout') {
    return new SshError(`the node's sshd has not answered within ${handshakeTimeout / 1000} s`)
  }
  return new SshError(`the SSH login to the node failed: ${error.message}`)
}

function notLetIn(options: SshOptions, refusal: NotYet, again: boolean): Error {
  if (refusal.what !== 'the key') return new SshError(`the SSH login to the node failed: ${refusal.message}`)
  if (again) {
    return new AuthenticationError(
      `node-method: the node no longer takes the SSH key of ${options.user}: it has expired, or somebody has removed it.`,
    )
  }
  return new AuthenticationError(
    `node-method: the node does not take the SSH key of ${options.user}, also after ${Math.round(options.patience / 1000)} s. ` +
      'With OS Login the account needs roles/compute.osAdminLogin on the instance and roles/iam.serviceAccountUser on its service account; ' +
      'without it the guest agent of the node writes the key, and must run. Or use node-method: pod, which needs no login.',
  )
}

function wrongHostKey(shown: Buffer | undefined, expected: readonly Buffer[], again: boolean): HostKeyError {
  const known = expected.map((key) => `${typeOf(key)} ${fingerprint(key)}`).join(', ')
  const seen = shown === undefined ? 'none of that type' : `${typeOf(shown)} ${fingerprint(shown)}`
  return new HostKeyError(
    again
      ? `node-method: another machine answers in place of the node: its host key is ${seen}, it was ${known}. Nothing was sent to it. Was the node recreated? Then run again.`
      : `node-method: the node's host key is ${seen}, its guest attributes say ${known}. Nothing was sent to it. ` +
          'Was the key changed after the first boot? Then recreate the node: only then does it publish its keys.',
  )
}

function noUsableKey(hostKeys: readonly string[]): HostKeyError {
  const types = hostKeys.map((line) => line.split(' ')[0]?.slice(0, 40)).join(', ')
  return new HostKeyError(
    `node-method: none of the node's host keys in its guest attributes can be used (${types}). It needs one of ${[...algorithmsOf.keys()].join(', ')}.`,
  )
}

/** The key of `TYPE BASE64 …`, as it goes over the wire; empty where it is none. */
function parseHostKey(line: string): Buffer {
  const [type = '', base64 = ''] = line.trim().split(/\s+/)
  const key = Buffer.from(base64, 'base64')
  return typeOf(key) === type ? key : Buffer.alloc(0)
}

/** A key begins with the name of its type: RFC 4253, 6.6. */
function typeOf(key: Buffer): string {
  return key.length < 4 ? '' : key.subarray(4, 4 + Math.min(key.readUInt32BE(0), 64)).toString('latin1')
}

function isAmong(key: Buffer, known: readonly Buffer[]): boolean {
  return known.some((one) => one.equals(key))
}

/** Only what the known keys can sign: else sshd may show one of its others. */
function serverHostKeyAlgorithms(expected: readonly Buffer[]): ServerHostKeyAlgorithm[] {
  const types = new Set(expected.map(typeOf))
  return [...algorithmsOf].flatMap(([type, names]) => (types.size === 0 || types.has(type) ? names : []))
}

/** As ssh and gcloud show it. */
function fingerprint(key: Buffer): string {
  return `SHA256:${createHash('sha256').update(key).digest('base64').replace(/=+$/, '')}`
}
