import type { IncomingMessage } from 'node:http'
import { WebSocket, type RawData } from 'ws'
import { messageOf } from '../errors.ts'
import { lineSplitter } from '../lines.ts'
import { userAgent } from './api.ts'
import { apiError, unreachable } from './api-errors.ts'
import { credentialsOf, type Connection } from './connection.ts'

/** The process to start: in which container of which pod, and its argv. */
export interface RemoteProcess {
  readonly namespace: string
  readonly pod: string
  readonly container: string
  readonly command: readonly string[]
}

export interface RemoteHandlers {
  /** Bytes of stdout. A promise holds the sender back until it is fulfilled. */
  stdout(chunk: Buffer): Promise<void> | undefined
  /** One line of stderr, without its end. */
  stderr(line: string): void
}

export interface RemoteCommand {
  /** v5.channel.k8s.io or v4.channel.k8s.io */
  readonly protocol: string
  /** Writes one line to the process' stdin; false when the connection is no longer open. */
  send(line: string): boolean
  /** Ends the connection, and with its stdin the follower. */
  close(): void
  /** How it ended; never rejects. A success says nothing about completeness (kubernetes/kubectl#1726). */
  readonly ended: Promise<RemoteEnd>
}

export interface RemoteEnd {
  /** the WebSocket's close code; 1006 for a cut */
  readonly code: number
  /** the server's Status message, the cause of a cut, or '' */
  readonly reason: string
}

/** Channels of the remote command protocol: k8s.io/apimachinery/pkg/util/remotecommand. */
const stdinChannel = 0
const stdoutChannel = 1
const stderrChannel = 2
const statusChannel = 3

const handshakeTimeout = 10_000
const pingEvery = 5_000
/** Neither data nor a line of the follower, which sends one every 2 s, for this long: the connection is dead, whatever TCP says. */
export const silenceLimit = 15_000

/**
 * Starts a process in a container over exec's WebSocket, with stdin, stdout and stderr.
 * @throws ApiError with the server's words when the upgrade is refused, ConfigurationError when the server cannot be reached or does not know us
 */
export async function openRemoteCommand(
  connection: Connection,
  process: RemoteProcess,
  handlers: RemoteHandlers,
): Promise<RemoteCommand> {
  const { headers, tls, agent, proxy, refused } = await credentialsOf(connection)
  const query = new URLSearchParams({ container: process.container, stdin: 'true', stdout: 'true', stderr: 'true' })
  for (const word of process.command) query.append('command', word)
  const path = `/api/v1/namespaces/${process.namespace}/pods/${process.pod}/exec?${query.toString()}`
  const socket = new WebSocket(
    `${connection.server.replace(/^http/, 'ws')}${path}`,
    ['v5.channel.k8s.io', 'v4.channel.k8s.io'],
    {
      ...tls,
      ...(agent ? { agent } : {}),
      headers: { ...headers, 'user-agent': userAgent },
      handshakeTimeout,
      maxPayload: 16 * 1024 * 1024,
      perMessageDeflate: false,
      skipUTF8Validation: true,
    },
  )

  let lastMessage = Date.now()
  let held = 0
  let status = ''
  let cause = ''
  const lines = lineSplitter((line) => handlers.stderr(line))

  const take = (frame: Buffer): void => {
    lastMessage = Date.now()
    const channel = frame[0]
    const data = frame.subarray(1)
    if (data.length === 0) return // the first frame says "established"
    if (channel === stdoutChannel) {
      const drained = handlers.stdout(data)
      if (!drained) return
      // Frames that were parsed already still arrive after pause(); each may hold once more.
      held += 1
      socket.pause()
      void drained
        .catch((error: unknown) => fail(messageOf(error)))
        .finally(() => {
          held -= 1
          lastMessage = Date.now()
          if (held === 0) socket.resume()
        })
    } else if (channel === stderrChannel) {
      lines.push(data)
    } else if (channel === statusChannel) {
      status = statusMessage(data)
    }
  }
  const fail = (reason: string): void => {
    cause ||= reason
    socket.terminate()
  }

  await new Promise<void>((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', (error) => reject(unreachable(connection, error, proxy)))
    socket.once('unexpected-response', (_request, response: IncomingMessage) => {
      void readText(response).then((text) => {
        if (response.statusCode === 401) refused?.() // the next try comes with others
        reject(apiError(response.statusCode ?? 0, text, connection, { proxy, path }))
        socket.terminate()
      })
    })
    socket.on('message', (data: RawData) => take(asBuffer(data)))
  })
  socket.on('error', (error) => {
    cause ||= error.message
  })

  lastMessage = Date.now()
  const pulse = setInterval(() => {
    if (held > 0) return // while we hold the sender back nothing is read, no pong either
    if (Date.now() - lastMessage > silenceLimit) fail(`no sign of life for ${silenceLimit / 1000} s`)
    else socket.ping()
  }, pingEvery)
  const ended = new Promise<RemoteEnd>((resolve) => {
    socket.once('close', (code) => {
      clearInterval(pulse)
      lines.end()
      resolve({ code, reason: cause || status })
    })
  })

  return {
    protocol: socket.protocol,
    send: (line) => {
      if (socket.readyState !== WebSocket.OPEN) return false
      socket.send(Buffer.concat([Buffer.of(stdinChannel), Buffer.from(`${line}\n`)]))
      return true
    },
    close: () => {
      cause ||= 'closed by us'
      socket.terminate()
    },
    ended,
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
    return status.status === 'Success' ? 'the server says Success' : (status.message ?? text)
  } catch {
    return text
  }
}

async function readText(response: IncomingMessage): Promise<string> {
  const timer = setTimeout(() => response.destroy(), 5_000)
  let text = ''
  try {
    for await (const chunk of response) {
      text += String(chunk)
      if (text.length > 65_536) break
    }
  } catch {
    // what has come of it is all there is
  }
  clearTimeout(timer)
  return text
}
