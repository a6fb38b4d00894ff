import { jest } from '@jest/globals'
import { createPrivateKey, generateKeyPairSync } from 'node:crypto'
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { generate } from 'selfsigned'
import type { Connection } from '../../../../src/cluster/connection.ts'
import { connectKubeconfig, type KubeconfigSource } from '../../../../src/cluster/kubeconfig/connect.ts'
import { refusal } from '../../../support/refusal.ts'

/** A certificate and its key, PEM. */
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
  return connectKubeconfig({ source, context, env, maskSecret: (secret) => secrets.push(secret) })
}

describe('a kubeconfig', () => {
  it('has the server, the namespace and a description', async () => {
    await expect(open(content(kubeconfig()))).resolves.toMatchObject({
      server: 'https://cluster.example:6443',
      namespace: 'shop',
      description: 'cluster.example:6443 as dev (context shop-eu)',
    })
  })

  it('is read from a path, from KUBECONFIG, or from the content', async () => {
    const path = join(folder, 'config')
    writeFileSync(path, kubeconfig())
    for (const [source, env] of [
      [{ kind: 'path', path }, {}],
      [content(kubeconfig()), { KUBECONFIG: join(folder, 'not-read') }],
    ] as const) {
      expect((await open(source, undefined, env)).namespace).toBe('shop')
    }
    process.env['KUBECONFIG'] = path
    expect((await open({ kind: 'default' }, undefined, { KUBECONFIG: path })).namespace).toBe('shop')
    delete process.env['KUBECONFIG']
  })

  it('is used with the context of the input', async () => {
    const connection = await open(content(kubeconfig()), 'base')
    expect(connection.namespace).toBeUndefined()
    expect(connection.description).toContain('context base')
  })
})

describe('rejects a kubeconfig that', () => {
  it('does not exist, and reports its path or KUBECONFIG', async () => {
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
    ['not YAML', '{ not: [yaml'],
    ['not a mapping', 'only text\nwithout keys\n'],
    ['a mapping without the fields of a kubeconfig', 'hello: world\nfoo: bar\n'],
    ['clusters that are not a list', 'apiVersion: v1\nkind: Config\nclusters: 7\n'],
    ['of another kind', kubeconfig().replace('kind: Config', 'kind: Secret')],
    ['of another version', kubeconfig().replace('apiVersion: v1', 'apiVersion: v2')],
    ['with a name twice', kubeconfig().replace('contexts:', 'contexts:\n- { name: base }')],
    ['with a number as a namespace', kubeconfig().replace('"shop"', '123')],
    [
      'with a number as the token of another user',
      kubeconfig().replace('users: [', 'users: [{ name: x, user: { token: 7 } }, '),
    ],
    ['with YAML 1.1 truth as a name', kubeconfig().replace('cluster: eu', 'cluster: yes')],
    ['with data that is not base64', kubeconfig({ user: { 'client-key-data': 'a-_b' } })],
  ])('is invalid: %s', async (_what, text) => {
    expect(await refusal(open(content(text)))).toMatch(/^kubeconfig: the given content /)
    const path = join(folder, 'broken')
    writeFileSync(path, text)
    expect(await refusal(open({ kind: 'path', path }))).toContain('broken')
  })

  it('is invalid, and does not report its content, which may be a secret', async () => {
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
  ])('is %s in the wrong input, and does not report the value', async (_what, token) => {
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
    'does not exist at the path %s, and reports the path',
    async (path) => {
      expect(await refusal(open({ kind: 'path', path: `${path}` }))).toContain(
        `there is no file ${JSON.stringify(path)}`,
      )
    },
  )

  it('is a folder', async () => {
    expect(await refusal(open({ kind: 'path', path: folder }))).toMatch(/^kubeconfig: ".*" cannot be read \(EISDIR\)/)
  })

  it('does not have the context of the input, and lists its contexts', async () => {
    expect(await refusal(open(content(kubeconfig()), 'prod'))).toMatch(
      /^context: the given content has no context "prod"\. Its contexts are: shop-eu, base\.$/,
    )
  })

  it('has no current context', async () => {
    const text = kubeconfig().replace(/current-context.*/, '')
    expect(await refusal(open(content(text)))).toMatch(
      /^kubeconfig: .* no usable current context.*one of: shop-eu, base/,
    )
  })

  it.each(['\n', '# nothing\n', '---\n'])('is empty: %j', async (text) => {
    expect(await refusal(open(content(text)))).toMatch(/has no usable current context\. .*\(none\)/)
  })

  it('names a current context that does not exist', async () => {
    const text = kubeconfig().replace(/current-context.*/, 'current-context: old')
    expect(await refusal(open(content(text)))).toMatch(/no usable current context \("old" does not exist\)/)
  })

  it.each<[string, object, RegExp]>([
    [
      'a user',
      { user: 'zz' },
      /the context "x" of the given content names the user "zz", which does not exist\. .*whose users are: dev;/,
    ],
    ['a cluster', { cluster: 'zz' }, /names the cluster "zz", which does not exist\. .*whose clusters are: eu;/],
    ['no cluster', { cluster: undefined }, /names no cluster\. .*whose clusters are: eu;/],
  ])('has a context that names %s that does not exist', async (_what, fields, expected) => {
    const text = JSON.stringify({
      clusters: [{ name: 'eu', cluster: { server: 'https://a.example' } }],
      users: [{ name: 'dev', user: {} }],
      contexts: [{ name: 'x', context: { cluster: 'eu', user: 'dev', ...fields } }],
      'current-context': 'x',
    })
    const message = await refusal(open(content(text)))
    expect(message).toMatch(/^kubeconfig: /)
    expect(message).toMatch(expected)
  })

  it.each([undefined, 'https://', 'ftp://a.example'])('has the server %j', async (server) => {
    expect(await refusal(open(content(kubeconfig({ cluster: { server } }))))).toMatch(
      /^kubeconfig: the cluster "eu" has (no|a|the) server.*, which is not an https URL/,
    )
  })

  it('has a server without a scheme', async () => {
    expect(await refusal(open(content(kubeconfig({ cluster: { server: 'cluster.example' } }))))).toMatch(
      /^kubeconfig: .*has a server without a scheme, which is not an https URL/,
    )
  })
})

describe('accepts a kubeconfig when', () => {
  it.each([
    ['https://a.example:6443/', 'https://a.example:6443'],
    ['https://a.example:6443//', 'https://a.example:6443'],
    ['https://a.example/k8s/c-1//', 'https://a.example/k8s/c-1'],
    ['HTTPS://a.example', 'https://a.example'],
    ['http://127.0.0.1:8001', 'http://127.0.0.1:8001'],
  ])('its server is %s', async (server, expected) => {
    expect((await open(content(kubeconfig({ cluster: { server } })))).server).toBe(expected)
  })

  it('an entry that no context uses is invalid', async () => {
    const text = kubeconfig()
      .replace('clusters: [', 'clusters: [{ name: other, cluster: {} }, null, ')
      .replace('users: [', 'users: [{ name: other, user: null }, {}, ')
      .replace('contexts:', 'contexts:\n- { name: other }')
    expect((await open(content(text))).server).toBe('https://cluster.example:6443')
  })

  it.each([
    [
      'a key stands twice, and the last one is used',
      (text: string) => text.replace('kind: Config', 'kind: X\nkind: Config'),
    ],
    ['a document follows', (text: string) => `---\n${text}---\n{ not: [yaml`],
    ['it ends with a marker', (text: string) => `${text}\n---\n`],
    [
      'it has a merge key',
      (text: string) => `base: &base { user: dev }\n${text}`.replace('user: dev, n', '<<: *base, n'),
    ],
    ['a field that kubectl does not know has any type', (text: string) => `${text}\nclusterz: 7\n`],
  ])('%s', async (_what, change) => {
    const connection = await open(content(change(kubeconfig())))
    expect(connection.description).toBe('cluster.example:6443 as dev (context shop-eu)')
  })

  it.each(['utf16le', 'utf8'] as const)('its file begins with the mark of %s', async (encoding) => {
    const path = join(folder, 'config')
    writeFileSync(path, `\uFEFF${kubeconfig()}`, encoding)
    expect((await open({ kind: 'path', path })).namespace).toBe('shop')
  })

  it('its file is UTF-16 in big-endian order', async () => {
    const path = join(folder, 'config')
    writeFileSync(path, Buffer.from(`\uFEFF${kubeconfig()}`, 'utf16le').swap16())
    expect((await open({ kind: 'path', path })).namespace).toBe('shop')
  })

  it('its server has no TLS: without the credentials, as kubectl', async () => {
    const user = {
      token: 't0ken',
      as: 'jane',
      exec: { command: 'x', apiVersion: 'client.authentication.k8s.io/v1', interactiveMode: 'Never' },
    }
    const connection = await open(content(kubeconfig({ user, cluster: { server: 'http://127.0.0.1:8001' } })))
    expect((await connection.credentials()).headers).toEqual({ 'Impersonate-User': 'jane' })
  })
})

describe('rejects, as kubectl does,', () => {
  const server = 'https://cluster.example'
  const exec = { command: 'x', apiVersion: 'client.authentication.k8s.io/v1', interactiveMode: 'Never' }
  it.each<[string, object, RegExp]>([
    ['a user without credentials', {}, /its user "dev" has no credentials\. Add a token/],
    ['a user that is null', { user: null }, /has no credentials/],
    ['an empty token', { user: { token: '' } }, /has no credentials/],
    ['a token and a password', { user: { token: 't', password: 'p' } }, /has a token and a user name or password/],
    ['a tokenFile and a user name', { user: { tokenFile: '/t', username: 'p' } }, /has a tokenFile and a user name/],
    [
      'a certificate twice',
      { user: { 'client-certificate': '/c', 'client-certificate-data': 'QUFB' } },
      /has client-certificate and client-certificate-data/,
    ],
    [
      'a plugin and an auth-provider',
      { user: { exec, 'auth-provider': { name: 'oidc' } } },
      /has exec and auth-provider/,
    ],
    [
      'an authority twice',
      { cluster: { server, 'certificate-authority': '/c', 'certificate-authority-data': 'QUFB' } },
      /the cluster "eu" has certificate-authority and certificate-authority-data/,
    ],
    [
      'an authority that is not used',
      { cluster: { server, 'certificate-authority-data': 'QUFB', 'insecure-skip-tls-verify': true } },
      /has a certificate authority and insecure-skip-tls-verify/,
    ],
  ])('%s', async (_what, fields, expected) => {
    const text = kubeconfig('user' in fields || 'cluster' in fields ? (fields as object) : { user: fields })
    expect(await refusal(open(content(text)))).toMatch(expected)
  })

  it('a context that names no user', async () => {
    const text = kubeconfig().replace(/, user: dev/g, '')
    expect(await refusal(open(content(text)))).toMatch(/^kubeconfig: its context names no user\. Add a token/)
  })
})

describe('a user that the API server rejects', () => {
  it.each<[string, object | null, RegExp]>([
    ['with a password', { username: 'dev', password: 'p' }, /which API servers do not accept since Kubernetes 1\.19/],
    ['with a token', { token: 't' }, /^The token has expired or belongs to another cluster/],
    [
      'with a certificate',
      { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) },
      /has a client certificate that this API server does not accept/,
    ],
    [
      'with a plugin',
      { exec: { command: 'x', apiVersion: 'client.authentication.k8s.io/v1', interactiveMode: 'Never' } },
      /has an exec plugin: check that it is logged in/,
    ],
  ])('%s is reported with a fix', async (_what, user, expected) => {
    const connection = await open(content(kubeconfig({ user: user as object })))
    expect(connection.credentialsFix?.()).toMatch(expected)
  })

  it.each<[string, object, RegExp]>([
    ['a certificate alone', { 'client-certificate-data': base64(cert) }, /has a client certificate without its key/],
    [
      'an invalid certificate',
      { 'client-certificate-data': 'QUFB', 'client-key-data': base64(key) },
      /has an invalid client certificate/,
    ],
    [
      'an invalid key',
      { 'client-certificate-data': base64(cert), 'client-key-data': 'QUFB' },
      /has an invalid client key/,
    ],
    [
      'a file that is missing',
      { 'client-certificate': '/nope/c.crt', 'client-key': '/nope/c.key' },
      /the client-certificate of its user "dev" is the file "\/nope\/c\.crt", which does not exist/,
    ],
    [
      'an unknown auth-provider',
      { 'auth-provider': { name: 'openstack' } },
      /the auth-provider "openstack", which is not supported/,
    ],
  ])('with %s is rejected before any request', async (_what, user, expected) => {
    const message = await refusal(open(content(kubeconfig({ user }))))
    expect(message).toMatch(/^kubeconfig: /)
    expect(message).toMatch(expected)
  })

  it('with a key of another certificate is rejected before any request', async () => {
    const other = await generate([], { keyType: 'ec' })
    const user = { 'client-certificate-data': base64(cert), 'client-key-data': base64(other.private) }
    expect(await refusal(open(content(kubeconfig({ user }))))).toContain('that do not belong together')
  })

  it.each([
    ['gcp', /gcp and azure were removed in 1\.26/],
    ['azure', /gcp and azure were removed in 1\.26/],
    ['oidc', /Check that its refresh token is valid/],
  ])('with the auth-provider %s that returns no token is reported with a fix', async (name, expected) => {
    const config = { expiry: '2020-01-01T00:00:00Z', 'access-token': 'x', 'id-token': 'x.y.z', 'refresh-token': 'r' }
    const more = { 'client-id': 'c', 'idp-issuer-url': 'https://127.0.0.1:1' }
    const user = { 'auth-provider': { name, config: { ...config, ...more } } }
    const message = await refusal((await open(content(kubeconfig({ user })))).credentials())
    expect(message).toMatch(/^kubeconfig: the auth-provider "\w+" of its user "dev" returned no token \(/)
    expect(message).toMatch(expected)
  })
})

describe('the certificate authority', () => {
  const server = 'https://cluster.example'
  it.each<[string, object, RegExp]>([
    ['that is not base64 of PEM', { 'certificate-authority-data': 'QUFB' }, /has no PEM certificate \(as base64\)/],
    [
      'that is damaged',
      { 'certificate-authority-data': base64('-----BEGIN CERTIFICATE-----\nMIIg\n-----END CERTIFICATE-----') },
      /the certificate-authority-data of the cluster "eu" has an invalid certificate between its BEGIN and END lines/,
    ],
    [
      'in a file that is missing',
      { 'certificate-authority': '/nope/ca.crt' },
      /the certificate-authority of the cluster "eu" is the file "\/nope\/ca\.crt", which does not exist/,
    ],
    ['that is a folder', { 'certificate-authority': '/' }, /which cannot be read \(EISDIR\)/],
  ])('%s is reported with its field', async (_what, fields, expected) => {
    const message = await refusal(open(content(kubeconfig({ cluster: { server, ...fields } }))))
    expect(message).toMatch(/^kubeconfig: the certificate-authority/)
    expect(message).toMatch(expected)
  })
})

describe('impersonation', () => {
  const headers = async (user: object): Promise<unknown> =>
    (await (await open(content(kubeconfig({ user: { token: 't', ...user } })))).credentials()).headers

  it('is sent in the same headers as by kubectl', async () => {
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
    'without a user is rejected: %j',
    async (user) => {
      expect(await refusal(headers(user))).toMatch(
        /^kubeconfig: its user has as-uid, as-groups or as-user-extra, but no `as`/,
      )
    },
  )

  it.each([{ as: 'a\nb' }, { as: 'a', 'as-groups': ['a\nb'] }])(
    'with a value that a header cannot contain is rejected: %j',
    async (user) => {
      expect(await refusal(headers(user))).toMatch(
        /^kubeconfig: as(-groups)? of its user contains something else than ASCII text/,
      )
    },
  )
})

describe('credentials', () => {
  it('include a token, which is masked before use', async () => {
    const connection = await open(content(kubeconfig()))
    expect(secrets).toEqual([]) // no credential is read before it is needed
    const { headers } = await connection.credentials()
    expect(headers['Authorization']).toBe('Bearer t0p-s3cret-token')
    expect(secrets).toContain('t0p-s3cret-token')
  })

  it('include a password, which is masked before use', async () => {
    const connection = await open(content(kubeconfig({ user: { username: 'dev', password: 'pa55-word' } })))
    const { headers } = await connection.credentials()
    const basic = Buffer.from('dev:pa55-word').toString('base64')
    expect(headers['Authorization']).toBe(`Basic ${basic}`)
    expect(secrets.join(' ')).toContain('pa55-word')
    expect(secrets.join(' ')).toContain(basic)
  })

  it('include certificates as TLS options', async () => {
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

  it('do not disable the check of the server certificate unless the kubeconfig disables it', async () => {
    const cluster = { server: 'https://cluster.example', 'insecure-skip-tls-verify': true }
    const { tls } = await (await open(content(kubeconfig({ cluster })))).credentials()
    expect(tls.rejectUnauthorized).toBe(false)
  })
})

describe('several files in KUBECONFIG', () => {
  /** A file with a cluster, a user and a context: some with a unique name, some with a name that both files contain. */
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

  it('are merged, and the first definition of a name has priority', async () => {
    const files = [part('one'), part('two', 'current-context: two')]
    const both = await openAll('both', ...files)
    expect(both.server).toBe('https://both.one')
    expect((await both.credentials()).headers).toEqual({ Authorization: 'Bearer both-one' })
    expect((await openAll('two', ...files)).server).toBe('https://two.example')
  })

  it('use the current context of the first file that sets one', async () => {
    const first = await openAll(undefined, part('one'), part('two', 'current-context: two'))
    expect(first.server).toBe('https://two.example')
    const second = await openAll(undefined, part('one', 'current-context: one'), part('two', 'current-context: two'))
    expect(second.server).toBe('https://one.example')
  })

  it('may be missing as long as one exists', async () => {
    const connection = await openAll('two', join(folder, 'none'), part('two'))
    expect(connection.server).toBe('https://two.example')
  })

  it('do not mix the fields of two users with the same name', async () => {
    writeFileSync(join(folder, 'token'), 'wrong')
    const second = join(folder, 'second')
    writeFileSync(second, 'users: [{ name: both, user: { tokenFile: token, as: someone } }]')
    const connection = await openAll('both', part('one'), second)
    expect((await connection.credentials()).headers).toEqual({ Authorization: 'Bearer both-one' })
  })

  it('resolve paths relative to the folder of each file', async () => {
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

describe('a path', () => {
  it.each(['~/ca.crt', '$HOME/ca.crt', '${HOME}/ca.crt'])(
    'is not expanded, and the error says so: %s',
    async (path) => {
      const cluster = { server: 'https://cluster.example', 'certificate-authority': path }
      expect(await refusal(open(content(kubeconfig({ cluster }))))).toContain('Write the whole path: `~/` and `$HOME`')
      expect(await refusal(open({ kind: 'path', path }))).toContain('Write the whole path')
      expect(await refusal(open({ kind: 'default' }, undefined, { KUBECONFIG: path }))).toContain(
        'Write the whole path',
      )
    },
  )
})

describe('a pod without a kubeconfig', () => {
  let pod: string
  let env: NodeJS.ProcessEnv
  const openInPod = (source: KubeconfigSource = { kind: 'default' }, context?: string): Promise<Connection> =>
    connectKubeconfig({ source, context, env, maskSecret: (secret) => secrets.push(secret), podFolder: pod })
  beforeEach(() => {
    secrets = []
    pod = join(folder, 'serviceaccount')
    mkdirSync(pod)
    writeFileSync(join(pod, 'token'), 'pod-token\n')
    writeFileSync(join(pod, 'ca.crt'), cert)
    writeFileSync(join(pod, 'namespace'), 'runners')
    env = { HOME: folder, KUBERNETES_SERVICE_HOST: '10.96.0.1', KUBERNETES_SERVICE_PORT: '443' }
  })

  it('uses its service account, and reads the token again for each request', async () => {
    const connection = await openInPod()
    expect(connection).toMatchObject({ server: 'https://10.96.0.1:443', namespace: 'runners', input: 'kubeconfig' })
    expect(connection.description).toBe("10.96.0.1 as this pod's service account")
    const { headers, tls } = await connection.credentials()
    expect(headers).toEqual({ Authorization: 'Bearer pod-token' })
    expect(plain(String(tls.ca))).toBe(plain(cert))
    writeFileSync(join(pod, 'token'), 'rotated')
    expect((await connection.credentials()).headers).toEqual({ Authorization: 'Bearer rotated' })
    expect(secrets).toContain('rotated')
  })

  it('has the namespace of POD_NAMESPACE, else of its file, else default', async () => {
    env['POD_NAMESPACE'] = 'given'
    expect((await openInPod()).namespace).toBe('given')
    delete env['POD_NAMESPACE']
    rmSync(join(pod, 'namespace'))
    expect((await openInPod()).namespace).toBe('default')
  })

  it('may have an IPv6 address', async () => {
    env['KUBERNETES_SERVICE_HOST'] = 'fd00::1'
    expect((await openInPod()).server).toBe('https://[fd00::1]:443')
  })

  it.each(['', '# nothing\n', '---\n'])('uses it also when the kubeconfig is empty: %j', async (text) => {
    writeFileSync(join(folder, 'config'), text)
    env['KUBECONFIG'] = join(folder, 'config')
    expect((await openInPod()).server).toBe('https://10.96.0.1:443')
  })

  it('does not use it when there is a kubeconfig, whose context without a namespace means that of the pod', async () => {
    writeFileSync(join(folder, 'config'), kubeconfig())
    env['KUBECONFIG'] = join(folder, 'config')
    expect(await openInPod()).toMatchObject({ server: 'https://cluster.example:6443', namespace: 'shop' })
    expect(await openInPod(undefined, 'base')).toMatchObject({ namespace: 'runners' })
  })

  it.each(['KUBERNETES_SERVICE_HOST', 'KUBERNETES_SERVICE_PORT', 'token'])('needs %s', async (name) => {
    if (name === 'token') rmSync(join(pod, name))
    else delete env[name]
    expect(await refusal(openInPod())).toMatch(/^kubeconfig: there is no file/)
  })

  it('is not used for the input kubeconfig or context', async () => {
    expect(await refusal(openInPod({ kind: 'path', path: join(folder, 'none') }))).toMatch(/there is no file/)
    expect(await refusal(openInPod(undefined, 'base'))).toMatch(/there is no file/)
  })
})

describe('a client key', () => {
  const pair = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const certificate = async (): Promise<string> =>
    (
      await generate([], {
        keyPair: {
          publicKey: pair.publicKey.export({ type: 'spki', format: 'pem' }).toString(),
          privateKey: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
        },
      })
    ).cert
  it.each([
    ['PKCS#1', 'PRIVATE KEY', 'pkcs1'],
    ['PKCS#8', 'RSA PRIVATE KEY', 'pkcs8'],
    ['PKCS#1', 'RSA PRIVATE KEY', 'pkcs1'],
  ] as const)('in %s may be labelled %s, as with Go', async (_form, label, type) => {
    const pem = pair.privateKey.export({ type, format: 'pem' }).toString()
    const labelled = pem.replace(/(BEGIN|END) (RSA )?PRIVATE KEY/g, `$1 ${label}`)
    const user = { 'client-certificate-data': base64(await certificate()), 'client-key-data': base64(labelled) }
    const { tls } = await (await open(content(kubeconfig({ user })))).credentials()
    expect(createPrivateKey(tls.key as string).equals(pair.privateKey)).toBe(true)
  })
})

describe('tokenFile', () => {
  it('is read for each request, because the file is replaced when the token is rotated', async () => {
    const path = join(folder, 'token')
    writeFileSync(path, 'first-token\n')
    const connection = await open(content(kubeconfig({ user: { tokenFile: path } })))
    expect((await connection.credentials()).headers).toEqual({ Authorization: 'Bearer first-token' })
    writeFileSync(path, 'second-token\n')
    expect((await connection.credentials()).headers).toEqual({ Authorization: 'Bearer second-token' })
    expect(secrets).toEqual(['first-token', 'second-token'])
  })

  it('is resolved relative to the kubeconfig', async () => {
    writeFileSync(join(folder, 'token'), 'from-file')
    const path = join(folder, 'config')
    writeFileSync(path, kubeconfig({ user: { tokenFile: 'token' } }))
    const { headers } = await (await open({ kind: 'path', path })).credentials()
    expect(headers).toEqual({ Authorization: 'Bearer from-file' })
  })

  it('is rejected when it is empty', async () => {
    const path = join(folder, 'token')
    writeFileSync(path, '\n')
    const connection = await open(content(kubeconfig({ user: { tokenFile: path } })))
    expect(await refusal(connection.credentials())).toMatch(/^kubeconfig: the token of its user "dev" is empty/)
  })

  it('has priority over a token, which is used when the file is missing', async () => {
    const path = join(folder, 'token')
    const connection = await open(content(kubeconfig({ user: { tokenFile: path, token: 'fixed' } })))
    expect((await connection.credentials()).headers).toEqual({ Authorization: 'Bearer fixed' })
    writeFileSync(path, 'from-file\n')
    expect((await connection.credentials()).headers).toEqual({ Authorization: 'Bearer from-file' })
  })

  it('is rejected when it does not exist', async () => {
    const connection = await open(content(kubeconfig({ user: { tokenFile: join(folder, 'none') } })))
    expect(await refusal(connection.credentials())).toMatch(/^kubeconfig: its tokenFile cannot be read: .*ENOENT/)
  })
})

describe('an exec plugin', () => {
  const answerHead = '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential",'
  const plugin = (name: string, script: string): string => {
    const path = join(folder, name)
    writeFileSync(path, `#!/bin/sh\n${script}\n`)
    chmodSync(path, 0o755)
    return path
  }
  const user = (command: string, more: object = {}): object => ({
    exec: { apiVersion: 'client.authentication.k8s.io/v1', command, interactiveMode: 'Never', ...more },
  })

  it('returns a token, which is masked, and client-node does not run the plugin again', async () => {
    const runs = join(folder, 'runs')
    const command = plugin('auth', `echo run >>${runs}; echo '${answerHead}"status":{"token":"from-plugin"}}'`)
    const connection = await open(content(kubeconfig({ user: user(command) })))
    expect((await connection.credentials()).headers).toEqual({ Authorization: 'Bearer from-plugin' })
    await connection.credentials()
    expect(secrets).toEqual(['from-plugin', 'from-plugin'])
    expect(readFileSync(runs, 'utf8')).toBe('run\n')
  })

  it('returns a client certificate', async () => {
    const status = { clientCertificateData: cert, clientKeyData: key }
    const command = plugin('auth', `printf '%s' '${JSON.stringify({ ...JSON.parse(`${answerHead}"a":0}`), status })}'`)
    const { tls, headers } = await (await open(content(kubeconfig({ user: user(command) })))).credentials()
    expect({ tls, headers }).toEqual({ tls: { cert, key }, headers: {} })
  })

  it('with a relative path is resolved from the folder of the kubeconfig', async () => {
    plugin('auth', `echo '${answerHead}"status":{"token":"beside"}}'`)
    const path = join(folder, 'config')
    writeFileSync(path, kubeconfig({ user: user('./auth') }))
    const { headers } = await (await open({ kind: 'path', path })).credentials()
    expect(headers).toEqual({ Authorization: 'Bearer beside' })
  })

  it('receives the cluster when it requests it', async () => {
    const seen = join(folder, 'seen')
    const command = plugin('auth', `echo "$KUBERNETES_EXEC_INFO" >${seen}; echo '${answerHead}"status":{"token":"t"}}'`)
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
    const execInfo = JSON.parse(readFileSync(seen, 'utf8')) as { spec: { cluster: Record<string, unknown> } }
    expect(execInfo.spec.cluster).toMatchObject({ server: 'https://cluster.example', config: { audience: 'abc' } })
    const authority = String(execInfo.spec.cluster['certificate-authority-data'])
    expect(plain(Buffer.from(authority, 'base64').toString())).toBe(plain(cert))
  })

  it('runs again once for each credential that a server rejects', async () => {
    const runs = join(folder, 'runs')
    const command = plugin('auth', `echo run >>${runs}; echo '${answerHead}"status":{"token":"from-plugin"}}'`)
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

  it('does not run when the user has a token', async () => {
    const connection = await open(content(kubeconfig({ user: { ...user('/nope'), token: 'fixed' } })))
    expect((await connection.credentials()).headers).toEqual({ Authorization: 'Bearer fixed' })
  })

  it('without a command is rejected before any request', async () => {
    expect(await refusal(open(content(kubeconfig({ user: user('') }))))).toMatch(
      /^kubeconfig: the exec plugin of its user "dev" has no command/,
    )
  })
})
