import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { call } from '../../../src/cluster/api.ts'
import { connectWithToken, type TokenAccess } from '../../../src/cluster/token-connection.ts'
import { ConfigurationError } from '../../../src/common/errors.ts'
import { startServer, type Server } from '../../support/api-server.ts'

const authority = (text: string): TokenAccess['certificateAuthority'] => ({
  ...{ text, input: 'certificate-authority', subject: 'the value', fix: "Use the cluster's ca.crt." },
})

describe('the certificate authority', () => {
  let server: Server
  let folder: string
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'token-'))
    server = await startServer({ tls: 'address' })
    server.answer = () => ({ status: 200, body: { ok: true } })
  })
  afterEach(async () => {
    rmSync(folder, { recursive: true })
    await server.stop()
  })

  const secrets: string[] = []
  const open = (certificateAuthority: string | undefined): ReturnType<typeof connectWithToken> =>
    connectWithToken(
      {
        ...{ input: 'api-server', server: server.url, as: 'dev', trustedAuthority: '`certificate-authority`' },
        certificateAuthority: certificateAuthority === undefined ? undefined : authority(certificateAuthority),
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
  ])('is accepted %s', async (_what, form) => {
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
      'base64 with other line breaks',
      (pem) =>
        (
          Buffer.from(pem)
            .toString('base64')
            .match(/.{1,76}/g) ?? []
        ).join('\n'),
    ],
  ])('is accepted when its line breaks are replaced by %s', async (_what, form) => {
    await expect(call(open(form(server.certificate)), 'GET', '/version')).resolves.toMatchObject({ body: { ok: true } })
  })

  it.each(['no-such-file', 'AAAA', '-----BEGIN PRIVATE KEY-----\nx\n-----END PRIVATE KEY-----'])(
    'is rejected when it is not a certificate: %j',
    (text) => {
      expect(() => open(text)).toThrow(ConfigurationError)
      expect(() => open(text)).toThrow(
        /^certificate-authority: the value is neither a PEM certificate.*\. Use the cluster's ca\.crt\.$/,
      )
    },
  )

  it.each([
    [
      'garbage between its BEGIN and END lines',
      '-----BEGIN CERTIFICATE-----\nMIIgarbage\n-----END CERTIFICATE-----',
      /has an invalid certificate between its BEGIN and END/,
    ],
    ['only its beginning', '-----BEGIN CERTIFICATE-----\nMIIC', /has a certificate without its END line/],
  ])('is rejected when it is damaged: %s', (_what, text, expected) => {
    for (const form of [text, Buffer.from(text).toString('base64')]) {
      expect(() => open(form)).toThrow(/^certificate-authority: the value has /)
      expect(() => open(form)).toThrow(expected)
    }
  })

  it('is rejected when its file does not exist or is a folder', () => {
    expect(() => open('/nope/ca.crt')).toThrow(/^certificate-authority: the file "\/nope\/ca\.crt" does not exist\. /)
    expect(() => open('certs/ca.pem')).toThrow(/^certificate-authority: the file "certs\/ca\.pem" does not exist/)
    expect(() => open(folder)).toThrow(/^certificate-authority: the file ".*" cannot be read \(EISDIR\)/)
  })

  it('defaults to the authorities of the runner, and the error names the input', async () => {
    await expect(call(open(undefined), 'GET', '/version')).rejects.toThrow(
      /^api-server: .* cannot be reached .*`certificate-authority`/,
    )
  })
})

describe('the token', () => {
  const open = (token: string): ReturnType<typeof connectWithToken> =>
    connectWithToken(
      {
        ...{ input: 'api-server', server: 'https://a.example', certificateAuthority: undefined, as: 'the given token' },
        tokenOrigin: { input: 'token', subject: 'the given token' },
        token: () => Promise.resolve(token),
      },
      () => undefined,
    )

  it('is sent without its final line break', async () => {
    expect((await open('t0ken\n').credentials()).headers).toEqual({ Authorization: 'Bearer t0ken' })
  })

  it.each([
    ['t0\nken', /^token: the given token contains a line break, a space or a character/],
    ['tökén', /contains a line break, a space or a character that no token has/],
    ['t0k en', /contains a line break/],
    ['\n', /is empty/],
  ])(
    'is rejected by an error that does not contain the token when a header cannot contain it: %j',
    async (token, expected) => {
      const refused = open(token).credentials()
      await expect(refused).rejects.toThrow(ConfigurationError)
      await expect(refused).rejects.toThrow(expected)
      await expect(refused).rejects.toThrow(/^token: /)
      await expect(refused).rejects.not.toThrow(/t0|tök/)
    },
  )
})
