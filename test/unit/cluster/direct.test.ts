import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { call } from '../../../src/cluster/api.ts'
import { cachedToken, connectDirectly } from '../../../src/cluster/direct.ts'
import { ConfigurationError } from '../../../src/errors.ts'
import { startServer, type Server } from './server.ts'

describe('the certificate authority', () => {
  let server: Server
  let folder: string
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'direct-'))
    server = await startServer({ tls: 'address' })
    server.answer = () => ({ status: 200, body: { ok: true } })
  })
  afterEach(async () => {
    rmSync(folder, { recursive: true })
    await server.stop()
  })

  const secrets: string[] = []
  const open = (certificateAuthority: string | undefined): ReturnType<typeof connectDirectly> =>
    connectDirectly(
      {
        ...{ input: 'api-server', server: server.url, certificateAuthority, as: 'dev', namespace: undefined },
        token: () => Promise.resolve('t0ken'),
      },
      (secret) => secrets.push(secret),
    )

  it.each<[string, (pem: string) => string]>([
    ['as PEM', (pem) => pem],
    ['as base64 of PEM', (pem) => Buffer.from(pem).toString('base64')],
    [
      'as a path',
      (pem) => {
        writeFileSync(join(folder, 'ca.crt'), pem)
        return join(folder, 'ca.crt')
      },
    ],
  ])('is taken %s', async (_what, form) => {
    const connection = open(form(server.certificate))
    await expect(call(connection, 'GET', '/version')).resolves.toMatchObject({ body: { ok: true } })
    expect(server.requests[0]?.headers.authorization).toBe('Bearer t0ken')
    expect(secrets).toContain('t0ken')
    expect(connection.description).toBe(`${new URL(server.url).host} as dev`)
  })

  it.each(['no-such-file', 'AAAA', '-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----'])(
    'is refused where it is none: %j',
    (text) => {
      expect(() => open(text)).toThrow(ConfigurationError)
      expect(() => open(text)).toThrow(/^certificate-authority: it is neither a PEM certificate/)
    },
  )

  it("is the runner's own without one, and the error names the input", async () => {
    await expect(call(open(undefined), 'GET', '/version')).rejects.toThrow(
      /^api-server: .* cannot be reached .*`certificate-authority`/,
    )
  })
})

describe('a token that is kept', () => {
  const began = 1_000_000_000_000
  const jwt = (claims: object): string => `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`
  const living = (seconds: number, offset = 0): string =>
    jwt({ iat: began / 1000 + offset, exp: began / 1000 + offset + seconds })

  function keep(token: string): { ask: () => Promise<string>; clock: { time: number }; fetched: () => number } {
    const clock = { time: began }
    let fetched = 0
    const ask = cachedToken(
      () => {
        fetched += 1
        return Promise.resolve(token)
      },
      () => clock.time,
    )
    return { ask, clock, fetched: () => fetched }
  }

  it.each([
    ['5 minutes, as GitHub gives them', living(300), 240_000],
    ['20 seconds', living(20), 15_000],
    ['5 minutes by a clock that is 10 minutes ahead', living(300, 600), 240_000],
    ['5 minutes by a clock that is 10 minutes behind', living(300, -600), 240_000],
  ])('lives for %s and is renewed before its end', async (_what, token, kept) => {
    const { ask, clock, fetched } = keep(token)
    await expect(ask()).resolves.toBe(token)
    clock.time = began + kept - 1
    await ask()
    expect(fetched()).toBe(1)
    clock.time = began + kept
    await ask()
    expect(fetched()).toBe(2)
  })

  it.each(['opaque', 'a.b.c', jwt({ iat: 1 })])(
    'that does not say when it ends is fetched each time: %s',
    async (token) => {
      const { ask, fetched } = keep(token)
      await ask()
      await ask()
      expect(fetched()).toBe(2)
    },
  )

  it('is fetched once for all who ask at the same time, and again after a failure', async () => {
    let fetched = 0
    const ask = cachedToken(() => {
      fetched += 1
      return fetched === 1 ? Promise.reject(new Error('away')) : Promise.resolve('t')
    })
    expect((await Promise.allSettled([ask(), ask()])).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(fetched).toBe(1)
    await expect(Promise.all([ask(), ask(), ask()])).resolves.toEqual(['t', 't', 't'])
    expect(fetched).toBe(2)
  })
})
