import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { openTransport } from '../../../src/google/transport.ts'
import { startSocksServer } from '../../support/socks-server.ts'

const names = [
  'HTTPS_PROXY',
  'HTTP_PROXY',
  'NO_PROXY',
  'https_proxy',
  'http_proxy',
  'no_proxy',
  'ALL_PROXY',
  'all_proxy',
]
const saved = new Map(names.map((name) => [name, process.env[name]]))

let service: Server
let proxy: Server
let asked: string[]
let agents: (string | undefined)[]
const sockets = new Set<Socket>()
const portOf = (server: Server): string => String((server.address() as AddressInfo).port)

beforeEach(async () => {
  for (const name of names) delete process.env[name]
  asked = []
  agents = []
  service = createServer((request, response) => {
    agents.push(request.headers['user-agent'])
    response.writeHead(200, { 'content-type': 'application/json' }).end('{"ok":true}')
  })
  proxy = createServer()
  proxy.on('connect', (request, socket: Socket) => {
    asked.push(request.url ?? '')
    const onward = connect(Number(portOf(service)), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
      onward.pipe(socket).pipe(onward)
    })
    for (const one of [socket, onward]) {
      sockets.add(one)
      one.on('error', () => one.destroy())
    }
  })
  for (const server of [service, proxy]) {
    server.on('connection', (socket: Socket) => sockets.add(socket))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  }
})
afterEach(async () => {
  for (const [name, value] of saved) {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
  const closed = [service, proxy].map((server) => new Promise((resolve) => server.close(resolve)))
  for (const socket of sockets) socket.destroy()
  await Promise.all(closed)
})

const read = async (url: string): Promise<unknown> =>
  (await (await openTransport()).request<unknown>({ url, responseType: 'json' })).data

describe('a request to Google', () => {
  it('connects directly when no proxy variable is set', async () => {
    expect(await read(`http://127.0.0.1:${portOf(service)}/x`)).toEqual({ ok: true })
    expect(asked).toEqual([])
    expect(agents).toEqual([expect.stringContaining('kubernetes-packet-capture')])
  })

  it('connects through the proxy that the environment sets', async () => {
    process.env['HTTP_PROXY'] = `http://127.0.0.1:${portOf(proxy)}`
    expect(await read('http://container.googleapis.com/x')).toEqual({ ok: true })
    expect(asked).toEqual(['container.googleapis.com:80'])
  })

  it('reads a proxy address without a scheme as HTTP, as curl and gcloud do', async () => {
    process.env['HTTPS_PROXY'] = `127.0.0.1:${portOf(proxy)}`
    await expect(read('https://container.googleapis.com/x')).rejects.toThrow() // the service does not use TLS
    expect(asked[0]).toBe('container.googleapis.com:443')
  })

  it('names the variable whose value is not an address', async () => {
    process.env['HTTPS_PROXY'] = 'ftp://user:secret@proxy.example'
    await expect(read('https://container.googleapis.com/x')).rejects.toThrow(
      /^HTTPS_PROXY: the value "ftp:\/\/proxy.example" is not the address of a proxy/,
    )
  })

  it('connects directly to a server on loopback, as Go does', async () => {
    process.env['HTTP_PROXY'] = `http://127.0.0.1:${portOf(proxy)}`
    expect(await read(`http://127.0.0.1:${portOf(service)}/x`)).toEqual({ ok: true })
    expect(asked).toEqual([])
  })

  it('connects directly when NO_PROXY contains a domain of the host', async () => {
    process.env['HTTP_PROXY'] = `http://127.0.0.1:${portOf(proxy)}`
    process.env['NO_PROXY'] = 'example.com,.invalid:81'
    await expect(read('http://service.invalid:81/x')).rejects.toThrow(/ENOTFOUND|EAI_AGAIN/)
    expect(asked).toEqual([])
  })

  it.each(['socks5', 'socks5h'])('connects through a %s proxy, which resolves the name of the host', async (scheme) => {
    const socks = await startSocksServer(Number(portOf(service)))
    process.env['HTTP_PROXY'] = `${scheme}://127.0.0.1:${String(socks.port)}`
    try {
      expect(await read('http://container.googleapis.com/x')).toEqual({ ok: true })
      expect(socks.asked).toEqual(['container.googleapis.com:80'])
    } finally {
      await socks.stop()
    }
  })
})
