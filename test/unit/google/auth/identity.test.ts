import { jest } from '@jest/globals'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ConfigurationError } from '../../../../src/common/errors.ts'
import {
  googleTokenSource,
  type GoogleIdentityOptions,
  type GoogleTokenSource,
} from '../../../../src/google/auth/identity.ts'
import { startGoogle, type GoogleOptions, type GoogleServices } from '../../../sandbox/google/start.ts'
import { until } from '../../../support/until.ts'
import { refusal } from '../../../support/refusal.ts'
import { useFastClock } from '../../../support/fast-clock.ts'

useFastClock()

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

/** Requests a token from GitHub as the toolkit of the runner does. */
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
    { workloadIdentityProvider: google.provider, getIdToken, maskSecret: (value) => secrets.push(value), ...options },
    env,
  )

/** The source for a credentials file, as an earlier step creates it. */
function sourceFromFile(credentials: unknown, variable = 'GOOGLE_APPLICATION_CREDENTIALS'): Promise<GoogleTokenSource> {
  const path = join(folder, 'gha-creds-1.json')
  writeFileSync(path, typeof credentials === 'string' ? credentials : JSON.stringify(credentials))
  return native({ workloadIdentityProvider: undefined }, { ...google.envWithoutIdToken(), [variable]: path })
}

const impersonated = (): Promise<GoogleTokenSource> => native({ serviceAccount: google.serviceAccount })
const operations = (): string[] => google.calls.map(({ operation }) => operation)

describe('workload identity', () => {
  it('returns a token of the principal when no service account is set', async () => {
    const source = await native()
    expect(google.calls).toEqual([])
    expect(source.description).toBe("the principal of GitHub's token by github/octo-org")
    const token = await source.token()
    expect(google.identify(token.value)?.name).toBe(
      'principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/github/subject/repo:octo-org/shop:environment:production',
    )
    expect(Math.abs(token.expiresAtMs - Date.now() - 300_000)).toBeLessThan(5_000)
    expect(operations()).toEqual(['github.idToken', 'sts.token'])
  })

  it('returns a token of the service account that is valid for an hour', async () => {
    const source = await impersonated()
    expect(source.description).toBe(`${google.serviceAccount} by github/octo-org`)
    expect(source.projectId).toBe('shop-prod')
    const token = await source.token()
    expect(google.identify(token.value)?.name).toBe(google.serviceAccount)
    expect(Math.abs(token.expiresAtMs - Date.now() - 3_600_000)).toBeLessThan(5_000)
    expect(operations()).toEqual(['github.idToken', 'sts.token', 'iamcredentials.generateAccessToken'])
  })

  it('exchanges a 5-minute token once for 100 requests, and never requests the project', async () => {
    const source = await native()
    for (let i = 0; i < 100; i++) await source.token()
    expect(operations()).toEqual(['github.idToken', 'sts.token'])
    expect(source.projectId).toBeUndefined()
  })

  it('exchanges again when the token is rejected, unless it was issued a moment ago', async () => {
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

  it('returns the member of IAM bindings as soon as it is known', async () => {
    expect((await impersonated()).member()).toBe(`serviceAccount:${google.serviceAccount}`)
    const source = await native()
    expect(source.member()).toBeUndefined()
    await source.token()
    expect(source.member()).toBe(
      'principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/github/subject/repo:octo-org/shop:environment:production',
    )
  })

  it('exchanges once for 20 concurrent callers', async () => {
    const source = await impersonated()
    const tokens = await Promise.all(Array.from({ length: 20 }, () => source.token()))
    expect(new Set(tokens.map(({ value }) => value)).size).toBe(1)
    expect(google.count('sts.token')).toBe(1)
    expect(google.count('iamcredentials.generateAccessToken')).toBe(1)
  })

  it('exchanges again with a new GitHub token when the token expires', async () => {
    await begin({ lifetimes: { federated: 4 } })
    const source = await native()
    const first = await source.token()
    const token = await until('another token', async () => {
      const next = await source.token()
      return next.value === first.value ? undefined : next
    })
    expect(Date.now()).toBeLessThan(first.expiresAtMs) // before it expired
    expect(token.expiresAtMs).toBeGreaterThan(first.expiresAtMs)
    expect(google.count('github.idToken')).toBe(2)
    expect(google.count('sts.token')).toBe(2)
  })

  it.each([
    ['ahead', 2 * 3_600_000],
    ['behind', -2 * 3_600_000],
  ])('works when the clock of Google is 2 hours %s', async (_what, clockOffset) => {
    await begin({ clockOffset })
    const source = await impersonated()
    const token = await source.token()
    expect(Math.abs(token.expiresAtMs - Date.now() - 3_600_000)).toBeLessThan(10_000)
    await source.token()
    expect(google.count('sts.token')).toBe(1)
  })

  it('masks every token before use', async () => {
    let idToken = ''
    const source = await native({
      serviceAccount: google.serviceAccount,
      getIdToken: async (audience) => {
        idToken = await getIdToken(audience)
        return idToken
      },
    })
    const { value } = await source.token()
    expect(secrets).toEqual(expect.arrayContaining([idToken, value]))
    // the token between STS and the impersonation, which only the library uses
    const between = secrets.filter((secret) => secret.startsWith('ya29.d.'))
    expect(between).toHaveLength(1)
    expect(secrets.indexOf(idToken)).toBe(0)
  })

  it('requests the default audience of the provider, or the given audience', async () => {
    const asked: string[] = []
    const remember = (audience: string): Promise<string> => {
      asked.push(audience)
      return getIdToken(`https://iam.googleapis.com/${google.provider}`)
    }
    await (await native({ getIdToken: remember })).token()
    await (await native({ getIdToken: remember, audience: 'sts.example' })).token()
    expect(asked).toEqual([`https://iam.googleapis.com/${google.provider}`, 'sts.example'])
  })

  it('retries when a service fails once', async () => {
    google.faults.sts = { status: 503, times: 1 }
    await (await native()).token()
    expect(google.calls.map(({ status }) => status)).toEqual([200, 503, 200])
  })
})

describe('a failure of workload identity', () => {
  it('names the missing permission of the job before any request', async () => {
    const message = await refusal(() => native({}, google.envWithoutIdToken()))
    expect(message).toMatch(/^workload-identity-provider: GitHub issues no ID token to this job\./)
    expect(message).toContain('permissions:\n  contents: read\n  id-token: write')
    expect(message).toContain('from a fork')
    expect(google.calls).toEqual([])
  })

  it('explains in a pull request that a fork receives no token', async () => {
    const env = { ...google.envWithoutIdToken(), GITHUB_EVENT_NAME: 'pull_request' }
    expect(await refusal(() => native({}, env))).toContain(
      'This run is of a pull request: from a fork it never gets a token',
    )
  })

  it("quotes GitHub's error", async () => {
    const source = await native({ getIdToken: () => Promise.reject(new Error('Error Code : 403\nForbidden')) })
    expect(await refusal(() => source.token())).toContain('no ID token to this job (Error Code : 403 Forbidden)')
  })

  it('is reported without advice on permissions when GitHub is unavailable', async () => {
    const outage = new ConfigurationError({
      code: 'E_ID_TOKEN_UNAVAILABLE',
      input: 'workload-identity-provider',
      problem: "GitHub's service for ID tokens fails",
      fix: '',
    })
    const source = await native({ getIdToken: () => Promise.reject(outage) })
    expect(await refusal(() => source.token())).toBe(outage.message)
  })

  it('does not advise a binding when the impersonation rejects the token', async () => {
    google.faults.iamcredentials = {
      status: 401,
      body: { error: { code: 401, status: 'UNAUTHENTICATED', message: 'invalid' } },
    }
    const message = await refusal(async () => (await impersonated()).token())
    expect(message).toMatch(/^service-account: Google does not accept the token of .*\(401 UNAUTHENTICATED: invalid\)/)
    expect(message).not.toContain('add-iam-policy-binding')
  })

  it('names the command that describes a provider that does not exist', async () => {
    const source = await native({ workloadIdentityProvider: google.provider.replace('octo-org', 'octo-old') })
    const message = await refusal(() => source.token())
    expect(message).toMatch(/^workload-identity-provider: .*\(400 invalid_target: The target service/)
    expect(message).toContain(
      'gcloud iam workload-identity-pools providers describe octo-old --location=global --workload-identity-pool=github',
    )
  })

  it('lists the claims when the condition of the provider does not accept the run', async () => {
    google.world.condition = (claims) => claims['ref'] === 'refs/heads/release'
    const message = await refusal(async () => (await native()).token())
    expect(message).toContain('unauthorized_client')
    expect(message).toContain('sub=repo:octo-org/shop:environment:production, repository=octo-org/shop')
    expect(message).toContain('ref=refs/heads/main')
    expect(message).toContain('attributeCondition')
  })

  it('names an audience that the provider does not accept', async () => {
    const source = await native({ audience: 'https://elsewhere.example' })
    expect(await refusal(() => source.token())).toMatch(
      /does not accept tokens for the audience https:\/\/elsewhere\.example/,
    )
  })

  it('names the issuer of another GitHub instance', async () => {
    const otherIssuer = (aud: string): Promise<string> =>
      Promise.resolve(google.signIdToken({ aud, iss: 'https://ghes.example/_services/token' }))
    const message = await refusal(async () => (await native({ getIdToken: otherIssuer })).token())
    expect(message).toContain('Its issuer URI must be https://ghes.example/_services/token')
  })

  it('advises a shorter claim when the subject is too long', async () => {
    await begin({ jobClaims: { sub: `repo:octo-org/${'x'.repeat(120)}:ref:refs/heads/main` } })
    expect(await refusal(async () => (await native()).token())).toContain('Map google.subject to a shorter claim')
  })

  it('names the clock when the token is not valid at the current time', async () => {
    const stale = (aud: string): Promise<string> => Promise.resolve(google.signIdToken({ aud, exp: 1_700_000_000 }))
    expect(await refusal(async () => (await native({ getIdToken: stale })).token())).toContain('clock')
  })

  it('names the command that allows the impersonation', async () => {
    google.world.denied.add('iam.serviceAccounts.getAccessToken')
    const message = await refusal(async () => (await impersonated()).token())
    expect(message).toMatch(
      /^service-account: this run may not impersonate capture@shop-prod\.iam\.gserviceaccount\.com \(403 PERMISSION_DENIED/,
    )
    expect(message).toContain(
      "gcloud iam service-accounts add-iam-policy-binding capture@shop-prod.iam.gserviceaccount.com --role=roles/iam.workloadIdentityUser --member='principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/github/subject/repo:octo-org/shop:environment:production'",
    )
    expect(message).toContain('some minutes')
  })

  it('names the command that enables a disabled API', async () => {
    const message =
      'IAM Service Account Credentials API has not been used in project 123456789012 before or it is disabled.'
    google.faults.iamcredentials = { status: 403, body: { error: { code: 403, status: 'PERMISSION_DENIED', message } } }
    expect(await refusal(async () => (await impersonated()).token())).toContain(
      'gcloud services enable iamcredentials.googleapis.com',
    )
  })

  it.each(['sts', 'iamcredentials'] as const)('reports a failing %s after 3 attempts', async (service) => {
    google.faults[service] = { status: 503 }
    const message = await refusal(async () => (await impersonated()).token())
    expect(message).toMatch(/^workload-identity-provider: 127\.0\.0\.1:\d+ is overloaded or failing.*503/)
    expect(google.calls.filter(({ status }) => status === 503)).toHaveLength(3)
  })

  it('reports a service that cannot be reached', async () => {
    google.faults.sts = 'reset'
    expect(await refusal(async () => (await native()).token())).toMatch(/cannot be reached \(ECONNRESET.*HTTPS_PROXY/)
  })

  it('never shows a token', async () => {
    google.world.condition = () => false
    const message = await refusal(async () => (await native()).token())
    for (const secret of secrets) expect(message).not.toContain(secret)
  })

  it('rejects a service account without a provider', async () => {
    const only = { workloadIdentityProvider: undefined, serviceAccount: google.serviceAccount }
    expect(await refusal(() => native(only))).toMatch(
      /^service-account: it needs workload-identity-provider, which is not set/,
    )
  })

  it('exchanges again for the next caller after a failure', async () => {
    google.world.condition = () => false
    const source = await native()
    await refusal(() => source.token())
    google.world.condition = () => true
    expect((await source.token()).value).toMatch(/^ya29\.d\./)
  })
})

describe('credentials of an earlier step', () => {
  it.each(['GOOGLE_APPLICATION_CREDENTIALS', 'GOOGLE_GHA_CREDS_PATH', 'CLOUDSDK_AUTH_CREDENTIAL_FILE_OVERRIDE'])(
    'of google-github-actions/auth in the variable %s return a token of the principal',
    async (variable) => {
      const source = await sourceFromFile(google.credentials(), variable)
      expect(source.description).toBe(
        `the principal of GitHub's token by github/octo-org, the external account of ${variable}`,
      )
      for (let i = 0; i < 100; i++) await source.token()
      expect(google.identify((await source.token()).value)?.name).toMatch(/^principal:/)
      expect(operations()).toEqual(['github.idToken', 'sts.token'])
    },
  )

  it('of google-github-actions/auth with a service account return its token, and every token is masked', async () => {
    const source = await sourceFromFile(google.credentials({ serviceAccount: google.serviceAccount }))
    expect(source.description).toContain(google.serviceAccount)
    const { value } = await source.token()
    expect(google.identify(value)?.name).toBe(google.serviceAccount)
    expect(secrets.filter((secret) => /^(eyJ|ya29\.[cd]\.)/.test(secret))).toHaveLength(3)
    expect(secrets).toContain(value)
  })

  it('are not used when the input is set', async () => {
    const path = join(folder, 'creds.json')
    writeFileSync(path, '{}')
    const source = await native({}, { ...google.env(), GOOGLE_APPLICATION_CREDENTIALS: path })
    expect((await source.token()).value).toMatch(/^ya29\.d\./)
  })

  it('can be a service account key', async () => {
    const source = await sourceFromFile(google.serviceAccountKey())
    expect(source.projectId).toBe('shop-prod')
    await source.token()
    const { value, expiresAtMs } = await source.token()
    expect(google.identify(value)?.name).toBe(google.serviceAccount)
    expect(expiresAtMs).toBeGreaterThan(Date.now() + 3_500_000)
    expect(operations()).toEqual(['oauth.token'])
    expect(secrets).toContain(value)
  })

  it('can be user credentials', async () => {
    const source = await sourceFromFile(google.userCredentials())
    const { value } = await source.token()
    expect(google.identify(value)?.name).toBe('dev@example.com')
    expect(operations()).toEqual(['oauth.token'])
  })

  it('set the project when the environment does not', async () => {
    const path = join(folder, 'key.json')
    writeFileSync(path, JSON.stringify({ ...google.credentials(), quota_project_id: 'from-file' }))
    const env = { GOOGLE_APPLICATION_CREDENTIALS: path }
    const options = { workloadIdentityProvider: undefined }
    expect((await native(options, env)).projectId).toBe('from-file')
    expect((await native(options, { ...env, CLOUDSDK_CORE_PROJECT: 'from-env' })).projectId).toBe('from-env')
  })

  it('set the universe', async () => {
    expect((await sourceFromFile({ ...google.credentials(), universe_domain: 's3nsapis.fr' })).universe).toBe(
      's3nsapis.fr',
    )
  })

  it.each([
    ['no JSON', 'hello s3cret', /has no credentials/],
    [
      'another type',
      { type: 'gdch_service_account' },
      /credentials of the type "gdch_service_account"\. Supported types are external_account, service_account/,
    ],
    ['half a key', { type: 'service_account', client_email: 'a@b.example' }, /\(service_account\) lacks private_key/],
    [
      'plain http',
      { type: 'external_account', audience: 'a', subject_token_type: 'b', token_url: 'http://sts.example/v1/token' },
      /its token_url is plain http, which is allowed for a loopback address only/,
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
      /its credential_source\.url is plain http, which is allowed for a loopback address only/,
    ],
  ])('are rejected: %s', async (_what, credentials, expected) => {
    const message = await refusal(() => sourceFromFile(credentials))
    expect(message).toMatch(/^GOOGLE_APPLICATION_CREDENTIALS: /)
    expect(message).toMatch(expected)
    expect(message).not.toContain('s3cret')
  })

  it('are rejected without a source of tokens', async () => {
    const source = await sourceFromFile({ ...google.credentials(), credential_source: {} })
    expect(await refusal(() => source.token())).toMatch(
      /^GOOGLE_APPLICATION_CREDENTIALS: no access token for Google Cloud: /,
    )
  })

  it('are reported with both alternatives when they do not exist', async () => {
    const message = await refusal(() => native({ workloadIdentityProvider: undefined }, {}))
    expect(message).toContain('Set workload-identity-provider, or run google-github-actions/auth')
  })

  it('are reported with the order of the steps when their file does not exist', async () => {
    const env = { GOOGLE_GHA_CREDS_PATH: join(folder, 'gone.json') }
    const message = await refusal(() => native({ workloadIdentityProvider: undefined }, env))
    expect(message).toMatch(/^GOOGLE_GHA_CREDS_PATH: .*ENOENT.*after actions\/checkout/)
  })

  it('are rejected when they belong to another job', async () => {
    const credentials = google.credentials()
    Object.assign(credentials, {
      credential_source: { ...(credentials['credential_source'] as object), headers: { Authorization: 'Bearer old' } },
    })
    const message = await refusal(async () => (await sourceFromFile(credentials)).token())
    expect(message).toMatch(/GitHub issues no ID token for these credentials \(401: Unauthorized\).*Run it in this job/)
  })

  it('are reported with their variable when the impersonation is denied', async () => {
    google.world.denied.add('iam.serviceAccounts.getAccessToken')
    const message = await refusal(async () =>
      (await sourceFromFile(google.credentials({ serviceAccount: google.serviceAccount }))).token(),
    )
    expect(message).toMatch(/^GOOGLE_APPLICATION_CREDENTIALS: this run may not impersonate capture@/)
  })

  it('are rejected when they were revoked', async () => {
    const source = await sourceFromFile({ ...google.userCredentials(), refresh_token: 'revoked' })
    expect(await refusal(() => source.token())).toMatch(
      /does not accept the credentials \(400 invalid_grant: Token has been expired or revoked/,
    )
  })
})
