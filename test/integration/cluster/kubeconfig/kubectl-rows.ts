import { createPrivateKey } from 'node:crypto'
import type { IdentityServer } from '../../../support/identity-server.ts'

/** What the rows are made of. */
export interface Setting {
  readonly server: IdentityServer
  /** URL with TLS; each row has a path of its own */
  readonly url: string
  /** PEM of an EC and an RSA client certificate with its key (PKCS#8); the common names are `dev` and `rsa` */
  readonly dev: { readonly cert: string; readonly private: string }
  readonly rsa: { readonly cert: string; readonly private: string }
  /** an empty folder for the files of the row */
  readonly folder: string
}

/** One kubeconfig in one environment. */
export interface Row {
  readonly title: string
  /** the files in the folder, with `config` among them; KUBECONFIG names that one */
  readonly files: (setting: Setting) => Readonly<Record<string, string | Buffer>>
  readonly env?: (setting: Setting) => NodeJS.ProcessEnv
  /** whether the action must run in a process of its own */
  readonly isIsolated?: boolean
  /** where the action differs on purpose: it refuses what kubectl sends, or sends what kubectl refuses */
  readonly difference?: { readonly action: 'refuses' | 'asks'; readonly why: string }
}

type Fields = Readonly<Record<string, unknown>>
export const base64 = (text: string): string => Buffer.from(text).toString('base64')

/** A kubeconfig as JSON, which is YAML. */
export function kubeconfig(setting: Setting, user: Fields = { token: 't0ken' }, cluster: Fields = {}): string {
  const trusted = { server: setting.url, 'certificate-authority-data': base64(setting.server.certificate.cert) }
  return JSON.stringify({
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'ctx' },
    clusters: [{ name: 'eu', cluster: { ...trusted, ...cluster } }],
    contexts: [{ name: 'ctx', context: { cluster: 'eu', user: 'dev' } }],
    users: [{ name: 'dev', user }],
  })
}

const row = (title: string, config: (setting: Setting) => string | Buffer, more: Partial<Row> = {}): Row => ({
  title,
  files: (setting) => ({ config: config(setting) }),
  ...more,
})
const withUser = (title: string, user: Fields | ((setting: Setting) => Fields), more: Partial<Row> = {}): Row =>
  row(title, (setting) => kubeconfig(setting, typeof user === 'function' ? user(setting) : user), more)
const withCluster = (title: string, cluster: Fields | ((setting: Setting) => Fields), more: Partial<Row> = {}): Row =>
  row(
    title,
    (setting) => kubeconfig(setting, undefined, typeof cluster === 'function' ? cluster(setting) : cluster),
    more,
  )
/** Replaces a part of the JSON, or adds to its end. */
const changed = (title: string, from: string | RegExp, to: string, more: Partial<Row> = {}): Row =>
  row(title, (setting) => kubeconfig(setting).replace(from, () => to), more)

/** Block style, for what JSON cannot say. */
const block = (setting: Setting, token = 't0ken', name = 'eu', extra = ''): string => `${extra}apiVersion: v1
kind: Config
current-context: ctx
clusters:
- name: ${name}
  cluster:
    server: ${setting.url}
    certificate-authority-data: ${base64(setting.server.certificate.cert)}
contexts:
- name: ctx
  context: {cluster: ${name}, user: dev}
users:
- name: dev
  user:
    token: ${token}
`

const fileRows: readonly Row[] = [
  row('JSON', (setting) => kubeconfig(setting)),
  row('YAML in block style', (setting) => block(setting)),
  row('CRLF line ends', (setting) => block(setting).replaceAll('\n', '\r\n')),
  row('UTF-8 with a byte order mark', (setting) => `\uFEFF${block(setting)}`),
  row('UTF-16 little-endian with a byte order mark', (setting) => Buffer.from(`\uFEFF${block(setting)}`, 'utf16le')),
  row('UTF-16 big-endian with a byte order mark', (setting) =>
    Buffer.from(`\uFEFF${block(setting)}`, 'utf16le').swap16(),
  ),
  row('UTF-16 without a byte order mark', (setting) => Buffer.from(block(setting), 'utf16le')),
  row('bytes that are not UTF-8', (setting) =>
    Buffer.concat([Buffer.from(`${block(setting)}x: "`), Buffer.from([0xff, 0xfe]), Buffer.from('"\n')]),
  ),
  row('a trailing ---', (setting) => `${block(setting)}---\n`),
  row('a leading ---', (setting) => `---\n${block(setting)}`),
  row('a trailing ...', (setting) => `${block(setting)}...\n`),
  row('a second document', (setting) => `${block(setting)}---\n${block(setting, 'other')}`),
  row('a second document that is not YAML', (setting) => `${block(setting)}---\n{ not: [yaml\n`),
  row('a comment before ---', (setting) => `# first\n---\n# second\n${block(setting)}`),
  row('base64 of a kubeconfig', (setting) => base64(block(setting))),
  row('not YAML', () => '{ not: [yaml'),
  row('a tab as indentation', (setting) => block(setting).replace('  cluster:', '\tcluster:')),
  row('a key twice', (setting) => `current-context: gone\n${block(setting)}`),
  row('a key twice in a user', (setting) => block(setting, 'first\n    token: second')),
  row('a merge key', (setting) =>
    block(setting, 'x\n    <<: {username: u, password: p}\n').replace('    token: x\n', ''),
  ),
  row('an anchor and an alias', (setting) => block(setting, '*t', 'eu', 'x: &t aliased\n')),
  row('a folded text', (setting) => block(setting, '>-\n      fol\n')),
  ...[
    'yes',
    'n',
    'on',
    'True',
    '123',
    '0x1F',
    '1_000',
    '1e3',
    '.5',
    '0o17',
    '12:30:45',
    '2026-11-27',
    '~',
    'null',
    '=',
    '.inf',
  ].map((value) => row(`an unquoted ${value} as the token`, (setting) => block(setting, value))),
  ...['y', 'off', '7', '1.30', '2026-11-27'].map((value) =>
    row(`an unquoted ${value} as the name of a cluster`, (setting) => block(setting, undefined, value)),
  ),
  changed('a number as the namespace', '"user":"dev"', '"user":"dev","namespace":123'),
  changed('a number as the token of another user', '"users":[', '"users":[{"name":"x","user":{"token":7}},'),
  changed('a list as a cluster that is not used', '"clusters":[', '"clusters":[{"name":"x","cluster":[]},'),
  changed('null entries', '"clusters":[', '"clusters":[null,'),
  changed('an entry without a server that is not used', '"clusters":[', '"clusters":[{"name":"x"},'),
  changed('a name twice', '"users":[', '"users":[{"name":"dev","user":{"token":"a"}},'),
  changed('clusters that are a mapping', /"clusters":\[.*?\],"c/, '"clusters":{},"c'),
  changed('an unknown field', '"kind"', '"cluster":7,"kind"'),
  changed('another kind', '"kind":"Config"', '"kind":"Secret"'),
  changed('another apiVersion', '"apiVersion":"v1"', '"apiVersion":"v2"'),
  changed('no kind and no apiVersion', '"apiVersion":"v1","kind":"Config",', ''),
  changed('a current context that does not exist', '"ctx"', '"gone"'),
  changed('a cluster that does not exist', '"cluster":"eu"', '"cluster":"us"'),
  changed('a user that does not exist', '"user":"dev"', '"user":"ops"'),
  changed('no user', ',"user":"dev"', ''),
]

const exec = (more: Fields = {}, status: Fields = { token: 'from-plugin' }): Fields => {
  const apiVersion = 'client.authentication.k8s.io/v1'
  const answer = JSON.stringify({ apiVersion, kind: 'ExecCredential', status })
  return {
    exec: { apiVersion, command: 'sh', args: ['-c', `printf '%s' '${answer}'`], interactiveMode: 'Never', ...more },
  }
}

const certificateOf = ({ cert, private: key }: Setting['dev']): Fields => ({
  ...{ 'client-certificate-data': base64(cert), 'client-key-data': base64(key) },
})
const relabelled = (key: string, type: 'pkcs1' | 'sec1' | 'pkcs8', label: string): string =>
  base64(
    createPrivateKey(key)
      .export({ type, format: 'pem' })
      .toString()
      .replace(/(BEGIN|END) [A-Z ]*PRIVATE KEY/g, `$1 ${label}`),
  )

const userRows: readonly Row[] = [
  withUser('no credentials', {}),
  withUser('an empty token', { token: '' }),
  withUser('a user name and a password', { username: 'jane', password: 'pass:word' }),
  withUser('a user name alone', { username: 'jane' }),
  withUser('a password alone', { password: 'p' }),
  withUser('a token and a password', { token: 't', username: 'jane', password: 'p' }),
  withUser('a certificate', ({ dev }) => certificateOf(dev)),
  withUser('a certificate and a token', ({ dev }) => ({ ...certificateOf(dev), token: 'beside' })),
  withUser('a certificate without its key', ({ dev }) => ({ 'client-certificate-data': base64(dev.cert) })),
  withUser('a key without its certificate', ({ dev }) => ({ 'client-key-data': base64(dev.private), token: 't' })),
  withUser('a key of another certificate', ({ dev, rsa }) => ({
    ...{ 'client-certificate-data': base64(dev.cert), 'client-key-data': base64(rsa.private) },
  })),
  ...(['PRIVATE KEY', 'RSA PRIVATE KEY', 'EC PRIVATE KEY'] as const).flatMap((label) => [
    ...(['pkcs1', 'pkcs8'] as const).map((type) =>
      withUser(`an RSA key in ${type} labelled ${label}`, ({ rsa }) => ({
        ...{ ...certificateOf(rsa), 'client-key-data': relabelled(rsa.private, type, label) },
      })),
    ),
    withUser(`an EC key in sec1 labelled ${label}`, ({ dev }) => ({
      ...{ ...certificateOf(dev), 'client-key-data': relabelled(dev.private, 'sec1', label) },
    })),
  ]),
  withUser('data in the alphabet of URLs', ({ dev }) => ({ ...certificateOf(dev), 'client-key-data': 'a-_b' })),
  withUser('data without its padding', { token: 't', 'client-key-data': 'YQ' }),
  withUser('data with line breaks', ({ dev }) => ({
    ...{ ...certificateOf(dev), 'client-key-data': base64(dev.private).replace(/(.{60})/g, '$1\n') },
  })),
  withUser('a certificate as data and as a file', ({ dev }) => ({ ...certificateOf(dev), 'client-certificate': 'c' })),
  withUser('token-file, which kubectl does not know', { token: 't', 'token-file': '/nope' }),
  withUser('impersonation', {
    token: 't',
    as: 'jane',
    'as-uid': 'u',
    'as-groups': ['a', 'b'],
    'as-user-extra': { K: ['v'] },
  }),
  withUser('groups without a user to impersonate', { token: 't', 'as-groups': ['a'] }),
  withUser('a plugin', exec()),
  withUser('a plugin and a token', () => ({ ...exec(), token: 'fixed' })),
  withUser('a plugin and a user name', () => ({ ...exec(), username: 'jane', password: 'p' })),
  withUser('a plugin and a certificate', (setting) => ({ ...exec(), ...certificateOf(setting.dev) })),
  withUser('a plugin without an interactive mode', () => exec({ interactiveMode: undefined })),
  withUser('a plugin that needs a terminal', () => exec({ interactiveMode: 'Always' })),
  withUser('a plugin without an apiVersion', () => exec({ apiVersion: undefined })),
  withUser('a plugin that answers in another apiVersion', () =>
    exec({ apiVersion: 'client.authentication.k8s.io/v1beta1' }),
  ),
  withUser('a plugin that returns nothing', () => exec({}, {})),
  withUser('a plugin that returns a certificate', ({ dev }) =>
    exec({}, { clientCertificateData: dev.cert, clientKeyData: dev.private }),
  ),
  withUser('a plugin with numbers as args', () => exec({ args: [1] })),
  withUser('a plugin and an auth-provider', () => ({ ...exec(), 'auth-provider': { name: 'oidc' } })),
  withUser(
    'an auth-provider that was removed',
    { 'auth-provider': { name: 'gcp', config: { 'access-token': 'old' } } },
    {
      difference: { action: 'asks', why: 'client-node still reads the token of gcp and azure' },
    },
  ),
  ...['file-token', ' spaced \n', ''].map((text) => ({
    title: `tokenFile with ${JSON.stringify(text)}`,
    files: (setting: Setting) => ({ config: kubeconfig(setting, { tokenFile: 'token' }), token: text }),
  })),
  ...['file-token', ''].map((text) => ({
    title: `a token, and tokenFile with ${JSON.stringify(text)}`,
    files: (setting: Setting) => ({ config: kubeconfig(setting, { token: 'fixed', tokenFile: 'token' }), token: text }),
  })),
  withUser('a token, and a tokenFile that is missing', { token: 'fixed', tokenFile: 'none' }),
  withUser('a tokenFile that is missing', { tokenFile: 'none' }),
  withUser('a tokenFile in the home folder', { tokenFile: '~/token' }),
  withUser('a tokenFile and a user name', { tokenFile: 'none', username: 'jane' }),
]

export const kubeconfigRows: readonly Row[] = [...fileRows, ...userRows]
export { row, withCluster }
