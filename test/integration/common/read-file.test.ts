import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Connection } from '../../../src/cluster/connection.ts'
import { connectKubeconfig } from '../../../src/cluster/kubeconfig/connect.ts'
import { connectWithToken } from '../../../src/cluster/token-connection.ts'
import { readCredentials } from '../../../src/google/auth/credentials-file.ts'
import { readRegularFile } from '../../../src/common/read-file.ts'
import { messageOf } from '../../../src/common/errors.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'read-file-'))
  execFileSync('mkfifo', [join(folder, 'pipe')])
  writeFileSync(join(folder, 'large'), Buffer.alloc(8 * 1024 * 1024 + 1))
  writeFileSync(join(folder, 'file'), 'content')
  symlinkSync('file', join(folder, 'link'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const messageFrom = async (work: () => unknown): Promise<string> => {
  try {
    await work()
  } catch (error) {
    return messageOf(error)
  }
  return 'no error'
}

it('reads a file and a link to one, as Kubernetes mounts tokens', () => {
  expect(readRegularFile(join(folder, 'file')).toString()).toBe('content')
  expect(readRegularFile(join(folder, 'link')).toString()).toBe('content')
})

it.each([
  ['/dev/zero', /^it is not a regular file$/],
  ['pipe', /^it is not a regular file$/],
  ['large', /^it is larger than 8 MiB$/],
  ['.', /^EISDIR$/],
  ['none', /^ENOENT$/],
  ['a\0b', /^ERR_INVALID_ARG_VALUE$/],
])('rejects %j at once, without its path', (name, expected) => {
  const path = name.startsWith('/') ? name : join(folder, name)
  expect(() => readRegularFile(path)).toThrow(expected)
})

describe.each(['/dev/zero', 'pipe', 'large'])('the file %s', (name) => {
  const path = (): string => (name.startsWith('/') ? name : join(folder, name))
  const open = async (cluster: object, user: object): Promise<unknown> => {
    const content = JSON.stringify({
      clusters: [{ name: 'eu', cluster: { server: 'https://127.0.0.1:1', ...cluster } }],
      users: [{ name: 'dev', user }],
      contexts: [{ name: 'c', context: { cluster: 'eu', user: 'dev' } }],
      'current-context': 'c',
    })
    const source = { kind: 'content', content } as const
    const connection = await connectKubeconfig({ source, context: undefined, env: {}, maskSecret: () => undefined })
    return connection.credentials()
  }

  it.each<[string, () => unknown]>([
    ['certificate-authority of a kubeconfig', () => open({ 'certificate-authority': path() }, { token: 't' })],
    ['client-certificate', () => open({}, { 'client-certificate': path(), 'client-key': path() })],
    ['tokenFile', () => open({}, { tokenFile: path() })],
    [
      'tokenFile of an auth-provider',
      () => open({}, { 'auth-provider': { name: 'tokenFile', config: { tokenFile: path() } } }),
    ],
    [
      'the input kubeconfig',
      () =>
        connectKubeconfig({
          ...{ source: { kind: 'path', path: path() }, context: undefined, env: {}, maskSecret: () => undefined },
        }),
    ],
    [
      'the input certificate-authority',
      () =>
        connectWithToken(
          {
            input: 'api-server',
            server: 'https://127.0.0.1:1',
            certificateAuthority: { text: path(), input: 'certificate-authority', subject: 'the value', fix: 'x' },
            as: 'x',
            token: () => Promise.resolve('t'),
          },
          () => undefined,
        ),
    ],
    ['the variable GOOGLE_APPLICATION_CREDENTIALS', () => readCredentials({ GOOGLE_APPLICATION_CREDENTIALS: path() })],
  ])('as %s is rejected at once', async (_what, work) => {
    expect(await messageFrom(work)).toMatch(/it is not a regular file|it is larger than 8 MiB/)
  })
})

describe.each(['/dev/zero', 'pipe', 'large'])('in a pod, the file %s', (name) => {
  const target = (): string => (name.startsWith('/') ? name : join(folder, name))
  let pod: string
  const open = (): Promise<Connection> => {
    const env = { HOME: pod, KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: '1' }
    const options = { source: { kind: 'default' }, context: undefined, env, podFolder: pod } as const
    return connectKubeconfig({ ...options, maskSecret: () => undefined })
  }
  beforeEach(() => {
    pod = mkdtempSync(join(folder, 'pod-'))
    writeFileSync(join(pod, 'token'), 'pod-token')
  })

  it('as the token of its service account is rejected at once', async () => {
    rmSync(join(pod, 'token'))
    symlinkSync(target(), join(pod, 'token'))
    const connection = await open()
    expect(await messageFrom(() => connection.credentials())).toMatch(
      /it is not a regular file|it is larger than 8 MiB/,
    )
  })

  it('as its namespace or its certificate authority is left out at once', async () => {
    for (const file of ['namespace', 'ca.crt']) symlinkSync(target(), join(pod, file))
    const connection = await open()
    expect(connection.namespace).toBe('default')
    expect((await connection.credentials()).tls).not.toHaveProperty('ca')
  })
})

it('a token of a pod is read through the links by which the kubelet replaces it', async () => {
  const pod = mkdtempSync(join(folder, 'pod-'))
  mkdirSync(join(pod, '..2026'))
  writeFileSync(join(pod, '..2026', 'token'), 'pod-token')
  symlinkSync('..2026', join(pod, '..data'))
  symlinkSync('..data/token', join(pod, 'token'))
  const env = { HOME: pod, KUBERNETES_SERVICE_HOST: '127.0.0.1', KUBERNETES_SERVICE_PORT: '1' }
  const options = { source: { kind: 'default' }, context: undefined, env, podFolder: pod } as const
  const connection = await connectKubeconfig({ ...options, maskSecret: () => undefined })
  expect((await connection.credentials()).headers).toEqual({ Authorization: 'Bearer pod-token' })
})

it.each(['/dev/zero', 'pipe', 'large'])('the file %s as SSL_CERT_FILE is left out at once', (name) => {
  const path = name.startsWith('/') ? name : join(folder, name)
  // What a process trusts is decided once in it.
  const module = join(import.meta.dirname, '../../../src/common/system-authorities.ts')
  const script = `import { trustSystemAuthorities } from ${JSON.stringify(module)}; trustSystemAuthorities(); console.log('end')`
  const env = { ...process.env, SSL_CERT_FILE: path, SSL_CERT_DIR: '/none' }
  const options = { env, timeout: 20_000, encoding: 'utf8' } as const
  expect(execFileSync(process.execPath, ['--input-type=module', '-e', script], options)).toBe('end\n')
})
