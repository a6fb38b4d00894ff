// Tests the fakes of Google's services with google-auth-library, and with the real gcloud and gke-gcloud-auth-plugin if they are in PATH.

import { spawn } from 'node:child_process'
import { createPublicKey, verify, type JsonWebKey } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { get } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { IdentityPoolClient, type IdentityPoolClientOptions } from 'google-auth-library'
import { findCluster, type GkeCluster } from '../../../src/google/gke/cluster.ts'
import type { EndpointChoice } from '../../../src/google/gke/endpoint.ts'
import { googleEndpoints } from '../../../src/google/endpoints.ts'
import { startGoogle, type GoogleServices } from '../../sandbox/google/start.ts'
import { gcloudLack } from '../../support/gcloud.ts'
import { describeWith } from '../../support/needs.ts'

const pem = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
const address = '203.0.113.7'

let folder: string
let google: GoogleServices
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'google-'))
  google = await startGoogle()
})
afterEach(async () => {
  await google.stop()
  rmSync(folder, { recursive: true })
})

interface Outcome {
  code: number | null
  stdout: string
  stderr: string
}

async function run(
  command: string,
  args: readonly string[],
  env: Record<string, string>,
  cwd?: string,
): Promise<Outcome> {
  const child = spawn(command, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'] })
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()))
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()))
  const timer = setTimeout(() => child.kill('SIGKILL'), 60_000)
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  clearTimeout(timer)
  return { code, stdout, stderr }
}

const issued = (seconds = 300): string => google.world.tokens.issue(google.serviceAccount, 'ya29.c.', seconds)
const override = (service: string): string =>
  google.envWithoutIdToken()[`CLOUDSDK_API_ENDPOINT_OVERRIDES_${service.toUpperCase()}`] ?? ''
const clusterUrl = (): string => `${override('container')}v1/projects/shop-prod/locations/europe-west1/clusters/shop`

async function ask(url: string, init?: RequestInit): Promise<{ status: number; body: Record<string, unknown> }> {
  const response = await fetch(url, init)
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

describe("GitHub's issuer", () => {
  it('issues a token to a job with the permission id-token: write', async () => {
    const { ACTIONS_ID_TOKEN_REQUEST_URL: url = '', ACTIONS_ID_TOKEN_REQUEST_TOKEN: token = '' } = google.env()
    const { body } = await ask(`${url}&audience=me`, { headers: { authorization: `bearer ${token}` } })
    const claims = JSON.parse(Buffer.from(String(body['value']).split('.')[1] ?? '', 'base64url').toString()) as object
    expect(claims).toMatchObject({ iss: google.issuer, aud: 'me', sub: 'repo:octo-org/shop:environment:production' })
    expect((await ask(`${url}&audience=me`)).status).toBe(401)
    expect((await ask(`${url}&audience=me`, { headers: { authorization: 'bearer other' } })).status).toBe(401)
  })

  it('supports OIDC discovery over https, and its key set verifies the token', async () => {
    const read = (url: string): Promise<Record<string, unknown>> =>
      new Promise((resolve, reject) => {
        get(url, { ca: google.issuerCertificate, agent: false }, (response) => {
          let text = ''
          response.on('data', (chunk: Buffer) => (text += chunk.toString()))
          response.on('end', () => resolve(JSON.parse(text) as Record<string, unknown>))
        }).on('error', reject)
      })
    const discovery = await read(`${google.issuer}/.well-known/openid-configuration`)
    expect(discovery['issuer']).toBe(google.issuer)
    const { keys } = (await read(String(discovery['jwks_uri']))) as { keys: (JsonWebKey & { kid: string })[] }
    expect({ keys }).toEqual(google.jwks)
    const [head = '', body = '', signature = ''] = google.signIdToken({ sub: 'x' }).split('.')
    const { kid } = JSON.parse(Buffer.from(head, 'base64url').toString()) as { kid: string }
    const key = keys.find((one) => one.kid === kid)
    if (key === undefined) throw new Error('the key set lacks the key')
    const check = (text: string): boolean =>
      verify('sha256', Buffer.from(text), createPublicKey({ key, format: 'jwk' }), Buffer.from(signature, 'base64url'))
    expect(check(`${head}.${body}`)).toBe(true)
    expect(check(`${head}.${body}x`)).toBe(false)
  })
})

describe('the services', () => {
  const exchange = (fields: Record<string, string>): Promise<{ status: number; body: Record<string, unknown> }> =>
    ask(`${override('sts')}v1/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      // in camel case, as google-github-actions/auth sends it
      body: JSON.stringify({
        audience: `//iam.googleapis.com/${google.provider}`,
        grantType: 'urn:ietf:params:oauth:grant-type:token-exchange',
        requestedTokenType: 'urn:ietf:params:oauth:token-type:access_token',
        scope: 'https://www.googleapis.com/auth/cloud-platform',
        subjectTokenType: 'urn:ietf:params:oauth:token-type:jwt',
        subjectToken: google.signIdToken({ aud: `https://iam.googleapis.com/${google.provider}` }),
        ...fields,
      }),
    })

  it('STS issues tokens that are valid for 5 minutes', async () => {
    const { status, body } = await exchange({})
    expect({ status, expires: body['expires_in'] }).toEqual({ status: 200, expires: 300 })
    expect(google.identify(String(body['access_token']))?.name).toMatch(/^principal:\/\//)
  })

  it('STS verifies the signature', async () => {
    const [head = '', body = '', signature = ''] = google.signIdToken().split('.')
    const forged = Buffer.from(body, 'base64url').toString().replace('octo-org/shop', 'octo-org/tool')
    const subjectToken = `${head}.${Buffer.from(forged).toString('base64url')}.${signature}`
    expect((await exchange({ subjectToken })).body).toMatchObject({ error: 'invalid_grant' })
    expect((await exchange({ subjectToken: 'hello' })).body).toMatchObject({ error: 'invalid_grant' })
  })

  it.each([
    ['scope', '', 'invalid_scope'],
    ['audience', '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p', 'invalid_request'],
    [
      'audience',
      '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/x',
      'invalid_target',
    ],
    ['grantType', 'password', 'unsupported_grant_type'],
  ])('STS rejects the %s %j', async (field, value, error) => {
    expect(await exchange({ [field]: value })).toMatchObject({ status: 400, body: { error } })
  })

  it('accept a token until it expires', async () => {
    google.addCluster({ address, certificateAuthority: pem })
    const authorization = (token: string): RequestInit => ({ headers: { authorization: `Bearer ${token}` } })
    expect((await ask(clusterUrl(), authorization(issued()))).status).toBe(200)
    expect((await ask(clusterUrl(), authorization(issued(0)))).status).toBe(401)
    expect((await ask(clusterUrl())).status).toBe(401)
  })

  it('impersonate for at most one hour, and return the expiry without fractional seconds', async () => {
    const impersonate = (lifetime: string): Promise<{ status: number; body: Record<string, unknown> }> =>
      ask(`${override('iamcredentials')}v1/projects/-/serviceAccounts/${google.serviceAccount}:generateAccessToken`, {
        method: 'POST',
        headers: { authorization: `Bearer ${issued()}` },
        body: JSON.stringify({ scope: ['x'], lifetime }),
      })
    expect((await impersonate('3600s')).body['expireTime']).toMatch(/:\d\dZ$/)
    expect((await impersonate('3601s')).status).toBe(400)
  })

  it('tell an API server the user of a token', async () => {
    const review = async (token: string): Promise<unknown> => {
      const body = JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', spec: { token } })
      return (await ask(google.tokenReviewUrl, { method: 'POST', body })).body['status']
    }
    expect(await review(issued())).toMatchObject({ authenticated: true, user: { username: google.serviceAccount } })
    expect(await review(issued(0))).toMatchObject({ authenticated: false })
  })

  it.each([undefined, 'capture@shop-prod.iam.gserviceaccount.com'])(
    'accept google-auth-library with the file of google-github-actions/auth, service account %s',
    async (serviceAccount) => {
      google.addCluster({ address, certificateAuthority: pem })
      const credentials = google.credentials(serviceAccount === undefined ? {} : { serviceAccount })
      const client = new IdentityPoolClient(credentials as unknown as IdentityPoolClientOptions)
      const { data } = await client.request<{ name: string }>({ url: clusterUrl() })
      expect(data.name).toBe('shop')
    },
  )
})

it('a token source loads the library at the first token, and does not keep the process alive', async () => {
  const script = `
    import { createRequire } from 'node:module'
    const [{ googleTokenSource }, { findCluster }] = await Promise.all([import('./auth/identity.ts'), import('./gke/cluster.ts')])
    const loaded = () => Object.keys(createRequire(import.meta.url).cache).some((path) => path.includes('google-auth-library'))
    const env = process.env
    const source = await googleTokenSource(
      { workloadIdentityProvider: env.PROVIDER, maskSecret: () => {}, getIdToken: () => Promise.resolve(env.ID_TOKEN) },
      env,
    )
    const before = loaded()
    await source.token()
    const { name } = await findCluster({ cluster: env.CLUSTER }, 'auto', source, env)
    console.log(JSON.stringify({ before, after: loaded(), name, end: Date.now() }))
  `
  google.addCluster({ address, certificateAuthority: pem })
  const room = join(import.meta.dirname, '../../../src/google')
  const outcome = await run(
    process.execPath,
    ['--input-type=module', '-e', script],
    {
      ...google.env(),
      PROVIDER: google.provider,
      ID_TOKEN: google.signIdToken({ aud: `https://iam.googleapis.com/${google.provider}` }),
      CLUSTER: 'projects/shop-prod/locations/europe-west1/clusters/shop',
    },
    room,
  )
  expect(outcome).toMatchObject({ code: 0 })
  const { end, ...rest } = JSON.parse(outcome.stdout) as { end: number }
  expect(rest).toEqual({ before: false, after: true, name: 'shop' })
  expect(Date.now() - end).toBeLessThan(5_000)
}, 30_000)

describeWith(gcloudLack, 'the real gcloud', () => {
  const env = (): Record<string, string> => ({
    PATH: process.env['PATH'] ?? '',
    HOME: folder,
    KUBECONFIG: join(folder, 'kubeconfig'),
    CLOUDSDK_CONFIG: join(folder, 'gcloud'),
    CLOUDSDK_CORE_PROJECT: 'shop-prod',
    CLOUDSDK_CORE_DISABLE_PROMPTS: '1',
    CLOUDSDK_CORE_DISABLE_USAGE_REPORTING: '1',
    CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK: '1',
    CLOUDSDK_CORE_CHECK_GCE_METADATA: 'false',
    ...google.envWithoutIdToken(),
  })
  const gcloud = (...args: string[]): Promise<Outcome> => run('gcloud', args, env())
  /** with a token in place of a login */
  const entered = (): Record<string, string> => ({ ...env(), CLOUDSDK_AUTH_ACCESS_TOKEN: issued() })
  const enter = (...args: string[]): Promise<Outcome> => run('gcloud', args, entered())
  const place = ['--location=europe-west1']

  async function login(serviceAccount?: string): Promise<Outcome> {
    const path = join(folder, 'credentials.json')
    writeFileSync(path, JSON.stringify(google.credentials(serviceAccount === undefined ? {} : { serviceAccount })))
    return gcloud('auth', 'login', `--cred-file=${path}`)
  }

  it.each([
    ['as a service account', 'capture@shop-prod.iam.gserviceaccount.com', 'capture@shop-prod.iam.gserviceaccount.com'],
    [
      'as the principal itself',
      undefined,
      'principal://iam.googleapis.com/projects/123456789012/locations/global/workloadIdentityPools/github/subject/repo:octo-org/shop:environment:production',
    ],
  ])(
    'logs in %s, reads clusters, writes a kubeconfig, and gke-gcloud-auth-plugin returns its token',
    async (_what, serviceAccount, who) => {
      google.addCluster({ address, certificateAuthority: pem })
      const { code, stderr } = await login(serviceAccount)
      expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringContaining(who) as string })

      const described = await gcloud('container', 'clusters', 'describe', 'shop', ...place, '--format=json')
      expect(described).toMatchObject({ code: 0 })
      expect(JSON.parse(described.stdout)).toMatchObject({ name: 'shop', endpoint: address })
      const listed = await gcloud('container', 'clusters', 'list', '--format=value(name,location)')
      expect(listed).toMatchObject({ code: 0, stdout: 'shop\teurope-west1\n' })
      const project = await gcloud('projects', 'describe', 'shop-prod', '--format=value(projectNumber)')
      expect(project).toMatchObject({ code: 0, stdout: '123456789012\n' })

      expect(await gcloud('container', 'clusters', 'get-credentials', 'shop', ...place)).toMatchObject({ code: 0 })
      const kubeconfig = readFileSync(join(folder, 'kubeconfig'), 'utf8')
      expect(kubeconfig).toContain(`server: https://${address}`)
      expect(kubeconfig).toContain('command: gke-gcloud-auth-plugin')

      const info = {
        apiVersion: 'client.authentication.k8s.io/v1beta1',
        kind: 'ExecCredential',
        spec: { interactive: false },
      }
      const plugin = await run('gke-gcloud-auth-plugin', [], { ...env(), KUBERNETES_EXEC_INFO: JSON.stringify(info) })
      expect(plugin).toMatchObject({ code: 0 })
      const { status } = JSON.parse(plugin.stdout) as { status: { token: string } }
      expect(google.identify(status.token)?.name).toBe(who)
    },
    60_000,
  )

  it('chooses the same server and certificate authority as this action', async () => {
    const cluster = google.addCluster({ address, certificateAuthority: pem })
    cluster['controlPlaneEndpointsConfig'] = {
      dnsEndpointConfig: { endpoint: 'gke-1.europe-west1.gke.goog', allowExternalTraffic: true },
      ipEndpointsConfig: {
        enabled: true,
        enablePublicEndpoint: true,
        publicEndpoint: address,
        privateEndpoint: '10.0.0.2',
      },
    }
    cluster['privateClusterConfig'] = { privateEndpoint: '10.0.0.2', publicEndpoint: address }
    const choices: [EndpointChoice, string[]][] = [
      ['ip', []],
      ['dns', ['--dns-endpoint']],
      ['private', ['--internal-ip']],
    ]
    for (const [choice, flags] of choices) {
      rmSync(join(folder, 'kubeconfig'), { force: true })
      expect(await enter('container', 'clusters', 'get-credentials', 'shop', ...place, ...flags)).toMatchObject({
        code: 0,
      })
      const kubeconfig = readFileSync(join(folder, 'kubeconfig'), 'utf8')
      const ours = await find(choice)
      expect(/server: (.*)/.exec(kubeconfig)?.[1]).toBe(ours.server)
      const authority = /certificate-authority-data: (.*)/.exec(kubeconfig)?.[1]
      expect(authority && Buffer.from(authority, 'base64').toString()).toBe(ours.certificateAuthority)
    }
  }, 60_000)

  it('rejects the DNS endpoint in the same cases as this action', async () => {
    google.addCluster({ address, certificateAuthority: pem })
    const { code, stderr } = await enter('container', 'clusters', 'get-credentials', 'shop', ...place, '--dns-endpoint')
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('allowExternalTraffic') as string,
    })
    await expect(find('dns')).rejects.toThrow('allows no external traffic at its DNS endpoint')
  }, 30_000)

  it("lists the fleet's memberships from several pages", async () => {
    for (const name of ['a', 'b', 'c']) {
      google.world.memberships.push({
        name: `projects/shop-prod/locations/global/memberships/${name}`,
        endpoint: {
          gkeCluster: { resourceLink: `//container.googleapis.com/projects/shop-prod/locations/l/clusters/${name}` },
        },
      })
    }
    const listed = await enter('container', 'fleet', 'memberships', 'list', '--format=value(name.basename())')
    expect(listed).toMatchObject({ code: 0, stdout: 'a\nb\nc\n' })
  }, 30_000)

  it('reports the errors of the service', async () => {
    google.addCluster({ address, certificateAuthority: pem })
    google.world.denied.add('container.clusters.get')
    const refused = await enter('container', 'clusters', 'describe', 'shop', ...place)
    expect(refused.stderr).toContain('code=403, message=Required "container.clusters.get" permission(s)')
    google.world.denied.clear()
    const unknown = await enter('container', 'clusters', 'describe', 'shpo', ...place)
    expect(unknown.stderr).toContain('code=404, message=Not found: projects/shop-prod/')
  }, 30_000)

  it.each([
    ['with a slash at the end', (url: string) => url, true],
    ['without one', (url: string) => url.replace(/\/$/, ''), false],
    ['without a scheme', (url: string) => url.replace('http://', ''), false],
  ])(
    'accepts or rejects an endpoint %s as this action does',
    async (_what, change, taken) => {
      google.addCluster({ address, certificateAuthority: pem })
      const CLOUDSDK_API_ENDPOINT_OVERRIDES_CONTAINER = change(override('container'))
      const args = ['container', 'clusters', 'list', '--format=value(name)']
      const { code } = await run('gcloud', args, { ...entered(), CLOUDSDK_API_ENDPOINT_OVERRIDES_CONTAINER })
      expect(code === 0).toBe(taken)
      const read = (): unknown => googleEndpoints({ CLOUDSDK_API_ENDPOINT_OVERRIDES_CONTAINER })
      if (taken) expect(read).not.toThrow()
      else expect(read).toThrow('with a slash at the end')
    },
    30_000,
  )
})

function find(choice: EndpointChoice): Promise<GkeCluster> {
  const token = (): Promise<{ value: string; expiresAtMs: number }> =>
    Promise.resolve({ value: issued(), expiresAtMs: Date.now() + 300_000 })
  const reference = { cluster: 'projects/shop-prod/locations/europe-west1/clusters/shop' }
  return findCluster(
    reference,
    choice,
    { token, universe: 'googleapis.com', projectId: undefined },
    google.envWithoutIdToken(),
  )
}
