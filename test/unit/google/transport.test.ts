import { createServer, type Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { openTransport } from '../../../src/google/transport.ts'

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

describe('a call to Google', () => {
  it('goes straight where nothing says otherwise', async () => {
    expect(await read(`http://127.0.0.1:${portOf(service)}/x`)).toEqual({ ok: true })
    expect(asked).toEqual([])
    expect(agents).toEqual([expect.stringContaining('kubernetes-packet-capture')])
  })

  it("goes through the environment's proxy", async () => {
    process.env['HTTP_PROXY'] = `http://127.0.0.1:${portOf(proxy)}`
    expect(await read('http://container.googleapis.com/x')).toEqual({ ok: true })
    expect(asked).toEqual(['container.googleapis.com:80'])
  })

  it('takes an address without a scheme for one of plain http, as curl and gcloud do', async () => {
    process.env['HTTPS_PROXY'] = `127.0.0.1:${portOf(proxy)}`
    await expect(read('https://container.googleapis.com/x')).rejects.toThrow() // the service speaks no TLS
    expect(asked[0]).toBe('container.googleapis.com:443')
  })

  it('says which variable is no address', async () => {
    process.env['HTTPS_PROXY'] = 'ftp://user:secret@proxy.example'
    await expect(read('https://container.googleapis.com/x')).rejects.toThrow(
      /^HTTPS_PROXY: got "ftp:\/\/proxy.example", which is no address of a proxy/,
    )
  })

  it('does not, where NO_PROXY names a domain above it', async () => {
    process.env['HTTP_PROXY'] = `http://127.0.0.1:${portOf(proxy)}`
    process.env['NO_PROXY'] = `example.com,.0.0.1:${portOf(service)}`
    expect(await read(`http://127.0.0.1:${portOf(service)}/x`)).toEqual({ ok: true })
    expect(asked).toEqual([])
  })
})
