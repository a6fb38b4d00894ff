import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { dump } from 'js-yaml'
import { generate } from 'selfsigned'
import { connectKubeconfig, type KubeconfigSource } from '../../../../src/cluster/kubeconfig/connect.ts'
import { credentialsOf } from '../../../../src/cluster/connection.ts'
import { messageOf } from '../../../../src/common/errors.ts'

/** A text that must never be in an error: each invalid value has it, in the place where a secret may be. */
const canary = 'S3cretCanary'
const { cert, private: key } = await generate([{ name: 'commonName', value: 'test' }], { keyType: 'ec' })
const base64 = (text: string): string => Buffer.from(text).toString('base64')

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'canary-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

interface Fields {
  readonly cluster: Record<string, unknown>
  readonly user: Record<string, unknown>
}
type Part = keyof Fields

/** Every field with a value; names of contexts, clusters and users are shown by intent, and so is the command of a plugin. */
const everyField = (): Fields => ({
  cluster: {
    server: 'https://cluster.example:6443',
    'certificate-authority-data': base64(cert),
    'certificate-authority': undefined,
    'insecure-skip-tls-verify': false,
    'tls-server-name': 'cluster.example',
    'proxy-url': undefined,
    'disable-compression': false,
    extensions: undefined,
  },
  user: {
    token: 'token',
    tokenFile: undefined,
    'token-file': undefined,
    'client-certificate': undefined,
    'client-certificate-data': base64(cert),
    'client-key': undefined,
    'client-key-data': base64(key),
    username: undefined,
    password: undefined,
    as: undefined,
    'as-uid': undefined,
    'as-groups': undefined,
    'as-user-extra': undefined,
    'auth-provider': undefined,
    exec: undefined,
  },
})

/** The fields that a field excludes, and those that are used in its place. */
const excluded = new Map<string, readonly string[]>([
  ['certificate-authority', ['certificate-authority-data']],
  ['insecure-skip-tls-verify', ['certificate-authority-data']],
  ['client-certificate', ['client-certificate-data']],
  ['client-key', ['client-key-data']],
  ['tokenFile', ['token']],
  ['username', ['token']],
  ['password', ['token']],
  ...['auth-provider', 'exec'].map(
    (field) => [field, ['token', 'client-certificate-data', 'client-key-data']] as const,
  ),
])

const fields = Object.entries(everyField()).flatMap(([part, values]) =>
  Object.keys(values as object).map((field) => [part as Part, field] as const),
)

/** Invalid values of a field, each with the canary. */
const invalidValues: readonly (readonly [string, unknown])[] = [
  ['a text', canary],
  ['a text of two lines', `${canary}\n${canary}`],
  ['a text with a NUL', `/tmp/${canary}\0`],
  ['a text with a control character', `\u001b[31m${canary}`],
  ['a text that is not ASCII', `${canary}é`],
  ['a base64 text', base64(canary)],
  ['a list', [canary]],
  ['a list of lists', [[canary]]],
  ['a mapping', { [canary]: canary }],
  ['a mapping of mappings', { config: { 'cmd-path': canary, 'id-token': canary, 'idp-issuer-url': canary } }],
  ['an auth-provider', { name: canary, config: { 'access-token': canary } }],
  ['oidc with an issuer that is not a URL', { name: 'oidc', config: oidc(canary) }],
  ['oidc with a password in the issuer', { name: 'oidc', config: oidc(`http://u:${canary}@127.0.0.1:1/`) }],
  ['gcp with a command', { name: 'gcp', config: { 'cmd-path': `/nope/${canary}`, 'cmd-args': canary } }],
  ['azure with a token', { name: 'azure', config: { 'access-token': canary, 'expires-on': '1' } }],
  ['a token file', { name: 'tokenFile', config: { tokenFile: `/nope\0${canary}` } }],
  ['a plugin without a command', { env: [{ name: canary, value: canary }] }],
  ['a plugin with invalid args', { command: '/nope', args: [{ [canary]: canary }] }],
  ['a plugin with an invalid env', { command: '/nope', env: [{ name: 1, value: canary }] }],
  ['a plugin with a NUL', { command: '/nope', args: [`${canary}\0`] }],
  ['a plugin with a NUL in its command', { command: `${canary}\0` }],
  ['a plugin that does not exist', { command: '/nope', args: [canary], env: [{ name: 'A', value: canary }] }],
  ['a URL of another scheme', `ftp://user:${canary}@host.example`],
  ['a URL with a password', `http://user:${canary}@host.example:99999`],
  ['a URL with a password with a slash', `http://user:x/${canary}@host.example`],
  ['a URL with a query', `ftp://host.example/?token=${canary}`],
  ['a URL with a fragment', `ftp://host.example/#${canary}`],
  ['a URL without a scheme', `user:${canary}@host.example`],
  ['a URL of plain HTTP', `http://user:${canary}@host.example/?x=${canary}`],
  ['a PEM block', `-----BEGIN CERTIFICATE-----\n${canary}\n-----END CERTIFICATE-----`],
  ['base64 of a PEM block', base64(`-----BEGIN PRIVATE KEY-----\n${canary}\n-----END PRIVATE KEY-----`)],
]

function oidc(issuer: string): object {
  const token = `${base64('{}')}.${base64(JSON.stringify({ exp: 1, c: canary }))}.x`
  return {
    'client-id': canary,
    'client-secret': canary,
    'refresh-token': canary,
    'id-token': token,
    'idp-issuer-url': issuer,
  }
}

function kubeconfig(part: Part, field: string, value: unknown): string {
  const { cluster, user } = everyField()
  Object.assign(part === 'cluster' ? cluster : user, { [field]: value })
  // As kubectl requires it: beside some fields the others would be refused before any value is used.
  for (const other of excluded.get(field) ?? [])
    Object.assign(part === 'cluster' ? cluster : user, { [other]: undefined })
  return wrap(cluster, user)
}

function wrap(cluster: unknown, user: unknown): string {
  return JSON.stringify({
    clusters: [{ name: 'eu', cluster }],
    users: [{ name: 'dev', user }],
    contexts: [{ name: 'c', context: { cluster: 'eu', user: 'dev' } }],
    'current-context': 'c',
  })
}

/** Everything that a run may show of a kubeconfig: its error, or the description, the warnings and the fixes of its connection. */
async function shownOf(content: string): Promise<string> {
  const path = join(folder, 'config')
  writeFileSync(path, content)
  const shown = [await shownBy({ kind: 'content', content }), await shownBy({ kind: 'path', path })]
  return shown.join('\n')
}

async function shownBy(source: KubeconfigSource): Promise<string> {
  const shown: string[] = []
  try {
    const connection = await connectKubeconfig({
      source,
      context: undefined,
      env: { PATH: '/usr/bin:/bin' },
      maskSecret: () => undefined,
    })
    shown.push(connection.description, ...(connection.warnings ?? []), connection.credentialsFix?.() ?? '')
    const { proxy } = await credentialsOf(connection)
    shown.push(proxy?.name ?? '')
  } catch (error) {
    shown.push(messageOf(error))
  }
  return shown.join('\n')
}

describe.each(fields)('%s.%s', (part, field) => {
  it.each(invalidValues)('with %s is not shown', async (_what, value) => {
    expect(await shownOf(kubeconfig(part, field, value))).not.toContain(canary)
  })

  it('in a file with its value is not shown where the file is not what it should be', async () => {
    const path = join(folder, 'file')
    writeFileSync(path, `${canary}\n${canary}`)
    expect(await shownOf(kubeconfig(part, field, path))).not.toContain(canary)
  })
})

describe('a value that is not valid YAML', () => {
  const broken = [
    ...[
      `!${canary}`,
      `!!${canary} x`,
      `!<${canary}> x`,
      `*${canary}`,
      `&${canary}`,
      `@${canary}`,
      `\`${canary}`,
      `%${canary}`,
    ],
    ...[
      `"${canary}`,
      `'${canary}`,
      `"\\x${canary}"`,
      `"\\${canary}"`,
      `{${canary}`,
      `[${canary}`,
      `{${canary}: *${canary}}`,
    ],
    ...[
      `${canary}: ${canary}: ${canary}`,
      `|\n${canary}`,
      `>9\n ${canary}`,
      `- ${canary}`,
      `? ${canary}`,
      `\t${canary}`,
    ],
    ...[`${canary}\n  ${canary}: x`, `!e!${canary} x`, `"${canary}" ${canary}`, `\u0000${canary}`, `\u0007${canary}`],
  ]
  const valid = dump({
    clusters: [{ name: 'eu', cluster: { server: 'https://cluster.example', 'proxy-url': 'PLACE' } }],
    users: [{ name: 'dev', user: { token: 'PLACE', password: 'PLACE', 'client-key-data': 'PLACE' } }],
    contexts: [{ name: 'c', context: { cluster: 'eu', user: 'dev' } }],
    'current-context': 'c',
  })
  const places = [...valid.matchAll(/PLACE/g)].map(({ index }) => index)

  it.each(broken)('is not shown: %j', async (value) => {
    for (const place of places) {
      const text = `${valid.slice(0, place)}${value}${valid.slice(place + 'PLACE'.length)}`.replaceAll('PLACE', 'x')
      expect(await shownOf(text)).not.toContain(canary)
    }
  })

  it.each(broken)('is not shown where it is the whole text: %j', async (value) => {
    expect(await shownOf(`${value}\nusers: x`)).not.toContain(canary)
  })

  it.each([
    [
      `!${canary}`,
      /a value begins with an exclamation mark, which must be in quotes \(line \d+, column \d+, after the key "token"\)/,
    ],
    [
      `*${canary}`,
      /a value begins with an asterisk, which must be in quotes \(line \d+, column \d+, after the key "token"\)/,
    ],
    [`"${canary}`, /: deficient indentation \(line \d+, column \d+, after the key "token"\)/],
  ])('is reported with its position and its key: %j', async (value, expected) => {
    const shown = await shownOf(valid.replace('token: PLACE', `token: ${value}`))
    expect(shown).toMatch(/^kubeconfig: the given content cannot be read as a kubeconfig: /)
    expect(shown).toMatch(expected)
  })

  it('is reported with its line in a file of PowerShell, and is not shown', async () => {
    const path = join(folder, 'utf-16')
    const text = `---\r\n${valid.replaceAll('\n', '\r\n').replace('token: PLACE', `token: !${canary}`)}---\r\nkind: x\r\n`
    writeFileSync(path, `\uFEFF${text}`, 'utf16le')
    const line = text.split('\r\n').findIndex((one) => one.includes(canary)) + 1
    const shown = await shownBy({ kind: 'path', path })
    expect(shown).toContain(`(line ${String(line)}, `)
    expect(shown).toContain('after the key "token")')
    expect(shown).not.toContain(canary)
  })
})
