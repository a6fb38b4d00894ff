import { createServer, type Server as HttpServer } from 'node:http'
import { connect as connectTcp, type AddressInfo, type Socket } from 'node:net'
import { call } from '../../../src/cluster/api.ts'
import type { Connection } from '../../../src/cluster/connection.ts'
import { connectWithToken } from '../../../src/cluster/token-connection.ts'
import { connectKubeconfig } from '../../../src/cluster/kubeconfig/connect.ts'
import { openRemoteCommand } from '../../../src/cluster/remote-command.ts'
import { proxiedHosts } from '../../support/certificates.ts'
import { startServer, success, type Server } from '../../support/api-server.ts'
import { refusal } from '../../support/refusal.ts'
import { startSocksServer } from '../../support/socks-server.ts'

/** Connects to the server, with the PEM of its authority. */
type Open = (server: string, authority: string) => Promise<Connection>

const openContent = (content: string): Promise<Connection> =>
  connectKubeconfig({
    ...{ source: { kind: 'content', content }, context: undefined, env: process.env },
    maskSecret: () => undefined,
  })

const byKubeconfig: Open = (server, authority) => {
  const cluster = { server, 'certificate-authority-data': Buffer.from(authority).toString('base64') }
  const config = {
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'c' },
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user: { token: 't0ken' } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
  }
  return openContent(JSON.stringify(config))
}

const byToken: Open = (server, certificateAuthority) =>
  Promise.resolve(
    connectWithToken(
      {
        ...{ input: 'api-server', server, as: 'dev', trustedAuthority: 'the given one' },
        certificateAuthority: { text: certificateAuthority, input: 'x', subject: 'x', fix: 'x' },
        token: () => Promise.resolve('t0ken'),
      },
      () => undefined,
    ),
  )

describe.each([
  ['by a kubeconfig', byKubeconfig],
  ['by a token', byToken],
])('a proxy between the runner and a cluster, connected %s', (_way, open) => {
  let server: Server
  let proxy: HttpServer
  let asked: string[]
  let tunnels: Set<Socket>
  const names = ['HTTPS_PROXY', 'NO_PROXY', 'https_proxy', 'no_proxy'] as const
  const saved = Object.fromEntries(names.map((name) => [name, process.env[name]]))

  /** Starts the API server; returns its URL with an address or a name that only the proxy knows. */
  async function begin(by: 'address' | 'localhost' = 'address'): Promise<string> {
    server = await startServer({ tls: by })
    server.answer = () => ({ status: 200, body: { ok: true } })
    server.exec = (session) => {
      session.stderr('hello\n')
      session.end(success)
    }
    return server.url.replace('127.0.0.1', proxiedHosts[by])
  }

  beforeEach(async () => {
    for (const name of names) delete process.env[name]
    asked = []
    tunnels = new Set()
    proxy = createServer()
    proxy.on('connect', (request, socket: Socket) => {
      asked.push(request.url ?? '')
      const [, port = ''] = (request.url ?? '').split(':')
      const onward = connectTcp(Number(port), '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n')
        onward.pipe(socket).pipe(onward)
      })
      for (const one of [socket, onward]) {
        tunnels.add(one)
        one.on('error', () => one.destroy())
      }
    })
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  })
  afterEach(async () => {
    for (const name of names) {
      if (saved[name] === undefined) delete process.env[name]
      else process.env[name] = saved[name]
    }
    for (const one of tunnels) one.destroy()
    await new Promise((resolve) => proxy.close(resolve))
    await server.stop()
  })

  /** The results of one call and one exec. */
  async function both(url: string): Promise<unknown[]> {
    const connection = await open(url, server.certificate)
    const { body } = await call(connection, 'GET', '/version')
    const lines: string[] = []
    const command = await openRemoteCommand(
      connection,
      { namespace: 'shop', pod: 'web-1', container: 'x', command: ['true'] },
      { stdout: () => undefined, stderr: (line) => lines.push(line) },
    )
    await command.ended
    return [body, ...lines]
  }

  it.each([
    ['its name', 'localhost' as const],
    ['its IP address, as in GKE', 'address' as const],
  ])('is used for requests and for exec to a server that is addressed by %s', async (_what, by) => {
    const url = await begin(by)
    process.env['HTTPS_PROXY'] = `http://127.0.0.1:${String((proxy.address() as AddressInfo).port)}`
    await expect(both(url)).resolves.toEqual([{ ok: true }, 'hello'])
    expect(asked).toEqual([new URL(url).host, new URL(url).host])
  })

  it.each([
    ['its name', 'localhost' as const, 'socks5'],
    ['its IP address', 'address' as const, 'socks5'],
    ['its name', 'localhost' as const, 'socks5h'],
  ])('speaks SOCKS5 for requests and for exec to a server that is addressed by %s (%s, %s)', async (_, by, scheme) => {
    const url = await begin(by)
    const socks = await startSocksServer()
    process.env['HTTPS_PROXY'] = `${scheme}://dev:p%40ss@127.0.0.1:${String(socks.port)}`
    try {
      await expect(both(url)).resolves.toEqual([{ ok: true }, 'hello'])
      expect(socks.asked).toEqual([new URL(url).host, new URL(url).host]) // the proxy resolves the name
      expect(socks.logins).toEqual(['dev:p@ss', 'dev:p@ss'])
    } finally {
      await socks.stop()
    }
  })

  it('does not disable the check of the certificate', async () => {
    const url = await begin()
    process.env['HTTPS_PROXY'] = `http://127.0.0.1:${String((proxy.address() as AddressInfo).port)}`
    const other = await startServer({ tls: 'address', name: 'other' })
    await other.stop()
    const connection = await open(url, other.certificate)
    expect(await refusal(call(connection, 'GET', '/version'))).toContain('its certificate does not match')
    expect(asked).toHaveLength(1)
  })

  it('is not used for a server on loopback, as with Go', async () => {
    await begin()
    process.env['HTTPS_PROXY'] = 'http://127.0.0.1:1'
    await expect(both(server.url)).resolves.toEqual([{ ok: true }, 'hello'])
  })

  it.each(['example.com,192.0.2.10', '192.0.2.0/24', '*'])(
    'is not used for a server that NO_PROXY names: %s',
    async (noProxy) => {
      const url = await begin()
      process.env['HTTPS_PROXY'] = `http://127.0.0.1:${String((proxy.address() as AddressInfo).port)}`
      process.env['NO_PROXY'] = noProxy
      const connection = await open(url, server.certificate)
      expect((await connection.credentials()).agent).toBeUndefined()
    },
  )

  it('is not used when no variable sets it', async () => {
    await begin()
    await expect(both(server.url)).resolves.toEqual([{ ok: true }, 'hello'])
    expect(asked).toEqual([])
  })

  it.each([
    ['HTTPS_PROXY', 'http://127.0.0.1:1', 'http://127.0.0.1:1'],
    ['https_proxy', '127.0.0.1:1', 'http://127.0.0.1:1'],
    ['HTTPS_PROXY', 'http://dev:s3cret@127.0.0.1:1', 'http://127.0.0.1:1'],
    ['HTTPS_PROXY', 'socks5://dev:s3cret@127.0.0.1:1', 'socks5://127.0.0.1:1'],
  ])('is named in the error when it does not run: %s=%s', async (name, value, shown) => {
    const url = await begin()
    process.env[name] = value
    const message = await refusal(both(url))
    expect(message).toMatch(/^\S+: the API server .*cannot be reached through the proxy .*ECONNREFUSED.*NO_PROXY/)
    expect(message).toContain(` ${name} (${shown}) `)
    expect(message).not.toContain('s3cret')
  })

  it('is an HTTP proxy when its address has no scheme, as for curl and Go', async () => {
    const url = await begin()
    process.env['HTTPS_PROXY'] = `127.0.0.1:${String((proxy.address() as AddressInfo).port)}`
    await expect(both(url)).resolves.toEqual([{ ok: true }, 'hello'])
    expect(asked).toHaveLength(2)
  })

  it.each(['http://', 'no address', 'dev:s3cret@no address', 'socks4://127.0.0.1:1', 'http://dev:s3cret@127.0.0.1:x'])(
    'is named in the error when its address is invalid: %s',
    async (value) => {
      const url = await begin()
      process.env['HTTPS_PROXY'] = value
      const message = await refusal(both(url))
      expect(message).toMatch(
        /^HTTPS_PROXY: the value ".*" is not the address of a proxy\. Set it to http:\/\/HOST:PORT/,
      )
      expect(message).not.toContain('s3cret')
    },
  )
})

describe('the proxy-url of a kubeconfig', () => {
  const open = (proxyUrl: string, cluster: object = { server: 'https://127.0.0.1:2' }): Promise<Connection> =>
    openContent(
      JSON.stringify({
        clusters: [{ name: 'c', cluster: { ...cluster, 'proxy-url': proxyUrl } }],
        users: [{ name: 'u', user: { token: 't0ken' } }],
        contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
        'current-context': 'c',
      }),
    )

  it('is used also for a server on loopback and one that NO_PROXY names', async () => {
    const server = await startServer({ tls: 'address' })
    server.answer = () => ({ status: 200, body: { ok: true } })
    const socks = await startSocksServer()
    process.env['NO_PROXY'] = '*'
    try {
      const authority = Buffer.from(server.certificate).toString('base64')
      const cluster = { server: server.url, 'certificate-authority-data': authority }
      const connection = await open(`socks5://127.0.0.1:${String(socks.port)}`, cluster)
      expect((await call(connection, 'GET', '/version')).body).toEqual({ ok: true })
      expect(socks.asked).toEqual([new URL(server.url).host])
    } finally {
      delete process.env['NO_PROXY']
      await socks.stop()
      await server.stop()
    }
  })

  it.each(['http://dev:s3cret@127.0.0.1:1', 'socks5://127.0.0.1:1'])(
    'is named in the error when it does not run: %s',
    async (proxyUrl) => {
      const message = await refusal(call(await open(proxyUrl), 'GET', '/version'))
      expect(message).not.toContain('NO_PROXY') // it does not apply to the kubeconfig's proxy
      expect(message).toMatch(/cannot be reached through the proxy proxy-url \((http|socks5):\/\/127\.0\.0\.1:1\) /)
      expect(message).not.toContain('s3cret')
    },
  )

  it.each(['127.0.0.1:3128', 'ftp://a.example', 'nonsense'])(
    'is named in the error when it is invalid: %s',
    async (proxyUrl) => {
      expect(await refusal(open(proxyUrl))).toMatch(
        /^kubeconfig: the proxy-url of the cluster "c" ".*" is not the address of a proxy/,
      )
    },
  )
})
