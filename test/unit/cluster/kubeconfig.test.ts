import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { Connection } from '../../../src/cluster/connection.ts'
import { connectKubeconfig, type KubeconfigSource } from '../../../src/cluster/kubeconfig.ts'
import { ConfigurationError } from '../../../src/errors.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'kubeconfig-'))
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
  return connectKubeconfig(source, context, env, (secret) => secrets.push(secret))
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

describe('several files in KUBECONFIG', () => {
  /** One that has a cluster, a user and a context of its own name, and one that both have. */
  const part = (name: string, more = ''): string => {
    const path = join(folder, name)
    writeFileSync(
      path,
      `apiVersion: v1
kind: Config
clusters: [{ name: ${name}, cluster: { server: "https://${name}.example" } }, { name: both, cluster: { server: "https://both.${name}" } }]
users: [{ name: ${name}, user: { token: ${name}-token } }, { name: both, user: { token: both-${name} } }]
contexts: [{ name: ${name}, context: { cluster: ${name}, user: ${name} } }, { name: both, context: { cluster: both, user: both } }]
${more}`,
    )
    return path
  }
  const openAll = (context: string | undefined, ...paths: string[]): Promise<Connection> =>
    open({ kind: 'default' }, context, { KUBECONFIG: paths.join(delimiter) })

  it('are one, and the first that names a thing wins', async () => {
    const files = [part('one'), part('two', 'current-context: two')]
    const both = await openAll('both', ...files)
    expect(both.server).toBe('https://both.one')
    expect((await both.credentials()).headers).toEqual({ Authorization: 'Bearer both-one' })
    expect((await openAll('two', ...files)).server).toBe('https://two.example')
  })

  it('have the current context of the first that says one', async () => {
    const first = await openAll(undefined, part('one'), part('two', 'current-context: two'))
    expect(first.server).toBe('https://two.example')
    const second = await openAll(undefined, part('one', 'current-context: one'), part('two', 'current-context: two'))
    expect(second.server).toBe('https://one.example')
  })

  it('resolve their paths each from its own folder', async () => {
    mkdirSync(join(folder, 'sub'))
    writeFileSync(join(folder, 'sub', 'ca.crt'), 'authority')
    writeFileSync(
      join(folder, 'sub', 'config'),
      kubeconfig({ cluster: { server: 'https://cluster.example', 'certificate-authority': 'ca.crt' } }),
    )
    const connection = await openAll('base', part('one'), join(folder, 'sub', 'config'))
    expect(String((await connection.credentials()).tls.ca)).toBe('authority')
  })
})

describe('tokenFile', () => {
  it('is read anew for each request: whoever rotates the token writes the file', async () => {
    const path = join(folder, 'token')
    writeFileSync(path, 'first-token\n')
    const connection = await open(content(kubeconfig({ user: { tokenFile: path } })))
    expect((await connection.credentials()).headers).toEqual({ Authorization: 'Bearer first-token' })
    writeFileSync(path, 'second-token\n')
    expect((await connection.credentials()).headers).toEqual({ Authorization: 'Bearer second-token' })
    expect(secrets).toEqual(['first-token', 'second-token'])
  })

  it('is relative to its kubeconfig', async () => {
    writeFileSync(join(folder, 'token'), 'from-file')
    const path = join(folder, 'config')
    writeFileSync(path, kubeconfig({ user: { tokenFile: 'token' } }))
    const { headers } = await (await open({ kind: 'path', path })).credentials()
    expect(headers).toEqual({ Authorization: 'Bearer from-file' })
  })

  it('that is gone is told as such', async () => {
    const connection = await open(content(kubeconfig({ user: { tokenFile: join(folder, 'none') } })))
    expect(await refusal(connection.credentials())).toMatch(/^kubeconfig: its tokenFile cannot be read: .*ENOENT/)
  })
})

describe('an exec plugin', () => {
  const plugin = (name: string, script: string): string => {
    const path = join(folder, name)
    writeFileSync(path, `#!/bin/sh\n${script}\n`)
    chmodSync(path, 0o755)
    return path
  }
  const user = (command: string, more: object = {}): object => ({
    exec: { apiVersion: 'client.authentication.k8s.io/v1', command, interactiveMode: 'Never', ...more },
  })

  it('gives the token, which is masked; client-node does not run it too', async () => {
    const runs = join(folder, 'runs')
    const command = plugin('auth', `echo run >>${runs}; echo '{"status":{"token":"from-plugin"}}'`)
    const connection = await open(content(kubeconfig({ user: user(command) })))
    expect((await connection.credentials()).headers).toEqual({ Authorization: 'Bearer from-plugin' })
    await connection.credentials()
    expect(secrets).toEqual(['from-plugin', 'from-plugin'])
    expect(readFileSync(runs, 'utf8')).toBe('run\n')
  })

  it('gives a client certificate', async () => {
    const status = { clientCertificateData: 'certificate', clientKeyData: 'key' }
    const command = plugin('auth', `echo '${JSON.stringify({ status })}'`)
    const { tls, headers } = await (await open(content(kubeconfig({ user: user(command) })))).credentials()
    expect({ tls, headers }).toEqual({ tls: { cert: 'certificate', key: 'key' }, headers: {} })
  })

  it('by a relative path lies beside the kubeconfig', async () => {
    plugin('auth', `echo '{"status":{"token":"beside"}}'`)
    const path = join(folder, 'config')
    writeFileSync(path, kubeconfig({ user: user('./auth') }))
    const { headers } = await (await open({ kind: 'path', path })).credentials()
    expect(headers).toEqual({ Authorization: 'Bearer beside' })
  })

  it('is told the cluster where it asks for that', async () => {
    const seen = join(folder, 'seen')
    const command = plugin('auth', `echo "$KUBERNETES_EXEC_INFO" >${seen}; echo '{"status":{"token":"t"}}'`)
    writeFileSync(join(folder, 'ca.crt'), 'authority')
    const cluster = { server: 'https://cluster.example', 'certificate-authority': join(folder, 'ca.crt') }
    await (
      await open(content(kubeconfig({ user: user(command, { provideClusterInfo: true }), cluster })))
    ).credentials()
    expect(JSON.parse(readFileSync(seen, 'utf8'))).toMatchObject({
      spec: {
        cluster: {
          server: 'https://cluster.example',
          'certificate-authority-data': Buffer.from('authority').toString('base64'),
        },
      },
    })
  })
})
