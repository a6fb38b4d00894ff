import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { ConfigurationError } from '../../../src/common/errors.ts'
import { githubIdToken } from '../../../src/runner/id-token.ts'

let github: Server
let answer: () => { status: number; body: string } | 'hang' | 'reset'
const variables = ['ACTIONS_ID_TOKEN_REQUEST_URL', 'ACTIONS_ID_TOKEN_REQUEST_TOKEN'] as const
const saved = Object.fromEntries(variables.map((name) => [name, process.env[name]]))
beforeEach(async () => {
  github = createServer((request, response) => {
    const given = answer()
    if (given === 'reset') request.socket.destroy()
    else if (given !== 'hang') response.writeHead(given.status, { 'content-type': 'application/json' }).end(given.body)
  })
  await new Promise<void>((resolve) => github.listen(0, '127.0.0.1', resolve))
  const { port } = github.address() as AddressInfo
  process.env['ACTIONS_ID_TOKEN_REQUEST_URL'] = `http://127.0.0.1:${String(port)}/token?v=1`
  process.env['ACTIONS_ID_TOKEN_REQUEST_TOKEN'] = 'request-t0ken'
})
afterEach(async () => {
  for (const name of variables) {
    if (saved[name] === undefined) delete process.env[name]
    else process.env[name] = saved[name]
  }
  github.closeAllConnections()
  await new Promise((resolve) => github.close(resolve))
})

it("returns the job's token for the audience", async () => {
  answer = () => ({ status: 200, body: '{"value":"eyJ.a.b"}' })
  await expect(githubIdToken('aud', 'oidc-audience')).resolves.toBe('eyJ.a.b')
})

it.each<[string, ReturnType<typeof answer>, RegExp]>([
  ['hangs', 'hang', /\(no answer within 0\.2 s\)/],
  ['fails', { status: 500, body: '{}' }, /Error Code : 500/],
  ['is overloaded', { status: 429, body: '{}' }, /Error Code : 429/],
  ['closes the connection', 'reset', /\(.+\)/],
])('reports an outage, not a missing permission, when GitHub %s', async (_what, given, expected) => {
  answer = () => given
  const refused = githubIdToken('aud', 'workload-identity-provider', given === 'hang' ? 200 : undefined)
  await expect(refused).rejects.toThrow(ConfigurationError)
  await expect(refused).rejects.toThrow(
    /^workload-identity-provider: GitHub's ID token service failed or cannot be reached .* Run the job again later/,
  )
  await expect(refused).rejects.toThrow(expected)
  await expect(refused).rejects.not.toThrow(/permissions|t0ken/)
})

it.each([403, 401])('returns a refusal with %i to the caller, which knows the missing permission', async (status) => {
  answer = () => ({ status, body: '{"message":"no"}' })
  const refused = githubIdToken('aud', 'oidc-audience')
  await expect(refused).rejects.toThrow(new RegExp(`Error Code : ${String(status)}`))
  await expect(refused).rejects.not.toThrow(ConfigurationError)
})
