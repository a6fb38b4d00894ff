import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server as HttpServer } from 'node:http'
import { connect as connectTcp, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { call } from '../../../src/cluster/api.ts'
import { connect, type Connection, type KubeconfigSource } from '../../../src/cluster/connection.ts'
import { openRemoteCommand } from '../../../src/cluster/remote-command.ts'
import { ConfigurationError } from '../../../src/errors.ts'
import { startServer, success, type Server } from './server.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'connection-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

/** A kubeconfig of one cluster; `user` and `cluster` are JSON, which is YAML. */
const kubeconfig = ({
  user = { token: 't0p-s3cret-token' },
  cluster = { server: 'https://cluster.example:6443' },
  namespace = 'shop',
}: { user?: object; cluster?: object; namespace?: string } = {}): string => `
apiVersion: v1
kind: Config
clusters: [{ name: eu, cluster: ${JSON.stringify(cluster)} }]
users: [{ name: dev, user: ${JSON.stringify(user)} }]
contexts:
- { name: shop-eu, context: { cluster: eu, user: dev, namespace: "${namespace}" } }
- { name: base, context: { cluster: eu, user: dev } }
current-context: shop-eu
`
const content = (text: string): KubeconfigSource => ({ kind: 'content', content: text })

let secrets: string[]
const open = (source: KubeconfigSource, context?: string, env: NodeJS.ProcessEnv = {}): Promise<Connection> => {
  secrets = []
  return connect(source, context, env, (secret) => secrets.push(secret))
}

async function refusal(work: Promise<unknown>): Promise<string> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  )
  expect(error).toBeInstanceOf(ConfigurationError)
  return (error as Error).message
}

describe('a kubeconfig', () => {
  it('gives server, namespace and a description', async () => {
    await expect(open(content(kubeconfig()))).resolves.toMatchObject({
      server: 'https://cluster.example:6443',
      namespace: 'shop',
      description: 'cluster.example:6443 as dev (context shop-eu)',
    })
  })

  it('is read from a path, from KUBECONFIG, or given whole', async () => {
    const path = join(folder, 'config')
    writeFileSync(path, kubeconfig())
    for (const [source, env] of [
      [{ kind: 'path', path }, {}],
      [content(kubeconfig()), { KUBECONFIG: join(folder, 'not-looked-at') }],
    ] as const) {
      expect((await open(source, undefined, env)).namespace).toBe('shop')
    }
    process.env['KUBECONFIG'] = path
    expect((await open({ kind: 'default' }, undefined, { KUBECONFIG: path })).namespace).toBe('shop')
    delete process.env['KUBECONFIG']
  })

  it('has the context that is asked for', async () => {
    const connection = await open(content(kubeconfig()), 'base')
    expect(connection.namespace).toBeUndefined()
    expect(connection.description).toContain('context base')
  })
})

describe('a kubeconfig that cannot be used', () => {
  it('is missing: the path, and KUBECONFIG', async () => {
    const path = join(folder, 'none')
    expect(await refusal(open({ kind: 'path', path }))).toMatch(
      /^kubeconfig: there is no file ".*none"\. Set the input/,
    )
    expect(await refusal(open({ kind: 'default' }, undefined, { KUBECONFIG: path }))).toMatch(
      /^KUBECONFIG: there is no file/,
    )
  })

  it.each([
    ['no YAML', '{ not: [yaml'],
    ['no mapping', 'just words\nof nothing\n'],
    ['nothing of a kubeconfig', 'hello: world\nfoo: bar\n'],
    ['clusters that are no list', 'apiVersion: v1\nkind: Config\nclusters: 7\n'],
  ])('is broken: %s', async (_what, text) => {
    expect(await refusal(open(content(text)))).toMatch(/^kubeconfig: the given content /)
    const path = join(folder, 'broken')
    writeFileSync(path, text)
    expect(await refusal(open({ kind: 'path', path }))).toContain('broken')
  })

  it('never shows what is in it: it may be a secret', async () => {
    const text = `apiVersion: v1\nkind: Config\nusers:\n- name: dev\n  user: { token: t0p-s3cret-token\n`
    expect(await refusal(open(content(text)))).not.toContain('t0p-s3cret')
  })

  it('is a folder', async () => {
    expect(await refusal(open({ kind: 'path', path: folder }))).toMatch(/^kubeconfig: .*EISDIR/)
  })

  it('has no such context, and says which it has', async () => {
    expect(await refusal(open(content(kubeconfig()), 'prod'))).toMatch(
      /^context: got "prod", but the given content has: shop-eu, base\.$/,
    )
  })

  it('has no current context', async () => {
    const text = kubeconfig().replace(/current-context.*/, '')
    expect(await refusal(open(content(text)))).toMatch(
      /^kubeconfig: .* no usable current context.*one of: shop-eu, base/,
    )
  })

  it('has a server that is no address', async () => {
    expect(await refusal(open(content(kubeconfig({ cluster: { server: 'cluster.example' } }))))).toMatch(
      /^kubeconfig: .*has the server "cluster\.example"; it must be an https URL/,
    )
  })
})

describe('credentials', () => {
  it('a token is masked before it is used', async () => {
    const connection = await open(content(kubeconfig()))
    expect(secrets).toEqual([]) // nothing is asked before it is needed
    const { headers } = await connection.credentials()
    expect(headers['Authorization']).toBe('Bearer t0p-s3cret-token')
    expect(secrets).toContain('t0p-s3cret-token')
  })

  it('a password is masked too', async () => {
    const connection = await open(content(kubeconfig({ user: { username: 'dev', password: 'pa55-word' } })))
    const { headers } = await connection.credentials()
    const basic = Buffer.from('dev:pa55-word').toString('base64')
    expect(headers['Authorization']).toBe(`Basic ${basic}`)
    expect(secrets.join(' ')).toContain('pa55-word')
    expect(secrets.join(' ')).toContain(basic)
  })

  it('certificates become options of TLS', async () => {
    const pem = (text: string): string => Buffer.from(text).toString('base64')
    const connection = await open(
      content(
        kubeconfig({
          cluster: {
            server: 'https://cluster.example',
            'certificate-authority-data': pem('ca'),
            'tls-server-name': 'inner.example',
          },
          user: { 'client-certificate-data': pem('cert'), 'client-key-data': pem('key') },
        }),
      ),
    )
    const { tls, headers } = await connection.credentials()
    expect({ ca: String(tls.ca), cert: String(tls.cert), key: (tls.key as Buffer).toString() }).toEqual({
      ca: 'ca',
      cert: 'cert',
      key: 'key',
    })
    expect(tls.servername).toBe('inner.example')
    expect(tls.rejectUnauthorized).not.toBe(false)
    expect(headers).toEqual({})
  })

  it('the certificate of the server is checked unless the kubeconfig says otherwise', async () => {
    const cluster = { server: 'https://cluster.example', 'insecure-skip-tls-verify': true }
    const { tls } = await (await open(content(kubeconfig({ cluster })))).credentials()
    expect(tls.rejectUnauthorized).toBe(false)
  })
})

describe('an exec plugin', () => {
  const plugin = (script: string): string => {
    const path = join(folder, 'auth-plugin')
    writeFileSync(path, `#!/bin/sh\n${script}\n`)
    chmodSync(path, 0o755)
    return path
  }
  const exec = (command: string): string =>
    kubeconfig({ user: { exec: { apiVersion: 'client.authentication.k8s.io/v1', command, interactiveMode: 'Never' } } })
  const credential = (token: string): string =>
    JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: { token } })

  it('gives the token, which is masked', async () => {
    const connection = await open(content(exec(plugin(`echo '${credential('from-plugin')}'`))))
    expect((await connection.credentials()).headers['Authorization']).toBe('Bearer from-plugin')
    expect(secrets).toContain('from-plugin')
  })

  it.each([
    ['gke-gcloud-auth-plugin', /gcloud components install/],
    ['kubelogin', /azure\/use-kubelogin/],
    ['/opt/nothing/aws', /aws-actions\/configure-aws-credentials/],
    ['own-plugin', /Install it in a step before/],
  ])('%s that is missing is named, and how to install it', async (command, how) => {
    process.env['PATH'] = folder
    const connection = await open(content(exec(command.startsWith('/') ? command : join(folder, command))))
    const message = await refusal(connection.credentials())
    expect(message).toContain(command)
    expect(message).toContain('not on this runner')
    expect(message).toMatch(how)
  })

  it('that fails is named with its words', async () => {
    const connection = await open(content(exec(plugin('echo "please log in first" >&2; exit 3'))))
    expect(await refusal(connection.credentials())).toMatch(
      /^kubeconfig: the exec plugin `.*auth-plugin` gave no credentials: .*please log in first/,
    )
  })

  it('that says no JSON is named, without what it said', async () => {
    const connection = await open(content(exec(plugin('echo "token: s3cret"'))))
    expect(await refusal(connection.credentials())).toMatch(/auth-plugin` gave no credentials/)
  })
})

describe('a proxy between the runner and the cluster', () => {
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
    const cluster = { server: url, 'certificate-authority-data': Buffer.from(server.certificate).toString('base64') }
    const connection = await open(content(kubeconfig({ cluster })))
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
    const cluster = {
      server: server.url,
      'certificate-authority-data': Buffer.from(other.certificate).toString('base64'),
    }
    await other.stop()
    const connection = await open(content(kubeconfig({ cluster })))
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

  it('that nobody runs is told as what it is', async () => {
    await begin()
    process.env['HTTPS_PROXY'] = 'http://127.0.0.1:1'
    expect(await refusal(both())).toMatch(/^kubeconfig: the API server .*cannot be reached .*ECONNREFUSED/)
  })
})
