import { jest } from '@jest/globals'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { generate } from 'selfsigned'
import type { Connection } from '../../../src/cluster/connection.ts'
import { connectKubeconfig, type KubeconfigSource } from '../../../src/cluster/kubeconfig.ts'
import { ConfigurationError } from '../../../src/errors.ts'

/** A certificate and its key, PEM; what they are for does not matter here. */
const { cert, private: key } = await generate([{ name: 'commonName', value: 'test' }], { keyType: 'ec' })
/** PEM without its line breaks. */
const plain = (pem: string): string => pem.replace(/\s/g, '')
const base64 = (text: string): string => Buffer.from(text).toString('base64')

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
    const both = { KUBECONFIG: `${path}${delimiter}${path}2` }
    expect(await refusal(open({ kind: 'default' }, undefined, both))).toMatch(
      /^kubeconfig: there is no file ".*none", ".*none2" \(KUBECONFIG\)\. Set the input/,
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

  it.each([
    ['a JWT', `eyJhbGciOiJSUzI1NiJ9.${'a'.repeat(80)}.${'b'.repeat(80)}`],
    ['a short JWT', 'eyJhbGciOiJSUzI1NiJ9.abc.def'],
    ['a token of a cloud', 'ya29.c.b0AXv0zTMabcdefghijklmnop'],
    ['a bootstrap token', 'abcdef.0123456789abcdef'],
    ['a long word with slashes', `abc/${'d'.repeat(120)}/ef`],
    ['base64', 'c2VjcmV0/c2VjcmV0=='],
  ])('is %s in the wrong input, which is not shown', async (_what, token) => {
    for (const work of [
      open({ kind: 'path', path: token }),
      open({ kind: 'default' }, undefined, { KUBECONFIG: token }),
    ]) {
      const message = await refusal(work)
      expect(message).toMatch(/^kubeconfig: got \d+ characters that are neither the path of a file nor the content/)
      expect(message).not.toContain(token.slice(4, 16))
    }
  })

  it.each(['.kube/config', 'admin.kubeconfig', '~/.kube/config', 'config', 'kube config/prod.yaml', '/opt/a_b-c/d'])(
    'is missing at the path %s, which is shown',
    async (path) => {
      expect(await refusal(open({ kind: 'path', path: `${path}` }))).toContain(
        `there is no file ${JSON.stringify(path)}`,
      )
    },
  )

  it('is a folder', async () => {
    expect(await refusal(open({ kind: 'path', path: folder }))).toMatch(/^kubeconfig: ".*" cannot be read \(EISDIR\)/)
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

  it.each(['\n', '# nothing\n', '---\n'])('is empty: %j', async (text) => {
    expect(await refusal(open(content(text)))).toMatch(/has no usable current context\. .*\(it has none\)/)
  })

  it('names a current context that is not there', async () => {
    const text = kubeconfig().replace(/current-context.*/, 'current-context: old')
    expect(await refusal(open(content(text)))).toMatch(/no usable current context \("old" is not there\)/)
  })

  it.each<[string, object, RegExp]>([
    [
      'a user',
      { user: 'zz' },
      /the context "x" of the given content names the user "zz", and the users there are: dev\./,
    ],
    ['a cluster', { cluster: 'zz' }, /names the cluster "zz", and the clusters there are: eu\./],
    ['no cluster', { cluster: undefined }, /names no cluster, and the clusters there are: eu\./],
  ])('has a context that names %s that is not there', async (_what, fields, words) => {
    const text = JSON.stringify({
      clusters: [{ name: 'eu', cluster: { server: 'https://a.example' } }],
      users: [{ name: 'dev', user: {} }],
      contexts: [{ name: 'x', context: { cluster: 'eu', user: 'dev', ...fields } }],
      'current-context': 'x',
    })
    const message = await refusal(open(content(text)))
    expect(message).toMatch(/^kubeconfig: /)
    expect(message).toMatch(words)
  })

  it.each([7, undefined, 'https://', 'ftp://a.example'])('has the server %j', async (server) => {
    expect(await refusal(open(content(kubeconfig({ cluster: { server } }))))).toMatch(
      /^kubeconfig: the cluster "eu" has the server .*; it must be an https URL/,
    )
  })

  it('has a server that is no address', async () => {
    expect(await refusal(open(content(kubeconfig({ cluster: { server: 'cluster.example' } }))))).toMatch(
      /^kubeconfig: .*has the server "cluster\.example"; it must be an https URL/,
    )
  })
})

describe('a kubeconfig that can be used although', () => {
  it.each([
    ['https://a.example:6443/', 'https://a.example:6443'],
    ['https://a.example:6443//', 'https://a.example:6443'],
    ['https://a.example/k8s/c-1//', 'https://a.example/k8s/c-1'],
    ['HTTPS://a.example', 'https://a.example'],
    ['http://127.0.0.1:8001', 'http://127.0.0.1:8001'],
  ])('its server is written %s', async (server, expected) => {
    expect((await open(content(kubeconfig({ cluster: { server } })))).server).toBe(expected)
  })

  it('another entry of it is broken', async () => {
    const text = kubeconfig()
      .replace('clusters: [', 'clusters: [{ name: other, cluster: {} }, null, { cluster: 7 }, ')
      .replace('users: [', 'users: [{ name: other, user: null }, {}, ')
      .replace('contexts:', 'contexts:\n- { name: other }')
    expect((await open(content(text))).server).toBe('https://cluster.example:6443')
  })

  it('its context names no user', async () => {
    const text = kubeconfig().replace(/, user: dev/g, '')
    const connection = await open(content(text))
    expect(connection.description).toBe('cluster.example:6443 as nobody (context shop-eu)')
    expect((await connection.credentials()).headers).toEqual({})
    expect(connection.whenRefused?.()).toMatch(/^The context names no user: give it a token/)
  })
})

describe('a user that the API server does not take', () => {
  it.each<[string, object | null, RegExp]>([
    ['without anything', {}, /^The user "dev" of the kubeconfig has no credentials: give it a token, a tokenFile/],
    ['that is null', null, /has no credentials/],
    ['with an empty token', { token: '' }, /has no credentials/],
    ['with a password', { username: 'dev', password: 'p' }, /which API servers do not take since Kubernetes 1\.19/],
    ['with a token', { token: 't' }, /^The token has expired or belongs to another cluster/],
    [
      'with a certificate',
      { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) },
      /has a client certificate that this API server does not take/,
    ],
    ['with a plugin', { exec: { command: 'x' } }, /has an exec plugin: is it logged in/],
  ])('%s is told what it lacks', async (_what, user, words) => {
    const connection = await open(content(kubeconfig({ user: user as object })))
    expect(connection.whenRefused?.()).toMatch(words)
  })

  it.each<[string, object, RegExp]>([
    ['a certificate alone', { 'client-certificate-data': base64(cert) }, /has a client certificate without its key/],
    ['a key alone', { 'client-key-data': base64(key) }, /has a client key without its certificate/],
    [
      'a certificate that is none',
      { 'client-certificate-data': 'QUFB', 'client-key-data': base64(key) },
      /has a client certificate that is none/,
    ],
    [
      'a key that is none',
      { 'client-certificate-data': base64(cert), 'client-key-data': 'QUFB' },
      /has a client key that is none/,
    ],
    [
      'a file that is missing',
      { 'client-certificate': '/nope/c.crt', 'client-key': '/nope/c.key' },
      /the client-certificate of its user "dev" is the file "\/nope\/c\.crt", which is not there/,
    ],
    [
      'an auth-provider of nobody',
      { 'auth-provider': { name: 'openstack' } },
      /the auth-provider "openstack", which nothing here/,
    ],
  ])('with %s is refused before anything is contacted', async (_what, user, words) => {
    const message = await refusal(open(content(kubeconfig({ user }))))
    expect(message).toMatch(/^kubeconfig: /)
    expect(message).toMatch(words)
  })

  it('with a key of another certificate is refused, too', async () => {
    const other = await generate([], { keyType: 'ec' })
    const user = { 'client-certificate-data': base64(cert), 'client-key-data': base64(other.private) }
    expect(await refusal(open(content(kubeconfig({ user }))))).toContain('that do not belong together')
  })

  it.each([
    ['gcp', /gcp and azure went with 1\.26/],
    ['azure', /gcp and azure went with 1\.26/],
    ['oidc', /Is its refresh token still good/],
  ])('with the auth-provider %s that gives nothing is told what to use', async (name, words) => {
    const config = { expiry: '2020-01-01T00:00:00Z', 'access-token': 'x', 'id-token': 'x.y.z', 'refresh-token': 'r' }
    const more = { 'client-id': 'c', 'idp-issuer-url': 'https://127.0.0.1:1' }
    const user = { 'auth-provider': { name, config: { ...config, ...more } } }
    const message = await refusal((await open(content(kubeconfig({ user })))).credentials())
    expect(message).toMatch(/^kubeconfig: the auth-provider "\w+" of its user "dev" gave no token \(/)
    expect(message).toMatch(words)
  })
})

describe('the certificate authority', () => {
  const server = 'https://cluster.example'
  it.each<[string, object, RegExp]>([
    ['that is no base64 of PEM', { 'certificate-authority-data': '!!!' }, /has no PEM certificate \(as base64\)/],
    [
      'with garbage in it',
      { 'certificate-authority-data': base64('-----BEGIN CERTIFICATE-----\nMIIg\n-----END CERTIFICATE-----') },
      /the certificate-authority-data of the cluster "eu" has something between its BEGIN and END lines/,
    ],
    [
      'in a file that is missing',
      { 'certificate-authority': '/nope/ca.crt' },
      /the certificate-authority of the cluster "eu" is the file "\/nope\/ca\.crt", which is not there/,
    ],
    ['that is a folder', { 'certificate-authority': '/' }, /which cannot be read \(EISDIR\)/],
  ])('%s is named', async (_what, fields, words) => {
    const message = await refusal(open(content(kubeconfig({ cluster: { server, ...fields } }))))
    expect(message).toMatch(/^kubeconfig: the certificate-authority/)
    expect(message).toMatch(words)
  })
})

describe('impersonation', () => {
  const headers = async (user: object): Promise<unknown> =>
    (await (await open(content(kubeconfig({ user: { token: 't', ...user } })))).credentials()).headers

  it('is sent as kubectl sends it', async () => {
    expect(
      await headers({
        ...{ as: 'jane', 'as-uid': 'u-1', 'as-groups': ['dev', 'ops team'] },
        'as-user-extra': { 'acme.com/project': ['a', 'b'], scopes: ['x'] },
      }),
    ).toEqual({
      Authorization: 'Bearer t',
      'Impersonate-User': 'jane',
      'Impersonate-Uid': 'u-1',
      'Impersonate-Group': ['dev', 'ops team'],
      'Impersonate-Extra-acme.com%2Fproject': ['a', 'b'],
      'Impersonate-Extra-scopes': ['x'],
    })
    expect(await headers({ as: 'jane' })).toEqual({ Authorization: 'Bearer t', 'Impersonate-User': 'jane' })
  })

  it.each([{ 'as-groups': ['dev'] }, { 'as-uid': 'u' }, { 'as-user-extra': { a: ['b'] } }])(
    'of nobody is refused: %j',
    async (user) => {
      expect(await refusal(headers(user))).toMatch(
        /^kubeconfig: its user has as-uid, as-groups or as-user-extra, but no `as`/,
      )
    },
  )

  it.each([{ as: 'a\nb' }, { as: 'a', 'as-groups': 'dev' }, { as: 'a', 'as-groups': [7] }])(
    'with words that no header can carry is refused: %j',
    async (user) => {
      expect(await refusal(headers(user))).toMatch(/^kubeconfig: as(-groups)? of its user must be made of words/)
    },
  )
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
    const connection = await open(
      content(
        kubeconfig({
          cluster: {
            server: 'https://cluster.example',
            'certificate-authority-data': base64(cert),
            'tls-server-name': 'inner.example',
          },
          user: { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) },
        }),
      ),
    )
    const { tls, headers } = await connection.credentials()
    expect(plain(String(tls.ca))).toBe(plain(cert))
    expect({ cert: String(tls.cert), key: (tls.key as Buffer).toString() }).toEqual({ cert, key })
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

  it('may be missing, as long as one is there', async () => {
    const connection = await openAll('two', join(folder, 'none'), part('two'))
    expect(connection.server).toBe('https://two.example')
  })

  it('do not mix two users of one name: a tokenFile of the second is not that of the first', async () => {
    writeFileSync(join(folder, 'token'), 'wrong')
    const second = join(folder, 'second')
    writeFileSync(second, 'users: [{ name: both, user: { tokenFile: token, as: someone } }]')
    const connection = await openAll('both', part('one'), second)
    expect((await connection.credentials()).headers).toEqual({ Authorization: 'Bearer both-one' })
  })

  it('resolve their paths each from its own folder', async () => {
    mkdirSync(join(folder, 'sub'))
    writeFileSync(join(folder, 'sub', 'ca.crt'), cert)
    writeFileSync(
      join(folder, 'sub', 'config'),
      kubeconfig({ cluster: { server: 'https://cluster.example', 'certificate-authority': 'ca.crt' } }),
    )
    const connection = await openAll('base', part('one'), join(folder, 'sub', 'config'))
    expect(plain(String((await connection.credentials()).tls.ca))).toBe(plain(cert))
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

  it('that is empty is told as such', async () => {
    const path = join(folder, 'token')
    writeFileSync(path, '\n')
    const connection = await open(content(kubeconfig({ user: { tokenFile: path } })))
    expect(await refusal(connection.credentials())).toMatch(/^kubeconfig: the token of its user "dev" is empty/)
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
    const status = { clientCertificateData: cert, clientKeyData: key }
    const command = plugin('auth', `printf '%s' '${JSON.stringify({ status })}'`)
    const { tls, headers } = await (await open(content(kubeconfig({ user: user(command) })))).credentials()
    expect({ tls, headers }).toEqual({ tls: { cert, key }, headers: {} })
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
    writeFileSync(join(folder, 'ca.crt'), cert)
    const cluster = {
      server: 'https://cluster.example',
      'certificate-authority': join(folder, 'ca.crt'),
      extensions: [
        { name: 'minikube', extension: { a: 1 } },
        { name: 'client.authentication.k8s.io/exec', extension: { audience: 'abc' } },
      ],
    }
    await (
      await open(content(kubeconfig({ user: user(command, { provideClusterInfo: true }), cluster })))
    ).credentials()
    const told = JSON.parse(readFileSync(seen, 'utf8')) as { spec: { cluster: Record<string, unknown> } }
    expect(told.spec.cluster).toMatchObject({ server: 'https://cluster.example', config: { audience: 'abc' } })
    const authority = String(told.spec.cluster['certificate-authority-data'])
    expect(plain(Buffer.from(authority, 'base64').toString())).toBe(plain(cert))
  })

  it('that was refused is run again, once for each credential', async () => {
    const runs = join(folder, 'runs')
    const command = plugin('auth', `echo run >>${runs}; echo '{"status":{"token":"from-plugin"}}'`)
    let time = Date.now()
    jest.spyOn(Date, 'now').mockImplementation(() => time)
    try {
      const connection = await open(content(kubeconfig({ user: user(command) })))
      const { refused } = await connection.credentials()
      time += 60_000
      refused?.()
      await connection.credentials()
      refused?.()
      await connection.credentials()
    } finally {
      jest.restoreAllMocks()
    }
    expect(readFileSync(runs, 'utf8')).toBe('run\nrun\n')
  })

  it('without a command is refused before anything is contacted', async () => {
    expect(await refusal(open(content(kubeconfig({ user: user('') }))))).toMatch(
      /^kubeconfig: the exec plugin of its user "dev" has no command/,
    )
  })
})
