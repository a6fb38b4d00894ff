import { jest } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigurationError } from '../../../src/errors.ts'
import { googleTokenSource, type GoogleIdentityOptions, type GoogleTokenSource } from '../../../src/google/identity.ts'
import { startGoogle, type GoogleOptions, type GoogleServices } from '../../sandbox/google/start.ts'
import { until } from '../until.ts'
import { refusal } from './refusal.ts'

let folder: string
let google: GoogleServices
let secrets: string[]
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'identity-'))
  secrets = []
  await begin()
})
afterEach(async () => {
  await google.stop()
  rmSync(folder, { recursive: true })
})

async function begin(options?: GoogleOptions): Promise<void> {
  await (google as GoogleServices | undefined)?.stop()
  google = await startGoogle(options)
}

/** As the runner's toolkit asks GitHub. */
async function getIdToken(audience: string): Promise<string> {
  const env = google.env()
  const response = await fetch(
    `${env['ACTIONS_ID_TOKEN_REQUEST_URL'] ?? ''}&audience=${encodeURIComponent(audience)}`,
    {
      headers: { authorization: `Bearer ${env['ACTIONS_ID_TOKEN_REQUEST_TOKEN'] ?? ''}` },
    },
  )
  return ((await response.json()) as { value: string }).value
}

const native = (
  options: Partial<GoogleIdentityOptions> = {},
  env: NodeJS.ProcessEnv = google.env(),
): Promise<GoogleTokenSource> =>
  googleTokenSource(
    { workloadIdentityProvider: google.provider, getIdToken, secret: (value) => secrets.push(value), ...options },
    env,
  )

/** Credentials in a file, as a step before leaves them. */
function left(credentials: unknown, variable = 'GOOGLE_APPLICATION_CREDENTIALS'): Promise<GoogleTokenSource> {
  const path = join(folder, 'gha-creds-1.json')
  writeFileSync(path, typeof credentials === 'string' ? credentials : JSON.stringify(credentials))
  return native({ workloadIdentityProvider: undefined }, { ...google.envWithoutIdToken(), [variable]: path })
}

const impersonated = (): Promise<GoogleTokenSource> => native({ serviceAccount: google.serviceAccount })
const operations = (): string[] => google.calls.map(({ operation }) => operation)

describe('workload identity', () => {
  it('is the principal itself without a service account', async () => {
    const source = await native()
    expect(google.calls).toEqual([])
    expect(source.description).toBe("the principal of GitHub's token by github/octo-org")
    const token = await source.token()
    expect(google.identify(token.value)?.name).toBe(
      'principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/github/subject/repo:octo-org/shop:environment:production',
    )
    expect(Math.abs(token.expires - Date.now() - 300_000)).toBeLessThan(5_000)
    expect(operations()).toEqual(['github.idToken', 'sts.token'])
  })

  it('becomes the service account, for an hour', async () => {
    const source = await impersonated()
    expect(source.description).toBe(`${google.serviceAccount} by github/octo-org`)
    expect(source.projectId).toBe('shop-prod')
    const token = await source.token()
    expect(google.identify(token.value)?.name).toBe(google.serviceAccount)
    expect(Math.abs(token.expires - Date.now() - 3_600_000)).toBeLessThan(5_000)
    expect(operations()).toEqual(['github.idToken', 'sts.token', 'iamcredentials.generateAccessToken'])
  })

  it('exchanges once for 100 requests with tokens of 5 minutes, and never asks Resource Manager for a project', async () => {
    const source = await native()
    for (let i = 0; i < 100; i++) await source.token()
    expect(operations()).toEqual(['github.idToken', 'sts.token'])
    expect(source.projectId).toBeUndefined()
  })

  it('exchanges once more where the token is refused, unless it was made a moment ago', async () => {
    const source = await native()
    const first = await source.token()
    source.refused(first.value)
    expect(await source.token()).toEqual(first)
    const later = Date.now() + 10_000
    jest.spyOn(Date, 'now').mockReturnValue(later)
    try {
      source.refused('another one')
      expect(await source.token()).toEqual(first)
      source.refused(first.value)
      source.refused(first.value)
      expect((await source.token()).value).not.toBe(first.value)
      source.refused(first.value)
      await source.token()
    } finally {
      jest.restoreAllMocks()
    }
    expect(google.count('sts.token')).toBe(2)
  })

  it('says who it is as IAM names it, as soon as it knows', async () => {
    expect((await impersonated()).member()).toBe(`serviceAccount:${google.serviceAccount}`)
    const source = await native()
    expect(source.member()).toBeUndefined()
    await source.token()
    expect(source.member()).toBe(
      'principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/github/subject/repo:octo-org/shop:environment:production',
    )
  })

  it('exchanges once for 20 who ask at the same time', async () => {
    const source = await impersonated()
    const tokens = await Promise.all(Array.from({ length: 20 }, () => source.token()))
    expect(new Set(tokens.map(({ value }) => value)).size).toBe(1)
    expect(google.count('sts.token')).toBe(1)
    expect(google.count('iamcredentials.generateAccessToken')).toBe(1)
  })

  it('exchanges once more when the token ends, with a new token of GitHub', async () => {
    await begin({ lifetimes: { federated: 4 } })
    const source = await native()
    const first = await source.token()
    const token = await until('another token', async () => {
      const next = await source.token()
      return next.value === first.value ? undefined : next
    })
    expect(Date.now()).toBeLessThan(first.expires) // before it ended
    expect(token.expires).toBeGreaterThan(first.expires)
    expect(google.count('github.idToken')).toBe(2)
    expect(google.count('sts.token')).toBe(2)
  })

  it.each([
    ['ahead', 2 * 3_600_000],
    ['behind', -2 * 3_600_000],
  ])("a clock of Google's that is 2 hours %s changes nothing", async (_what, clockOffset) => {
    await begin({ clockOffset })
    const source = await impersonated()
    const token = await source.token()
    expect(Math.abs(token.expires - Date.now() - 3_600_000)).toBeLessThan(10_000)
    await source.token()
    expect(google.count('sts.token')).toBe(1)
  })

  it('tells every token, and its base64, before it is used', async () => {
    let idToken = ''
    const source = await native({
      serviceAccount: google.serviceAccount,
      getIdToken: async (audience) => {
        idToken = await getIdToken(audience)
        return idToken
      },
    })
    const { value } = await source.token()
    const base64 = (text: string): string => Buffer.from(text).toString('base64')
    expect(secrets).toEqual(expect.arrayContaining([idToken, base64(idToken), value, base64(value)]))
    // the one between STS and the impersonation, which nobody but the library sees
    const between = secrets.filter((secret) => secret.startsWith('ya29.d.'))
    expect(between).toHaveLength(1)
    expect(secrets).toContain(base64(between[0] ?? ''))
    expect(secrets.indexOf(idToken)).toBe(0)
  })

  it("takes the provider's own audience", async () => {
    const asked: string[] = []
    const remember = (audience: string): Promise<string> => {
      asked.push(audience)
      return getIdToken(`https://iam.googleapis.com/${google.provider}`)
    }
    await (await native({ getIdToken: remember })).token()
    await (await native({ getIdToken: remember, audience: 'sts.example' })).token()
    expect(asked).toEqual([`https://iam.googleapis.com/${google.provider}`, 'sts.example'])
  })

  it('recovers from a service that is away once', async () => {
    google.faults.sts = { status: 503, times: 1 }
    await (await native()).token()
    expect(google.calls.map(({ status }) => status)).toEqual([200, 503, 200])
  })
})

describe('workload identity that does not work', () => {
  it('without the right to a token: the line to add, before anything is contacted', async () => {
    const message = await refusal(() => native({}, google.envWithoutIdToken()))
    expect(message).toMatch(/^workload-identity-provider: GitHub gives this job no OIDC token\./)
    expect(message).toContain('permissions:\n    contents: read\n    id-token: write\n')
    expect(message).toContain('from a fork')
    expect(google.calls).toEqual([])
  })

  it('in a pull request: says that one from a fork gets none', async () => {
    const env = { ...google.envWithoutIdToken(), GITHUB_EVENT_NAME: 'pull_request' }
    expect(await refusal(() => native({}, env))).toContain(
      'This run is of a pull request: from a fork it never gets a token',
    )
  })

  it("with GitHub's refusal", async () => {
    const source = await native({ getIdToken: () => Promise.reject(new Error('Error Code : 403\nForbidden')) })
    expect(await refusal(() => source.token())).toContain('no OIDC token (Error Code : 403 Forbidden)')
  })

  it("with GitHub's outage: as it is told, without a word of permissions", async () => {
    const outage = new ConfigurationError("workload-identity-provider: GitHub's service for id tokens fails")
    const source = await native({ getIdToken: () => Promise.reject(outage) })
    expect(await refusal(() => source.token())).toBe(outage.message)
  })

  it('with a token that the impersonation does not take: no binding mends that', async () => {
    google.faults.iamcredentials = {
      status: 401,
      body: { error: { code: 401, status: 'UNAUTHENTICATED', message: 'invalid' } },
    }
    const message = await refusal(async () => (await impersonated()).token())
    expect(message).toMatch(/^service-account: Google does not take the token of .*\(401 UNAUTHENTICATED: invalid\)/)
    expect(message).not.toContain('add-iam-policy-binding')
  })

  it('with a provider that does not exist', async () => {
    const source = await native({ workloadIdentityProvider: google.provider.replace('octo-org', 'octo-old') })
    const message = await refusal(() => source.token())
    expect(message).toMatch(/^workload-identity-provider: .*\(400 invalid_target: The target service/)
    expect(message).toContain(
      'gcloud iam workload-identity-pools providers describe octo-old --location=global --workload-identity-pool=github',
    )
  })

  it('with a condition that keeps this repository out: what it could look at', async () => {
    google.world.condition = (claims) => claims['ref'] === 'refs/heads/release'
    const message = await refusal(async () => (await native()).token())
    expect(message).toContain('unauthorized_client')
    expect(message).toContain('sub=repo:octo-org/shop:environment:production, repository=octo-org/shop')
    expect(message).toContain('ref=refs/heads/main')
    expect(message).toContain('attributeCondition')
  })

  it('with an audience that the provider does not take', async () => {
    const source = await native({ audience: 'https://elsewhere.example' })
    expect(await refusal(() => source.token())).toMatch(
      /does not take tokens for the audience https:\/\/elsewhere\.example/,
    )
  })

  it('with the issuer of another GitHub', async () => {
    const foreign = (aud: string): Promise<string> =>
      Promise.resolve(google.signIdToken({ aud, iss: 'https://ghes.example/_services/token' }))
    const message = await refusal(async () => (await native({ getIdToken: foreign })).token())
    expect(message).toContain('its issuer URI must be https://ghes.example/_services/token')
  })

  it('with a subject that is too long', async () => {
    await begin({ jobClaims: { sub: `repo:octo-org/${'x'.repeat(120)}:ref:refs/heads/main` } })
    expect(await refusal(async () => (await native()).token())).toContain('map google.subject to a shorter claim')
  })

  it('with a stale token: the clock', async () => {
    const stale = (aud: string): Promise<string> => Promise.resolve(google.signIdToken({ aud, exp: 1_700_000_000 }))
    expect(await refusal(async () => (await native({ getIdToken: stale })).token())).toContain('clock')
  })

  it('with a principal that may not be the service account: the command that grants it', async () => {
    google.world.denied.add('iam.serviceAccounts.getAccessToken')
    const message = await refusal(async () => (await impersonated()).token())
    expect(message).toMatch(
      /^service-account: this run may not be capture@shop-prod\.iam\.gserviceaccount\.com \(403 PERMISSION_DENIED/,
    )
    expect(message).toContain(
      "gcloud iam service-accounts add-iam-policy-binding capture@shop-prod.iam.gserviceaccount.com --role=roles/iam.workloadIdentityUser --member='principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/github/subject/repo:octo-org/shop:environment:production'",
    )
    expect(message).toContain('some minutes')
  })

  it('with an API that is off', async () => {
    const message =
      'IAM Service Account Credentials API has not been used in project 123456789012 before or it is disabled.'
    google.faults.iamcredentials = { status: 403, body: { error: { code: 403, status: 'PERMISSION_DENIED', message } } }
    expect(await refusal(async () => (await impersonated()).token())).toContain(
      'gcloud services enable iamcredentials.googleapis.com',
    )
  })

  it.each(['sts', 'iamcredentials'] as const)('with %s that fails: after a few tries, not a storm', async (service) => {
    google.faults[service] = { status: 503 }
    const message = await refusal(async () => (await impersonated()).token())
    expect(message).toMatch(/^workload-identity-provider: 127\.0\.0\.1:\d+ is busy or failing.*503/)
    expect(google.calls.filter(({ status }) => status === 503)).toHaveLength(3)
  })

  it('with a service that cannot be reached', async () => {
    google.faults.sts = 'reset'
    expect(await refusal(async () => (await native()).token())).toMatch(/cannot be reached \(ECONNRESET.*HTTPS_PROXY/)
  })

  it('never shows a token', async () => {
    google.world.condition = () => false
    const message = await refusal(async () => (await native()).token())
    for (const secret of secrets) expect(message).not.toContain(secret)
  })

  it('with a service account alone', async () => {
    const only = { workloadIdentityProvider: undefined, serviceAccount: google.serviceAccount }
    expect(await refusal(() => native(only))).toMatch(/^service-account: goes together with workload-identity-provider/)
  })

  it('asks again for the next who comes', async () => {
    google.world.condition = () => false
    const source = await native()
    await refusal(() => source.token())
    google.world.condition = () => true
    expect((await source.token()).value).toMatch(/^ya29\.d\./)
  })
})

describe('credentials of a step before', () => {
  it.each(['GOOGLE_APPLICATION_CREDENTIALS', 'GOOGLE_GHA_CREDS_PATH', 'CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE'])(
    'of google-github-actions/auth, by %s: the principal itself',
    async (variable) => {
      const source = await left(google.credentials(), variable)
      expect(source.description).toBe(
        `the principal of GitHub's token by github/octo-org, the external account of ${variable}`,
      )
      for (let i = 0; i < 100; i++) await source.token()
      expect(google.identify((await source.token()).value)?.name).toMatch(/^principal:/)
      expect(operations()).toEqual(['github.idToken', 'sts.token'])
    },
  )

  it('of google-github-actions/auth with a service account, every token masked', async () => {
    const source = await left(google.credentials({ serviceAccount: google.serviceAccount }))
    expect(source.description).toContain(google.serviceAccount)
    const { value } = await source.token()
    expect(google.identify(value)?.name).toBe(google.serviceAccount)
    expect(secrets.filter((secret) => /^(eyJ|ya29\.[cd]\.)/.test(secret))).toHaveLength(3)
    expect(secrets).toContain(value)
  })

  it('give way to the input', async () => {
    const path = join(folder, 'creds.json')
    writeFileSync(path, '{}')
    const source = await native({}, { ...google.env(), GOOGLE_APPLICATION_CREDENTIALS: path })
    expect((await source.token()).value).toMatch(/^ya29\.d\./)
  })

  it("of a service account's key", async () => {
    const source = await left(google.serviceAccountKey())
    expect(source.projectId).toBe('shop-prod')
    await source.token()
    const { value, expires } = await source.token()
    expect(google.identify(value)?.name).toBe(google.serviceAccount)
    expect(expires).toBeGreaterThan(Date.now() + 3_500_000)
    expect(operations()).toEqual(['oauth.token'])
    expect(secrets).toContain(value)
  })

  it("of a user's login", async () => {
    const source = await left(google.userCredentials())
    const { value } = await source.token()
    expect(google.identify(value)?.name).toBe('dev@example.com')
    expect(operations()).toEqual(['oauth.token'])
  })

  it("name the project, else the environment's", async () => {
    const path = join(folder, 'key.json')
    writeFileSync(path, JSON.stringify({ ...google.credentials(), quota_project_id: 'from-file' }))
    const env = { GOOGLE_APPLICATION_CREDENTIALS: path }
    const options = { workloadIdentityProvider: undefined }
    expect((await native(options, env)).projectId).toBe('from-file')
    expect((await native(options, { ...env, CLOUDSDK_CORE_PROJECT: 'from-env' })).projectId).toBe('from-env')
  })

  it('bring their universe', async () => {
    expect((await left({ ...google.credentials(), universe_domain: 's3nsapis.fr' })).universe).toBe('s3nsapis.fr')
  })

  it.each([
    ['no JSON', 'hello s3cret', /holds no credentials/],
    [
      'another type',
      { type: 'gdch_service_account' },
      /credentials of the type "gdch_service_account", takes external_account, service_account/,
    ],
    ['half a key', { type: 'service_account', client_email: 'a@b.example' }, /\(service_account\) lacks private_key/],
    [
      'plain http',
      { type: 'external_account', audience: 'a', subject_token_type: 'b', token_url: 'http://sts.example/v1/token' },
      /its token_url takes plain http for a loopback address only/,
    ],
    [
      "plain http for the job's request token",
      {
        ...{
          type: 'external_account',
          audience: 'a',
          subject_token_type: 'b',
          token_url: 'https://sts.example/v1/token',
        },
        credential_source: { url: 'http://192.0.2.1/token', headers: { Authorization: 'Bearer s3cret' } },
      },
      /its credential_source\.url takes plain http for a loopback address only/,
    ],
  ])('are refused: %s', async (_what, credentials, words) => {
    const message = await refusal(() => left(credentials))
    expect(message).toMatch(/^GOOGLE_APPLICATION_CREDENTIALS: /)
    expect(message).toMatch(words)
    expect(message).not.toContain('s3cret')
  })

  it('are refused without a source of tokens', async () => {
    const source = await left({ ...google.credentials(), credential_source: {} })
    expect(await refusal(() => source.token())).toMatch(/^GOOGLE_APPLICATION_CREDENTIALS: no token for Google Cloud: /)
  })

  it('that are not there: both ways to have some', async () => {
    const message = await refusal(() => native({ workloadIdentityProvider: undefined }, {}))
    expect(message).toContain('Set workload-identity-provider, or run google-github-actions/auth')
  })

  it('whose file is gone: checkout clears the workspace', async () => {
    const env = { GOOGLE_GHA_CREDS_PATH: join(folder, 'gone.json') }
    const message = await refusal(() => native({ workloadIdentityProvider: undefined }, env))
    expect(message).toMatch(/^GOOGLE_GHA_CREDS_PATH: .*ENOENT.*after actions\/checkout/)
  })

  it('of another job', async () => {
    const credentials = google.credentials()
    Object.assign(credentials, {
      credential_source: { ...(credentials['credential_source'] as object), headers: { Authorization: 'Bearer old' } },
    })
    const message = await refusal(async () => (await left(credentials)).token())
    expect(message).toMatch(
      /GitHub gives no OIDC token for these credentials \(401: Unauthorized\).*run it in this job/,
    )
  })

  it('whose impersonation is refused', async () => {
    google.world.denied.add('iam.serviceAccounts.getAccessToken')
    const message = await refusal(async () =>
      (await left(google.credentials({ serviceAccount: google.serviceAccount }))).token(),
    )
    expect(message).toMatch(/^GOOGLE_APPLICATION_CREDENTIALS: this run may not be capture@/)
  })

  it('that were revoked', async () => {
    const source = await left({ ...google.userCredentials(), refresh_token: 'revoked' })
    expect(await refusal(() => source.token())).toMatch(
      /does not take the credentials \(400 invalid_grant: Token has been expired or revoked/,
    )
  })
})
