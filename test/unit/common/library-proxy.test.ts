import { createServer, request, type Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { HttpsProxyAgent } from 'https-proxy-agent'
import { childEnvironment } from '../../../src/common/child-environment.ts'
import { withProxyRules } from '../../../src/common/library-proxy.ts'
import { environmentAgents, environmentProxy, proxyOf } from '../../../src/common/proxy.ts'
import { startSocksServer, type SocksServer } from '../../support/socks-server.ts'

const names = ['HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY', 'ALL_PROXY']
const allNames = names.flatMap((name) => [name, name.toLowerCase()])
const saved = new Map(allNames.map((name) => [name, process.env[name]]))

let service: Server
let proxy: Server
let socks: SocksServer
/** host:port, and the login of each CONNECT that the HTTP proxy gets */
let asked: (readonly [string | undefined, string | undefined])[]
const sockets = new Set<Socket>()
const portOf = (server: Server): number => (server.address() as AddressInfo).port

beforeEach(async () => {
  for (const name of allNames) Reflect.deleteProperty(process.env, name)
  asked = []
  service = createServer((message, response) => {
    let body = ''
    message.setEncoding('utf8').on('data', (text: string) => (body += text))
    message.on('end', () => response.end(`${message.method ?? ''} ${message.headers.host ?? ''} ${body}`))
  })
  proxy = createServer()
  proxy.on('connect', ({ url, headers }, socket: Socket) => {
    asked.push([url, headers['proxy-authorization']])
    const onward = connect(portOf(service), '127.0.0.1', () => {
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
  socks = await startSocksServer(portOf(service))
})
afterEach(async () => {
  for (const [name, value] of saved) {
    if (value === undefined) Reflect.deleteProperty(process.env, name)
    else process.env[name] = value
  }
  for (const socket of sockets) socket.destroy()
  await Promise.all([service, proxy].map((server) => new Promise((resolve) => server.close(resolve))))
  await socks.stop()
})

/** A library that knows HTTP proxies alone: CONNECT, as for https. */
function tunnelled(url: string, address = process.env['HTTPS_PROXY'] ?? ''): Promise<string> {
  return answerOf(request(url, { method: 'PUT', agent: new HttpsProxyAgent(address) }))
}

/** The same for a server without TLS: the proxy gets the whole URL. */
function forwarded(url: string): Promise<string> {
  const { hostname, port, username, password } = new URL(process.env['HTTP_PROXY'] ?? '')
  const login = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`
  const headers = { host: new URL(url).host, 'proxy-authorization': login }
  return answerOf(request({ host: hostname, port, path: url, method: 'PUT', headers, agent: false }))
}

function answerOf(asking: ReturnType<typeof request>): Promise<string> {
  return new Promise((resolve, reject) => {
    asking.on('response', (response) => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
      response.on('end', () => resolve(text === '' ? String(response.statusCode) : text))
    })
    asking.on('error', reject)
    asking.end('data')
  })
}

describe('a library with proxy rules of its own', () => {
  it('runs as it is when the environment has no proxy', async () => {
    expect(await withProxyRules(() => Promise.resolve(process.env['HTTPS_PROXY']))).toBeUndefined()
  })

  it('connects through a SOCKS proxy', async () => {
    process.env['https_proxy'] = `socks5://dev:s3cret@127.0.0.1:${String(socks.port)}`
    expect(await withProxyRules(() => tunnelled('http://blob.example:8443/x'))).toBe('PUT blob.example:8443 data')
    expect(socks.asked).toEqual(['blob.example:8443'])
    expect(socks.logins).toEqual(['dev:s3cret'])
  })

  it('connects through an HTTP proxy with its user and password', async () => {
    process.env['HTTPS_PROXY'] = `http://dev:p%40ss@127.0.0.1:${String(portOf(proxy))}`
    expect(await withProxyRules(() => tunnelled('http://blob.example:8443/x'))).toBe('PUT blob.example:8443 data')
    expect(asked).toEqual([['blob.example:8443', `Basic ${Buffer.from('dev:p@ss').toString('base64')}`]])
  })

  it.each(['', '10.0.0.0/8,127.0.0.0/8'])('connects directly to loopback with NO_PROXY=%s', async (noProxy) => {
    process.env['HTTPS_PROXY'] = `http://127.0.0.1:${String(portOf(proxy))}`
    process.env['NO_PROXY'] = noProxy
    const host = `127.0.0.1:${String(portOf(service))}`
    expect(await withProxyRules(() => tunnelled(`http://${host}/x`))).toBe(`PUT ${host} data`)
    expect(asked).toEqual([])
  })

  it('does not use ALL_PROXY, which Go does not read', async () => {
    process.env['ALL_PROXY'] = 'http://127.0.0.1:1'
    const host = `127.0.0.1:${String(portOf(service))}`
    expect(await withProxyRules(() => tunnelled(`http://${host}/x`))).toBe(`PUT ${host} data`)
  })

  it('connects by HTTP_PROXY to a server without TLS', async () => {
    process.env['HTTP_PROXY'] = `http://127.0.0.1:${String(portOf(proxy))}`
    expect(await withProxyRules(() => forwarded('http://blob.example/x'))).toBe('PUT blob.example data')
    expect(asked).toEqual([['blob.example:80', undefined]])
  })

  it('gets an error when the proxy does not run', async () => {
    process.env['HTTPS_PROXY'] = 'socks5://127.0.0.1:1'
    expect(await withProxyRules(() => tunnelled('http://blob.example/x'))).toBe('502')
  })

  it('has the environment of before at its end, also after an error', async () => {
    process.env['HTTPS_PROXY'] = 'http://proxy.example'
    process.env['no_proxy'] = 'a.example'
    const failed = withProxyRules(() => Promise.reject(new Error(process.env['HTTPS_PROXY'])))
    await expect(failed).rejects.toThrow(/^http:\/\/relay:\w+@127\.0\.0\.1:\d+$/)
    expect(process.env['HTTPS_PROXY']).toBe('http://proxy.example')
    expect(process.env['no_proxy']).toBe('a.example')
    expect('HTTP_PROXY' in process.env).toBe(false)
  })

  it('has the environment of before when two calls overlap', async () => {
    process.env['HTTPS_PROXY'] = 'http://proxy.example'
    let endFirst = (): void => undefined
    const first = withProxyRules(() => new Promise<void>((resolve) => (endFirst = resolve)))
    await withProxyRules(() => Promise.resolve(endFirst()))
    await first
    expect(process.env['HTTPS_PROXY']).toBe('http://proxy.example')
  })
})

describe('what this action does while a library runs', () => {
  it.each(['HTTPS_PROXY', 'https_proxy'])('connects by %s of before, which its errors name', async (name) => {
    process.env[name] = 'http://dev:s3cret@proxy.example:3128'
    process.env['no_proxy'] = 'direct.example'
    const before = (await environmentAgents())('https://server.example')
    await withProxyRules(async () => {
      const found = await environmentProxy('https://server.example')
      expect(found?.name).toBe(`${name} (http://proxy.example:3128)`)
      expect(proxyOf(found?.agent)?.href).toBe('http://dev:s3cret@proxy.example:3128/')
      expect(await environmentProxy('https://direct.example')).toBeUndefined()
      const agentFor = await environmentAgents()
      expect(proxyOf(agentFor('https://server.example'))).toEqual(proxyOf(before))
      expect(agentFor('https://direct.example')).toBeUndefined()
    })
    expect((await environmentProxy('https://server.example'))?.name).toBe(`${name} (http://proxy.example:3128)`)
  })

  it('starts programs with the environment of before', async () => {
    process.env['HTTPS_PROXY'] = 'socks5://proxy.example:1080'
    process.env['NO_PROXY'] = 'a.example'
    const child = await withProxyRules(() => Promise.resolve(childEnvironment(process.env)))
    expect(child).toMatchObject({ HTTPS_PROXY: 'socks5://proxy.example:1080', NO_PROXY: 'a.example' })
    expect(child['http_proxy']).toBeUndefined()
  })
})

it('refuses another user of the machine, who does not know the password', async () => {
  process.env['HTTPS_PROXY'] = `http://127.0.0.1:${String(portOf(proxy))}`
  const answer = await withProxyRules(() => {
    const { port } = new URL(process.env['HTTPS_PROXY'] ?? '')
    return tunnelled('http://blob.example/x', `http://127.0.0.1:${port}`)
  })
  expect(answer).toBe('407')
  expect(asked).toEqual([])
})
