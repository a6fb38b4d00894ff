import { createServer, type Server as HttpServer } from 'node:http'
import { connect as connectTcp, type AddressInfo, type Socket } from 'node:net'
import { call } from '../../../src/cluster/api.ts'
import type { Connection } from '../../../src/cluster/connection.ts'
import { connectDirectly } from '../../../src/cluster/direct.ts'
import { connectKubeconfig } from '../../../src/cluster/kubeconfig.ts'
import { openRemoteCommand } from '../../../src/cluster/remote-command.ts'
import { ConfigurationError } from '../../../src/errors.ts'
import { startServer, success, type Server } from './server.ts'

/** Opens a way to the server, by the PEM of its authority. */
type Open = (server: string, authority: string) => Promise<Connection>

const byKubeconfig: Open = (server, authority) => {
  const cluster = { server, 'certificate-authority-data': Buffer.from(authority).toString('base64') }
  const config = {
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'c' },
    clusters: [{ name: 'c', cluster }],
    users: [{ name: 'u', user: { token: 't0ken' } }],
    contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
  }
  return connectKubeconfig({ kind: 'content', content: JSON.stringify(config) }, undefined, {}, () => undefined)
}

const directly: Open = (server, certificateAuthority) =>
  Promise.resolve(
    connectDirectly(
      {
        ...{ input: 'api-server', server, certificateAuthority, as: 'dev', namespace: undefined },
        token: () => Promise.resolve('t0ken'),
      },
      () => undefined,
    ),
  )

async function refusal(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ConfigurationError)
  return (error as Error).message
}

describe.each([
  ['by a kubeconfig', byKubeconfig],
  ['directly', directly],
])('a proxy between the runner and the cluster, entered %s', (_way, open) => {
  let server: Server
  let proxy: HttpServer
  let asked: string[]
  let tunnels: Set<Socket>
  const names = ['HTTPS_PROXY', 'NO_PROXY', 'https_proxy', 'no_proxy'] as const
  const saved = Object.fromEntries(names.map((name) => [name, process.env[name]]))

  /** The API server, as it is reached: by its address or by its name. */
  async function begin(by: 'address' | 'localhost' = 'address'): Promise<string> {
    server = await startServer({ tls: by })
    server.answer = () => ({ status: 200, body: { ok: true } })
    server.exec = (session) => {
      session.stderr('hello\n')
      session.end(success)
    }
    return by === 'address' ? server.url : server.url.replace('127.0.0.1', by)
  }

  beforeEach(async () => {
    for (const name of names) delete process.env[name]
    asked = []
    tunnels = new Set()
    proxy = createServer()
    proxy.on('connect', (request, socket: Socket) => {
      asked.push(request.url ?? '')
      const [host = '', port = ''] = (request.url ?? '').split(':')
      const onward = connectTcp(Number(port), host, () => {
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

  /** One call and one exec, and what they brought. */
  async function both(url = server.url): Promise<unknown[]> {
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
    ['its address, as GKE gives it', 'address' as const],
  ])('is used by calls and by exec, to a server by %s', async (_what, by) => {
    const url = await begin(by)
    process.env['HTTPS_PROXY'] = `http://127.0.0.1:${String((proxy.address() as AddressInfo).port)}`
    await expect(both(url)).resolves.toEqual([{ ok: true }, 'hello'])
    expect(asked).toEqual([new URL(url).host, new URL(url).host])
  })

  it('leaves the certificate to be checked end to end', async () => {
    await begin()
    process.env['HTTPS_PROXY'] = `http://127.0.0.1:${String((proxy.address() as AddressInfo).port)}`
    const other = await startServer({ tls: 'address' })
    await other.stop()
    const connection = await open(server.url, other.certificate)
    expect(await refusal(call(connection, 'GET', '/version'))).toContain('its certificate is not the one')
  })

  it('is not used for what NO_PROXY names', async () => {
    await begin()
    process.env['HTTPS_PROXY'] = `http://127.0.0.1:${String((proxy.address() as AddressInfo).port)}`
    process.env['NO_PROXY'] = 'example.com,127.0.0.1'
    await expect(both()).resolves.toEqual([{ ok: true }, 'hello'])
    expect(asked).toEqual([])
  })

  it('is not used where nothing says so', async () => {
    await begin()
    await expect(both()).resolves.toEqual([{ ok: true }, 'hello'])
    expect(asked).toEqual([])
  })

  it.each([
    ['HTTPS_PROXY', 'http://127.0.0.1:1', 'http://127.0.0.1:1'],
    ['https_proxy', '127.0.0.1:1', 'http://127.0.0.1:1'],
    ['HTTPS_PROXY', 'http://dev:s3cret@127.0.0.1:1', 'http://127.0.0.1:1'],
  ])('that nobody runs is named: %s=%s', async (name, value, shown) => {
    await begin()
    process.env[name] = value
    const message = await refusal(both())
    expect(message).toMatch(/^\S+: the API server .*cannot be reached through the proxy .*ECONNREFUSED.*NO_PROXY/)
    expect(message).toContain(` ${name} (${shown}) `)
    expect(message).not.toContain('s3cret')
  })

  it('is http where it has no scheme, as for curl and Go', async () => {
    await begin()
    process.env['HTTPS_PROXY'] = `127.0.0.1:${String((proxy.address() as AddressInfo).port)}`
    await expect(both()).resolves.toEqual([{ ok: true }, 'hello'])
    expect(asked).toHaveLength(2)
  })

  it.each(['http://', 'no address', 'dev:s3cret@no address', 'socks5://127.0.0.1:1', 'http://dev:s3cret@127.0.0.1:x'])(
    'that is no address is named: %s',
    async (value) => {
      await begin()
      process.env['HTTPS_PROXY'] = value
      const message = await refusal(both())
      expect(message).toMatch(/^HTTPS_PROXY: got ".*", which is no address of a proxy\. Set it to http:\/\/HOST:PORT/)
      expect(message).not.toContain('s3cret')
    },
  )
})

describe('the proxy-url of a kubeconfig', () => {
  const open = (proxyUrl: string): Promise<Connection> =>
    connectKubeconfig(
      {
        kind: 'content',
        content: JSON.stringify({
          clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:2', 'proxy-url': proxyUrl } }],
          users: [{ name: 'u', user: { token: 't0ken' } }],
          contexts: [{ name: 'c', context: { cluster: 'c', user: 'u' } }],
          'current-context': 'c',
        }),
      },
      undefined,
      {},
      () => undefined,
    )

  it.each(['http://dev:s3cret@127.0.0.1:1', 'socks5://127.0.0.1:1'])(
    'that nobody runs is named: %s',
    async (proxyUrl) => {
      const message = await refusal(call(await open(proxyUrl), 'GET', '/version'))
      expect(message).not.toContain('NO_PROXY') // it does not touch what the kubeconfig says
      expect(message).toMatch(/cannot be reached through the proxy proxy-url \((http|socks5):\/\/127\.0\.0\.1:1\) /)
      expect(message).not.toContain('s3cret')
    },
  )

  it.each(['127.0.0.1:3128', 'ftp://a.example', 'nonsense'])('that is no address is named: %s', async (proxyUrl) => {
    expect(await refusal(open(proxyUrl))).toMatch(
      /^kubeconfig: proxy-url of the cluster "c": got ".*", which is no address/,
    )
  })
})
