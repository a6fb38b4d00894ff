import type { Duplex } from 'node:stream'
import type { CipherAlgorithm } from 'ssh2'
import { Cancelled, messageOf } from '../common/errors.ts'
import { withDirname } from '../common/with-dirname.ts'
import { SshConnection } from './connection.ts'
import { AuthenticationError, SshError } from './errors.ts'
import type { HostKeys } from './host-keys.ts'
import type { SshClock, SshOptions } from './options.ts'

const keepaliveIntervalMs = 10_000
const maxMissedKeepaliveCount = 3
const handshakeTimeoutMs = 20_000
const retryIntervalMs = 3_000

/**
 * AES-GCM from OpenSSL first: it takes half the CPU time (0.5 s for 200 MB) of ChaCha20, which ssh2 prefers where it has no native add-on.
 */
const ciphers: readonly CipherAlgorithm[] = [
  'aes128-gcm@openssh.com',
  'aes256-gcm@openssh.com',
  'aes256-ctr',
  'aes128-ctr',
  'chacha20-poly1305@openssh.com',
]

/** What a session keeps from one login to the next. */
export interface LoginContext {
  readonly options: SshOptions
  readonly hostKeys: HostKeys
  readonly clock: SshClock
  /** the session was closed meanwhile */
  isClosed(): boolean
}

/**
 * Logs in to the server. The first login of a session is tried again until the patience ends; a later one is not.
 * @throws HostKeyError, AuthenticationError, SshError, Cancelled, and what `connect` throws
 */
export async function logIn(context: LoginContext): Promise<SshConnection> {
  const { options, hostKeys, clock } = context
  const isFirst = hostKeys.proven === undefined
  const signal = isFirst ? options.signal : undefined
  const endMs = clock.nowMs() + options.loginPatienceMs
  for (;;) {
    let refusal: RetryableRefusal
    try {
      return await tryLogin(context, signal)
    } catch (error) {
      if (!(error instanceof RetryableRefusal)) throw error
      refusal = error
    }
    const leftMs = endMs - clock.nowMs()
    if (!isFirst || leftMs <= 0 || context.isClosed()) throw finalRefusal(options, refusal, isFirst)
    options.onWaiting?.(refusal.message)
    await clock.sleep(Math.min(retryIntervalMs, leftMs), signal).catch((error: unknown) => {
      if (!signal?.aborted) throw error
    })
  }
}

/** One attempt. @throws RetryableRefusal where a later one may succeed */
async function tryLogin(context: LoginContext, signal: AbortSignal | undefined): Promise<SshConnection> {
  const { options, hostKeys } = context
  const [socket, { Client }] = await Promise.all([
    connectUnlessAborted(() => options.connect(), signal),
    withDirname(() => import('ssh2')),
  ])
  const connection = new SshConnection(new Client(), socket)
  try {
    const hostKey = await authenticate(connection, context, signal)
    if (context.isClosed()) throw new SshError('the SSH session is closed')
    if (hostKey) hostKeys.pin(hostKey)
    return connection
  } catch (error) {
    connection.lose(messageOf(error))
    throw error
  }
}

/** @returns the host key that the server has proven to own */
async function authenticate(
  connection: SshConnection,
  { options, hostKeys }: LoginContext,
  signal: AbortSignal | undefined,
): Promise<Buffer | undefined> {
  const { client, socket } = connection
  let shownKey: Buffer | undefined
  const { promise, resolve, reject } = Promise.withResolvers<undefined>()
  const stopListening = onAbort(signal, () => reject(cancelled()))
  client.once('ready', () => resolve(undefined))
  // ssh2 reports more than one error of one failure: the first is the cause. These listeners also serve after the login.
  client.on('error', (error: Ssh2Error) => {
    reject(explainLoginError(error, options.user, shownKey, hostKeys))
    connection.lose(error.level === 'client-timeout' ? 'the server does not answer' : error.message)
  })
  client.once('close', () => {
    reject(new RetryableRefusal('the connection was closed during the login', 'connection'))
    connection.lose('the connection was closed')
  })
  try {
    client.connect({
      sock: socket,
      username: options.user,
      privateKey: options.privateKey,
      authHandler: ['publickey'],
      hostVerifier: (key: Buffer) => {
        shownKey = key
        return hostKeys.accepts(key)
      },
      algorithms: { serverHostKey: hostKeys.algorithms, cipher: [...ciphers] },
      readyTimeout: handshakeTimeoutMs,
      keepaliveInterval: keepaliveIntervalMs,
      keepaliveCountMax: maxMissedKeepaliveCount,
    })
    await promise
    return shownKey
  } finally {
    stopListening()
  }
}

/** A stream that opens after the abort is closed again. */
async function connectUnlessAborted(connect: () => Promise<Duplex>, signal: AbortSignal | undefined): Promise<Duplex> {
  if (signal?.aborted) throw cancelled()
  const connecting = connect()
  return new Promise((resolve, reject) => {
    const stopListening = onAbort(signal, () => reject(cancelled()))
    connecting.then((socket) => {
      stopListening()
      if (signal?.aborted) socket.destroy()
      resolve(socket)
    }, reject)
  })
}

/** @returns a function that removes the listener */
function onAbort(signal: AbortSignal | undefined, listener: () => void): () => void {
  signal?.addEventListener('abort', listener, { once: true })
  return () => signal?.removeEventListener('abort', listener)
}

function cancelled(): Cancelled {
  return new Cancelled('Cancelled during the SSH login to the node.')
}

/** The server refuses the login now; a later attempt may succeed. */
class RetryableRefusal extends Error {
  /** what was refused or broken */
  readonly subject: 'key' | 'connection'
  constructor(message: string, subject: 'key' | 'connection') {
    super(message)
    this.subject = subject
  }
}

type Ssh2Error = Error & { level?: string }

function explainLoginError(error: Ssh2Error, user: string, shownKey: Buffer | undefined, hostKeys: HostKeys): Error {
  if (error.level === 'client-authentication') {
    return new RetryableRefusal(`sshd does not accept the key of ${user} yet`, 'key')
  }
  const isOtherKey = shownKey !== undefined && !hostKeys.accepts(shownKey)
  if (isOtherKey || /no matching host key/.test(error.message)) return hostKeys.mismatch(shownKey)
  // sshd closes connections while it is restarted (the guest agent does that), or where it has too many that are not logged in.
  if (/before handshake/.test(error.message)) return new RetryableRefusal('sshd closes the connection', 'connection')
  if (error.level === 'client-timeout') {
    return new SshError(`sshd of the node did not answer within ${handshakeTimeoutMs / 1000} s`)
  }
  return new SshError(`the SSH login to the node failed: ${error.message}`)
}

function finalRefusal(
  { user, loginPatienceMs, advice }: SshOptions,
  refusal: RetryableRefusal,
  isFirst: boolean,
): Error {
  if (refusal.subject !== 'key') return new SshError(`the SSH login to the node failed: ${refusal.message}`)
  const { input, fixes } = advice
  if (!isFirst) {
    return new AuthenticationError({
      code: 'E_SSH_KEY_NOT_ACCEPTED',
      input,
      problem: `the node no longer accepts the SSH key of ${user}: it has expired or was removed`,
      fix: fixes.keyNoLongerAccepted,
    })
  }
  return new AuthenticationError({
    code: 'E_SSH_KEY_NOT_ACCEPTED',
    input,
    problem: `the node does not accept the SSH key of ${user}, tried for ${Math.round(loginPatienceMs / 1000)} s`,
    fix: fixes.keyNotAccepted,
  })
}
