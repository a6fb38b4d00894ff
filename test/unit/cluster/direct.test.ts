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

  it.each<[string, (pem: string) => string]>([
    ['blanks', (pem) => pem.replace(/\n/g, ' ')],
    ['the two characters \\n', (pem) => pem.replace(/\n/g, '\\n')],
    [
      'base64 with line breaks of its own',
      (pem) =>
        (
          Buffer.from(pem)
            .toString('base64')
            .match(/.{1,76}/g) ?? []
        ).join('\n'),
    ],
  ])('is taken although its line breaks became %s', async (_what, form) => {
    await expect(call(open(form(server.certificate)), 'GET', '/version')).resolves.toMatchObject({ body: { ok: true } })
  })

  it.each(['no-such-file', 'AAAA', '-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----'])(
    'is refused where it is none: %j',
    (text) => {
      expect(() => open(text)).toThrow(ConfigurationError)
      expect(() => open(text)).toThrow(/^certificate-authority: it is neither a PEM certificate/)
    },
  )

  it.each([
    [
      'garbage between its marks',
      '-----BEGIN CERTIFICATE-----\nMIIgarbage\n-----END CERTIFICATE-----',
      /has something between its BEGIN and END/,
    ],
    ['only its beginning', '-----BEGIN CERTIFICATE-----\nMIIC', /has a certificate without its end/],
  ])('is refused where it is broken: %s', (_what, text, words) => {
    for (const form of [text, Buffer.from(text).toString('base64')]) {
      expect(() => open(form)).toThrow(/^certificate-authority: it has /)
      expect(() => open(form)).toThrow(words)
    }
  })

  it('is refused as a file that is not there, or is a folder', () => {
    expect(() => open('/nope/ca.crt')).toThrow(/^certificate-authority: there is no file "\/nope\/ca\.crt"\. /)
    expect(() => open('certs/ca.pem')).toThrow(/^certificate-authority: there is no file "certs\/ca\.pem"/)
    expect(() => open(folder)).toThrow(/^certificate-authority: the file ".*" cannot be read \(EISDIR\)/)
  })

  it('that Google names is not called an input', () => {
    const access = { input: 'cluster', server: server.url, certificateAuthority: 'AAAA', as: 'dev' } as const
    const token = (): Promise<string> => Promise.resolve('t0ken')
    expect(() => connectDirectly({ ...access, namespace: undefined, token }, () => undefined)).toThrow(
      /^cluster: the certificate authority that Google Cloud names is neither/,
    )
  })

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

  function keep(token: string): {
    ask: () => Promise<string>
    refused: (token: string) => void
    clock: { time: number }
    fetched: () => number
  } {
    const clock = { time: began }
    let fetched = 0
    const kept = cachedToken(
      () => {
        fetched += 1
        return Promise.resolve(token)
      },
      () => clock.time,
    )
    return { ask: () => kept.get(), refused: (value) => kept.refused(value), clock, fetched: () => fetched }
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

  it('is fetched anew once it is refused, unless it was made a moment ago', async () => {
    const { ask, refused, clock, fetched } = keep(living(300))
    refused(await ask())
    await ask()
    expect(fetched()).toBe(1)
    clock.time = began + 10_000
    refused('another one')
    await ask()
    expect(fetched()).toBe(1)
    refused(await ask())
    await ask()
    expect(fetched()).toBe(2)
  })

  it.each(['opaque', 'a.b.c', `a.${Buffer.from('null').toString('base64url')}.c`, jwt({ iat: 1 })])(
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
    const { get: ask } = cachedToken(() => {
      fetched += 1
      return fetched === 1 ? Promise.reject(new Error('away')) : Promise.resolve('t')
    })
    expect((await Promise.allSettled([ask(), ask()])).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(fetched).toBe(1)
    await expect(Promise.all([ask(), ask(), ask()])).resolves.toEqual(['t', 't', 't'])
    expect(fetched).toBe(2)
  })
})

describe('a token', () => {
  const open = (token: string): ReturnType<typeof connectDirectly> =>
    connectDirectly(
      {
        ...{ input: 'api-server', server: 'https://a.example', certificateAuthority: undefined, as: 'the given token' },
        ...{ namespace: undefined, whose: 'token: the given one' },
        token: () => Promise.resolve(token),
      },
      () => undefined,
    )

  it('is sent without the line end that it was stored with', async () => {
    expect((await open('t0ken\n').credentials()).headers).toEqual({ Authorization: 'Bearer t0ken' })
  })

  it.each([
    ['t0\nken', /^token: the given one has a line break, a blank or a letter/],
    ['tökén', /has a line break, a blank or a letter that no token has/],
    ['t0k en', /has a line break/],
    ['\n', /is empty/],
  ])('that no header can carry is told as such: %j', async (token, words) => {
    const refused = open(token).credentials()
    await expect(refused).rejects.toThrow(ConfigurationError)
    await expect(refused).rejects.toThrow(words)
    await expect(refused).rejects.toThrow(/^token: /)
    await expect(refused).rejects.not.toThrow(/t0|tök/)
  })
})
