import { call } from '../../../src/cluster/api.ts'
import type { Connection } from '../../../src/cluster/connection.ts'
import { protectionWarnings } from '../../../src/cluster/insecurity.ts'
import { connectKubeconfig } from '../../../src/cluster/kubeconfig/connect.ts'
import { openRemoteCommand } from '../../../src/cluster/remote-command.ts'
import { connectWithToken } from '../../../src/cluster/token-connection.ts'
import { startServer, type Server } from '../../support/api-server.ts'
import { rejection } from '../../support/refusal.ts'

const open = (cluster: object, user: object, env: NodeJS.ProcessEnv = {}): Promise<Connection> => {
  const content = JSON.stringify({
    clusters: [{ name: 'eu', cluster }],
    users: [{ name: 'dev', user }],
    contexts: [{ name: 'c', context: { cluster: 'eu', user: 'dev' } }],
    'current-context': 'c',
  })
  return connectKubeconfig({
    ...{ source: { kind: 'content', content }, context: undefined, env, maskSecret: () => undefined },
  })
}

let server: Server
beforeEach(async () => {
  server = await startServer()
  server.answer = () => ({ status: 200, body: { kind: 'Pod' } })
})
afterEach(() => server.stop())

describe('a server of plain HTTP', () => {
  it.each<[string, object]>([
    ['a token', { token: 't0ken' }],
    ['a tokenFile', { tokenFile: '/nope' }],
    ['a password', { username: 'u', password: 'p' }],
    ['an exec plugin', { exec: { command: '/nope' } }],
    ['an auth-provider', { 'auth-provider': { name: 'oidc', config: {} } }],
  ])('is refused for %s before anything is read, run or sent', async (_what, user) => {
    const { problems } = await rejection(open({ server: 'http://user:S3cret@k8s.example:8080/?x=S3cret' }, user))
    expect(problems).toMatchObject([{ code: 'E_API_PLAIN_HTTP', input: 'kubeconfig' }])
    expect(JSON.stringify(problems)).toContain('http://k8s.example:8080')
    expect(JSON.stringify(problems)).not.toContain('S3cret')
  })

  it.each(['127.0.0.1', 'localhost', '[::1]', '127.8.9.1'])('is accepted at the loopback address %s', async (host) => {
    const connection = await open({ server: `http://${host}:8001` }, { token: 't' })
    expect(connection.warnings).toEqual([expect.stringMatching(/over plain HTTP.*other users of this machine/)])
  })

  it.each(['127.0.0.1.example', '10.0.0.1', '0.0.0.0', '[::2]', 'localhost.example'])(
    'is refused at %s, which is not loopback',
    async (host) => {
      expect((await rejection(open({ server: `http://${host}:8001` }, { token: 't' }))).problems[0].code).toBe(
        'E_API_PLAIN_HTTP',
      )
    },
  )

  it('is accepted without credentials, with a warning', async () => {
    const connection = await open({ server: 'http://k8s.example' }, {})
    expect(connection.warnings).toEqual([expect.stringMatching(/plain HTTP: nothing proves its identity or protects/)])
  })

  it('gets no request with credentials, whatever made the connection', async () => {
    const other: Connection = { ...server.connection, server: server.url.replace('127.0.0.1', '127.0.0.1.nip.example') }
    expect((await rejection(call(other, 'GET', '/api'))).problems[0].code).toBe('E_API_PLAIN_HTTP')
    const command = { namespace: 'n', pod: 'p', container: 'c', command: ['sh'] }
    const handlers = { stdout: () => undefined, stderr: () => undefined }
    expect((await rejection(openRemoteCommand(other, command, handlers))).problems[0].code).toBe('E_API_PLAIN_HTTP')
    expect(server.requests).toEqual([])
  })

  it('gets no request with credentials through a proxy, also at a loopback address', async () => {
    const proxied: Connection = {
      ...server.connection,
      credentials: async () => ({
        ...(await server.connection.credentials()),
        proxy: { name: 'HTTP_PROXY (http://proxy.example:3128)', isFromEnvironment: true },
      }),
    }
    expect((await rejection(call(proxied, 'GET', '/api'))).problems[0]).toMatchObject({
      code: 'E_API_PLAIN_HTTP',
      problem: expect.stringContaining('through the proxy HTTP_PROXY') as string,
    })
    expect(server.requests).toEqual([])
  })
})

describe('a connection is reported with a warning when', () => {
  it('the kubeconfig skips the verification of the certificate', async () => {
    const connection = await open({ server: 'https://k8s.example', 'insecure-skip-tls-verify': true }, { token: 't' })
    expect(connection.warnings).toEqual([
      expect.stringMatching(/^The certificate of the API server k8s\.example is not checked/),
    ])
  })

  it('NODE_TLS_REJECT_UNAUTHORIZED is 0, for every kind of connection', async () => {
    const env = { NODE_TLS_REJECT_UNAUTHORIZED: '0' }
    expect((await open({ server: 'https://k8s.example' }, { token: 't' }, env)).warnings).toEqual([
      expect.stringMatching(/^No certificate is checked, because NODE_TLS_REJECT_UNAUTHORIZED is 0/),
    ])
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
    try {
      const connection = connectWithToken(
        {
          input: 'api-server',
          server: 'https://k8s.example',
          certificateAuthority: undefined,
          as: 'x',
          token: () => Promise.resolve('t'),
        },
        () => undefined,
      )
      expect(connection.warnings).toHaveLength(1)
    } finally {
      delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
    }
  })

  it('and not otherwise', async () => {
    expect((await open({ server: 'https://k8s.example' }, { token: 't' })).warnings).toEqual([])
    expect(protectionWarnings({ server: 'https://k8s.example' }, { NODE_TLS_REJECT_UNAUTHORIZED: '1' })).toEqual([])
  })
})
