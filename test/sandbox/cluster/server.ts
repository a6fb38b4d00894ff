// The API server's socket: TLS, bearer tokens, the record of requests, and the upgrade of exec.

import { randomBytes } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { createServer, type Server } from 'node:https'
import { STATUS_CODES } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { WebSocketServer } from 'ws'
import { checkExec, handle, type ApiContext, type ApiRequest } from './api.ts'
import type { ExecProcess } from './namespaces.ts'
import { decodeProtobuf, protobufType } from './protobuf.ts'
import type { User } from './rbac.ts'
import { protocols, serveExec, type ExecFaults } from './remotecommand.ts'
import type { ApiResponse } from './status.ts'
import { loopbackCertificate } from '../../support/certificates.ts'

export interface RecordedRequest {
  method: string
  path: string
  query: string
  body?: unknown
  user?: string
  status: number
}

export interface Faults {
  exec: ExecFaults
  /** Answers in place of the API server, also before an upgrade; undefined passes the request on. */
  answer?: (request: ApiRequest) => ApiResponse | undefined
}

export interface ApiServer {
  url: string
  certificate: string
  requests: RecordedRequest[]
  token(user: string): string
  stop(): Promise<void>
}

function encode(
  { status, body }: ApiResponse,
  date: Date,
): { status: number; payload: Buffer; headers: Record<string, string> } {
  const payload = Buffer.isBuffer(body) ? body : Buffer.from(`${JSON.stringify(body)}\n`)
  const type = Buffer.isBuffer(body) ? 'text/plain' : 'application/json'
  return {
    status,
    payload,
    headers: {
      'Content-Type': type,
      'Content-Length': String(payload.length),
      'Cache-Control': 'no-cache, private',
      Date: date.toUTCString(),
    },
  }
}

async function readBody(message: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = []
  for await (const chunk of message) chunks.push(chunk as Buffer)
  const bytes = Buffer.concat(chunks)
  if (message.headers['content-type']?.startsWith(protobufType)) return decodeProtobuf(bytes)
  const text = bytes.toString()
  try {
    return text === '' ? undefined : (JSON.parse(text) as unknown)
  } catch {
    return text
  }
}

export async function serve(context: ApiContext, faults: Faults): Promise<ApiServer> {
  const { private: key, cert } = await loopbackCertificate('sandbox')
  const users = new Map<string, User>()
  const tokens = new Map<string, string>()
  const requests: RecordedRequest[] = []

  function userOf(message: IncomingMessage): User | undefined {
    const token = /^Bearer (.+)$/.exec(message.headers.authorization ?? '')?.[1]
    if (token === undefined)
      return message.headers.authorization === undefined
        ? { name: 'system:anonymous', groups: ['system:unauthenticated'] }
        : undefined
    return users.get(token)
  }
  function toRequest(message: IncomingMessage, body?: unknown): ApiRequest {
    const url = new URL(message.url ?? '/', 'https://sandbox')
    return {
      method: message.method ?? 'GET',
      path: url.pathname,
      query: url.searchParams,
      headers: message.headers,
      body,
      user: userOf(message),
    }
  }
  function record({ method, path, query, body, user }: ApiRequest, status: number): void {
    requests.push({
      method,
      path,
      query: query.toString(),
      ...(body === undefined ? {} : { body }),
      ...(user ? { user: user.name } : {}),
      status,
    })
  }

  const server: Server = createServer({ key, cert }, (message, response) => {
    void readBody(message)
      .then((body) => {
        const request = toRequest(message, body)
        let reply = faults.answer?.(request)
        try {
          reply ??= handle(context, request)
        } catch (error) {
          const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
          reply = {
            status: 500,
            body: {
              kind: 'Status',
              apiVersion: 'v1',
              metadata: {},
              status: 'Failure',
              reason: 'InternalError',
              message: text,
              code: 500,
            },
          }
        }
        record(request, reply.status)
        const { status, payload, headers } = encode(reply, context.store.now())
        response.writeHead(status, headers).end(payload)
      })
      .catch(() => response.destroy())
  })

  const sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    handleProtocols: (offered) =>
      protocols.find(
        (protocol) => offered.has(protocol) && !(faults.exec.refuseV5 && protocol === 'v5.channel.k8s.io'),
      ) ?? false,
  })
  // `ws` does not add a Date header.
  sockets.on('headers', (headers) => headers.push(`Date: ${context.store.now().toUTCString()}`))

  function refuse(socket: Duplex, request: ApiRequest, reply: ApiResponse): void {
    record(request, reply.status)
    const { status, payload, headers } = encode(reply, context.store.now())
    const head = Object.entries({ ...headers, Connection: 'close' }).map(([name, value]) => `${name}: ${value}\r\n`)
    socket.end(
      Buffer.concat([Buffer.from(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${head.join('')}\r\n`), payload]),
    )
  }

  server.on('upgrade', (message: IncomingMessage, socket: Duplex, head: Buffer) => {
    socket.on('error', () => socket.destroy())
    const request = toRequest(message)
    const fault = faults.answer?.(request)
    if (fault !== undefined) return refuse(socket, request, fault)
    const checked = checkExec(context, request)
    if ('refused' in checked) return refuse(socket, request, checked.refused)
    const offered = (message.headers['sec-websocket-protocol'] ?? '').split(/\s*,\s*/)
    const served: readonly string[] = faults.exec.refuseV5 ? protocols.slice(1) : protocols
    // A real API server answers unknown protocols with an empty 403. SPDY is not supported here and gets the same answer.
    if (!offered.some((protocol) => served.includes(protocol)))
      return refuse(socket, request, { status: 403, body: Buffer.alloc(0) })
    const { pod, container, command } = checked
    const state = [...(pod.status.containerStatuses ?? []), ...(pod.status.ephemeralContainerStatuses ?? [])].find(
      ({ name }) => name === container,
    )?.state
    // The kubelet's answer, in plain text.
    if (state?.running === undefined)
      return refuse(socket, request, { status: 500, body: Buffer.from(`container not found ("${container}")\n`) })
    const flag = (name: string): boolean => ['true', '1'].includes(request.query.get(name) ?? '')
    const start = (): ExecProcess => {
      const running = context.kubelet.exec(pod, container, command)
      if (running === undefined)
        throw new Error(`container ${container} runs by assertion only: startCluster was called without pods`)
      return running
    }
    sockets.handleUpgrade(message, socket, head, (client) => {
      record(request, 101)
      serveExec(
        client,
        { stdin: flag('stdin'), stdout: flag('stdout'), stderr: flag('stderr'), command },
        start,
        faults.exec,
      )
    })
  })

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    certificate: cert,
    requests,
    token(name) {
      const known = tokens.get(name)
      if (known !== undefined) return known
      const token = randomBytes(16).toString('hex')
      tokens.set(name, token)
      users.set(token, { name, groups: [...(name === 'admin' ? ['system:masters'] : []), 'system:authenticated'] })
      return token
    },
    async stop() {
      for (const client of sockets.clients) client.terminate()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
