import { randomBytes } from 'node:crypto'
import {
  createServer,
  request as plainRequest,
  type IncomingMessage,
  type Server,
  type ServerResponse,
} from 'node:http'
import { request as tlsRequest } from 'node:https'
import { connect, type AddressInfo, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { setReplacedVariables } from './proxy-environment.ts'
import { checkProxyAddress, isSocks, proxyAgent, proxyPorts } from './proxy.ts'
import { chooseProxy, type ProxyChoice } from './proxy-rules.ts'

const variables = ['HTTPS_PROXY', 'https_proxy', 'HTTP_PROXY', 'http_proxy']
const otherVariables = ['ALL_PROXY', 'all_proxy', 'NO_PROXY', 'no_proxy']
const connectTimeoutMs = 30_000

/**
 * Runs `work`, whose libraries (@actions/http-client, Azure's client of the blob store) read the proxy from the environment by rules of their own
 * and know no SOCKS. While it runs, the environment names an HTTP proxy on loopback, which sends each connection on by the rules of Go. Without a
 * proxy in the environment, `work` runs as it is.
 * @throws what `work` throws
 */
export async function withProxyRules<T>(work: () => Promise<T>): Promise<T> {
  if (![...variables, ...otherVariables].some((name) => process.env[name])) return work()
  userCount += 1
  opening ??= openRelay()
  try {
    await opening
    return await work()
  } finally {
    userCount -= 1
    if (userCount === 0) {
      const restore = opening
      opening = undefined
      await restore.then((close) => close())
    }
  }
}

/** Calls that overlap share one relay, because there is one environment. */
let userCount = 0
let opening: Promise<() => void> | undefined

/** Starts the relay and puts it into the environment; the result undoes both. */
async function openRelay(): Promise<() => void> {
  const saved = Object.fromEntries([...variables, ...otherVariables].map((name) => [name, process.env[name]]))
  const relay = new ProxyRelay({ ...process.env })
  const address = await relay.listen()
  setReplacedVariables(saved)
  for (const name of variables) process.env[name] = address
  for (const name of otherVariables) Reflect.deleteProperty(process.env, name)
  return () => {
    for (const [name, value] of Object.entries(saved)) {
      if (value === undefined) Reflect.deleteProperty(process.env, name)
      else process.env[name] = value
    }
    setReplacedVariables(undefined)
    relay.close()
  }
}

/** An HTTP proxy on loopback. Its address has a password, so that another user of the machine cannot use it. */
class ProxyRelay {
  readonly #env: NodeJS.ProcessEnv
  readonly #password = randomBytes(16).toString('hex')
  readonly #sockets = new Set<Duplex>()
  readonly #server: Server

  constructor(env: NodeJS.ProcessEnv) {
    this.#env = env
    this.#server = createServer((request, response) => void this.#forward(request, response))
    this.#server.on('connect', (request: IncomingMessage, socket: Socket, head: Buffer) => {
      void this.#tunnel(request, socket, head)
    })
    this.#server.on('connection', (socket) => this.#keep(socket))
  }

  async listen(): Promise<string> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject).listen(0, '127.0.0.1', resolve)
    })
    this.#server.unref()
    return `http://relay:${this.#password}@127.0.0.1:${String((this.#server.address() as AddressInfo).port)}`
  }

  close(): void {
    this.#server.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #keep(socket: Duplex): void {
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('error', () => socket.destroy())
  }

  #isAllowed({ headers }: IncomingMessage): boolean {
    const expected = Buffer.from(`relay:${this.#password}`).toString('base64')
    return headers['proxy-authorization']?.replace(/^basic /i, '') === expected
  }

  /** CONNECT host:port */
  async #tunnel(request: IncomingMessage, socket: Socket, head: Buffer): Promise<void> {
    const refuse = (status: string): void => void socket.end(`HTTP/1.1 ${status}\r\nconnection: close\r\n\r\n`)
    if (!this.#isAllowed(request)) return refuse('407 Proxy Authentication Required')
    try {
      const target = new URL(`https://${request.url ?? ''}`)
      const onward = await openOnward(target, this.#choice(target))
      this.#keep(onward)
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      onward.write(head)
      onward.pipe(socket).pipe(onward)
      socket.on('close', () => onward.destroy())
      onward.on('close', () => socket.destroy())
    } catch (error) {
      refuse(`502 ${oneLine(error)}`)
    }
  }

  /** A request with a whole URL: the form for a server without TLS. */
  async #forward(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (!this.#isAllowed(request)) return void response.writeHead(407).end()
    try {
      const target = new URL(request.url ?? '')
      const choice = this.#choice(target)
      const headers = { ...request.headers }
      delete headers['proxy-authorization']
      delete headers['proxy-connection']
      const agent = choice ? await proxyAgent(choice.address) : false
      const onward = plainRequest(target, { method: request.method, headers, agent }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers)
        answer.pipe(response)
      })
      onward.on('error', (error) => response.destroy(error))
      request.pipe(onward)
    } catch (error) {
      response.writeHead(502, oneLine(error)).end()
    }
  }

  #choice(target: URL): ProxyChoice | undefined {
    const choice = chooseProxy(target, this.#env)
    if (choice) {
      const place = { input: choice.variable, subject: 'the value' }
      checkProxyAddress(choice.address, [...proxyPorts.keys()], place)
    }
    return choice
  }
}

/** A connection to the target, through the proxy where there is one. */
async function openOnward(target: URL, choice: ProxyChoice | undefined): Promise<Duplex> {
  const host = target.hostname.replace(/^\[|\]$/g, '')
  const port = Number(target.port || 443)
  if (choice === undefined) return opened(connect({ host, port }))
  const proxy = new URL(choice.address)
  const login = { name: decodeURIComponent(proxy.username), password: decodeURIComponent(proxy.password) }
  if (isSocks(choice.address)) {
    const { SocksClient } = await import('socks')
    const proxyHost = proxy.hostname.replace(/^\[|\]$/g, '')
    const { socket } = await SocksClient.createConnection({
      proxy: {
        ...{ host: proxyHost, port: Number(proxy.port || 1080), type: 5 as const },
        ...(login.name === '' ? {} : { userId: login.name, password: login.password }),
      },
      ...{ destination: { host, port }, command: 'connect' as const, timeout: connectTimeoutMs },
    })
    return socket
  }
  const authority = `${target.hostname}:${String(port)}`
  const credentials = Buffer.from(`${login.name}:${login.password}`).toString('base64')
  const headers = { host: authority, ...(login.name === '' ? {} : { 'proxy-authorization': `Basic ${credentials}` }) }
  const open = proxy.protocol === 'https:' ? tlsRequest : plainRequest
  return new Promise((resolve, reject) => {
    const { hostname, port: proxyPort } = proxy
    const request = open({
      ...{ host: hostname.replace(/^\[|\]$/g, ''), port: proxyPort || proxyPorts.get(proxy.protocol) },
      ...{ method: 'CONNECT', path: authority, headers, agent: false, timeout: connectTimeoutMs },
    })
    request.on('connect', ({ statusCode }, socket) => {
      if (statusCode === 200) return resolve(socket)
      socket.destroy()
      reject(new Error(`the proxy answered ${String(statusCode)}`))
    })
    request.on('response', ({ statusCode }) => reject(new Error(`the proxy answered ${String(statusCode)}`)))
    request.on('timeout', () => request.destroy(new Error('the proxy does not answer')))
    request.on('error', reject)
    request.end()
  })
}

function opened(socket: Socket): Promise<Socket> {
  return new Promise((resolve, reject) => {
    socket.setTimeout(connectTimeoutMs, () => socket.destroy(new Error('the server does not answer')))
    socket.once('connect', () => {
      socket.setTimeout(0)
      resolve(socket)
    })
    socket.once('error', reject)
  })
}

/** A cause for the status line of HTTP. */
function oneLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replace(/[^\x20-\x7e]+/g, ' ').slice(0, 200)
}
