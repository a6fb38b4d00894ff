import type { IncomingMessage } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import { WebSocket, type RawData } from 'ws'
import {
  closedByClient,
  RemoteOutput,
  type RemoteProcess,
  type RemoteProcessEnd,
  type RemoteProcessHandlers,
} from '../common/remote-process.ts'
import { readRefusal } from '../common/upgrade-refusal.ts'
import { urlPath } from '../common/url-path.ts'
import { userAgent } from './api.ts'
import { apiError, unreachable } from './api-errors.ts'
import { credentialsOf, verification, type Connection, type Credentials } from './connection.ts'

/** The process to start: in which container of which pod, and its argv. */
export interface ContainerCommand {
  readonly namespace: string
  readonly pod: string
  readonly container: string
  readonly command: readonly string[]
}

/** Channels of the remote command protocol: k8s.io/apimachinery/pkg/util/remotecommand. */
const stdinChannel = 0
const stdoutChannel = 1
const stderrChannel = 2
const statusChannel = 3

const handshakeTimeoutMs = 10_000
/** of the whole upgrade: the kubelet may need some seconds to start the process */
const maxHandshakeMs = 30_000
const refusalTimeoutMs = 5_000
const maxRefusalLength = 65_536
const maxPayloadBytes = 16 * 1024 * 1024

/**
 * Starts a process in a container over the WebSocket of exec, with stdin, stdout and stderr.
 * @throws ApiError with the server's message when the upgrade is refused, ConfigurationError when the server cannot be reached or rejects the credentials
 */
export async function openRemoteCommand(
  connection: Connection,
  command: ContainerCommand,
  handlers: RemoteProcessHandlers,
): Promise<RemoteProcess> {
  const credentials = await credentialsOf(connection)
  const path = execPath(command)
  const exec = new ExecProcess(openSocket(connection, credentials, path), handlers)
  await exec.open(
    (error) => unreachable(connection, error, credentials.proxy),
    (status, text) => {
      if (status === 401) credentials.refused?.() // the next attempt gets new ones
      return apiError(status, text, connection, { proxy: credentials.proxy, path })
    },
  )
  return exec
}

function execPath({ namespace, pod, container, command }: ContainerCommand): string {
  const query = new URLSearchParams({ container, stdin: 'true', stdout: 'true', stderr: 'true' })
  for (const word of command) query.append('command', word)
  return `${urlPath`/api/v1/namespaces/${namespace}/pods/${pod}/exec`}?${query.toString()}`
}

/** Keeps no connection, but the TLS session, which makes the handshakes after the first one short. */
const resumingAgent = new HttpsAgent()

function openSocket({ server }: Connection, { headers, tls, agent }: Credentials, path: string): WebSocket {
  return new WebSocket(`${server.replace(/^http/, 'ws')}${path}`, ['v5.channel.k8s.io', 'v4.channel.k8s.io'], {
    ...verification,
    ...tls,
    ...(agent ? { agent } : server.startsWith('https:') ? { agent: resumingAgent } : {}),
    headers: { ...headers, 'user-agent': userAgent },
    handshakeTimeout: handshakeTimeoutMs,
    maxPayload: maxPayloadBytes,
    perMessageDeflate: false,
    skipUTF8Validation: true,
  })
}

/** One exec connection. Its states: connecting, open, closed. */
class ExecProcess implements RemoteProcess {
  readonly ended: Promise<RemoteProcessEnd>
  readonly #socket: WebSocket
  readonly #output: RemoteOutput
  #state: 'connecting' | 'open' | 'closed' = 'connecting'
  /** what the server reports about the end of the process */
  #status = ''
  /** why the connection was cut, where the client did it or the network failed */
  #cause = ''
  /** the upgrade took too long */
  #late: Error | undefined

  constructor(socket: WebSocket, handlers: RemoteProcessHandlers) {
    this.#socket = socket
    this.#output = new RemoteOutput(handlers, {
      pause: () => socket.pause(),
      resume: () => socket.resume(),
      fail: (reason) => this.#cut(reason),
      ping: () => socket.ping(),
    })
    this.ended = new Promise((resolve) => {
      socket.once('close', (code) => resolve(this.#onClosed(code)))
    })
    // The first frames may come in the same packet as the answer to the upgrade.
    socket.on('message', (data: RawData) => this.#takeFrame(asBuffer(data)))
  }

  get protocol(): string {
    return this.#socket.protocol
  }

  /** Waits for the upgrade. The arguments make the error of a failed connection, and of an answer that refuses the upgrade. */
  async open(onError: (error: Error) => Error, onRefused: (status: number, text: string) => Error): Promise<void> {
    // `handshakeTimeout` of ws is a limit on silence: a server that sends its answer byte by byte would never reach it.
    const timer = setTimeout(() => {
      this.#late = new Error(`no answer within ${maxHandshakeMs / 1000} s`)
      this.#socket.terminate()
    }, maxHandshakeMs)
    await this.#upgrade(onError, onRefused).finally(() => clearTimeout(timer))
  }

  #upgrade(onError: (error: Error) => Error, onRefused: (status: number, text: string) => Error): Promise<void> {
    const socket = this.#socket
    return new Promise((resolve, reject) => {
      socket.on('error', (error) => {
        this.#cause ||= error.message
        reject(onError(this.#late ?? error))
      })
      socket.once('unexpected-response', (_request, response: IncomingMessage) => {
        void readRefusal(response, refusalTimeoutMs, maxRefusalLength).then((text) => {
          reject(onRefused(response.statusCode ?? 0, text))
          socket.terminate()
        })
      })
      socket.once('open', () => {
        this.#state = 'open'
        this.#output.watch()
        resolve()
      })
    })
  }

  send(line: string): boolean {
    if (this.#state !== 'open' || this.#socket.readyState !== WebSocket.OPEN) return false
    this.#socket.send(Buffer.concat([Buffer.of(stdinChannel), Buffer.from(`${line}\n`)]))
    return true
  }

  close(): void {
    this.#cut(closedByClient)
  }

  #takeFrame(frame: Buffer): void {
    this.#output.noteActivity()
    const data = frame.subarray(1)
    if (data.length === 0) return // the first frame reports that the stream is established
    const channel = frame[0]
    if (channel === stdoutChannel) this.#output.takeStdout(data)
    else if (channel === stderrChannel) this.#output.takeStderr(data)
    else if (channel === statusChannel) this.#status = statusMessage(data)
  }

  #cut(reason: string): void {
    this.#cause ||= reason
    this.#socket.terminate()
  }

  #onClosed(code: number): RemoteProcessEnd {
    this.#state = 'closed'
    this.#output.end()
    return { code, reason: this.#cause || this.#status }
  }
}

function asBuffer(data: RawData): Buffer {
  if (Buffer.isBuffer(data)) return data
  return Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data)
}

function statusMessage(data: Buffer): string {
  const text = data.toString('utf8')
  try {
    const status = JSON.parse(text) as { status?: string; message?: string }
    return status.status === 'Success' ? 'the server reports Success' : (status.message ?? text)
  } catch {
    return text
  }
}
