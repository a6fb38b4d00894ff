import { generateKeyPairSync, randomBytes, type KeyPairKeyObjectResult } from 'node:crypto'
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Server, Socket } from 'node:net'
import { answerCompute, describeInstance, type Instance, type InstanceOptions } from './compute.ts'
import { answerContainer, describeCluster, type ClusterAddress } from './container.ts'
import { answerTokenReview } from './control-plane.ts'
import { answerGkeHub, answerResourceManager } from './fleet.ts'
import { answerIssuer, exampleJob, signIdToken } from './github.ts'
import { answerIamCredentials } from './iam-credentials.ts'
import { sharedSigningKey, type Claims } from './jwt.ts'
import { answerOauth } from './oauth.ts'
import { answerOsLogin } from './os-login.ts'
import { answerTestPermissions } from './permissions.ts'
import { answerSts } from './sts.ts'
import {
  createTokenStore,
  type GoogleRequest,
  type Handler,
  type Principal,
  type Resource,
  type World,
} from './world.ts'
import { readText } from '../../support/read-text.ts'
import { loopbackCertificate } from '../../support/certificates.ts'

export type Service =
  | 'github'
  | 'sts'
  | 'iamcredentials'
  | 'container'
  | 'compute'
  | 'oslogin'
  | 'iam'
  | 'iap'
  | 'cloudresourcemanager'
  | 'gkehub'
  | 'oauth'
  | 'control-plane'

/** A fault of a service, until it is removed or was used `times` times. `hang` never answers, `reset` cuts the connection. */
export type Fault = { readonly status: number; readonly body?: unknown; times?: number } | 'hang' | 'reset'

export interface RecordedCall {
  /** `github.idToken`, `sts.token`, `iamcredentials.generateAccessToken`, `container.clusters.get`, … */
  readonly operation: string
  readonly method: string
  readonly path: string
  /** 0: no answer because of a fault */
  readonly status: number
}

export interface GoogleOptions {
  readonly project?: { readonly id: string; readonly number: string }
  readonly pool?: string
  readonly provider?: string
  /** attribute condition of the provider; the default accepts the repository owner `octo-org` */
  readonly condition?: (claims: Claims) => boolean
  /** in place of `exampleJob`'s */
  readonly jobClaims?: Claims
  readonly serviceAccounts?: readonly string[]
  /** seconds: federated 300 as Google's, ID tokens 300, impersonated as requested */
  readonly lifetimes?: { readonly federated?: number; readonly idToken?: number; readonly impersonated?: number }
  readonly clusters?: readonly ClusterAddress[]
  readonly memberships?: readonly Resource[]
  /** ms that Google's clock is ahead of this machine's */
  readonly clockOffset?: number
}

export interface GoogleServices {
  /** what a job with `id-token: write` has, and gcloud's variables for every service */
  env(): Record<string, string>
  /** the same without permission for an ID token */
  envWithoutIdToken(): Record<string, string>
  readonly calls: RecordedCall[]
  /** number of requests for an operation */
  count(operation: string): number
  readonly faults: Partial<Record<Service, Fault>>
  /** Tests change its state: clusters, denied permissions, the condition. */
  readonly world: World
  /** https, with `issuerCertificate`: an API server can discover it */
  readonly issuer: string
  /** PEM */
  readonly issuerCertificate: string
  readonly jwks: { readonly keys: readonly Record<string, unknown>[] }
  signIdToken(claims?: Claims): string
  /** the full name of the provider */
  readonly provider: string
  readonly serviceAccount: string
  /** what google-github-actions/auth writes; without an account the principal itself */
  credentials(options?: { readonly serviceAccount?: string }): Record<string, unknown>
  /** a service account's key, and a user's login */
  serviceAccountKey(): Record<string, unknown>
  userCredentials(): Record<string, unknown>
  /** the principal of a valid token */
  identify(token: string): Principal | undefined
  addCluster(cluster: ClusterAddress): Resource
  addInstance(options?: InstanceOptions): Instance
  /** TokenReview, for an API server's webhook */
  readonly tokenReviewUrl: string
  stop(): Promise<void>
}

/** The keys of the service account, created once, when a test needs them. */
let accountKeys: KeyPairKeyObjectResult | undefined

/** GitHub's issuer and the services of Google that lead to a GKE cluster, on loopback. */
export async function startGoogle(options: GoogleOptions = {}): Promise<GoogleServices> {
  const project = { id: 'shop-prod', number: '123456789012', ...options.project }
  const serviceAccounts = [...(options.serviceAccounts ?? [`capture@${project.id}.iam.gserviceaccount.com`])]
  const certificate = await loopbackCertificate('issuer', ['address'])
  const calls: RecordedCall[] = []
  const faults: Partial<Record<Service, Fault>> = {}
  const keys = new Map<string, string>()
  const users = new Map<string, string>()
  const services: Record<Service, Handler> = {
    github: answerIssuer,
    sts: answerSts,
    iamcredentials: answerIamCredentials,
    container: answerContainer,
    compute: answerCompute,
    oslogin: answerOsLogin,
    iam: answerTestPermissions,
    iap: answerTestPermissions,
    cloudresourcemanager: (request, known) =>
      answerResourceManager(request, known) ?? answerTestPermissions(request, known),
    gkehub: answerGkeHub,
    oauth: (request, known) => answerOauth(request, known, keys, users),
    'control-plane': answerTokenReview,
  }

  const answer = (
    service: Service,
    request: GoogleRequest,
    message: IncomingMessage,
    response: ServerResponse,
  ): void => {
    const record = (operation: string, status: number): void => {
      calls.push({ operation, method: request.method, path: request.path, status })
    }
    const send = (status: number, body: unknown): void => {
      const date = new Date(Date.now() + world.clockOffset).toUTCString()
      response.writeHead(status, { 'content-type': 'application/json', date }).end(JSON.stringify(body))
    }
    const real = services[service](request, world)
    const operation = real?.operation ?? `${service}.unknown`
    const fault = faults[service]
    if (fault === 'hang' || fault === 'reset') {
      record(operation, 0)
      if (fault === 'reset') message.socket.resetAndDestroy()
    } else if (fault) {
      if (fault.times !== undefined && --fault.times <= 0) delete faults[service]
      record(operation, fault.status)
      send(fault.status, fault.body ?? { error: { code: fault.status, message: 'injected', status: 'UNAVAILABLE' } })
    } else {
      record(operation, real?.status ?? 404)
      send(real?.status ?? 404, real?.body ?? { error: { code: 404, message: 'no such method', status: 'NOT_FOUND' } })
    }
  }
  const listener: RequestListener = (message, response) => {
    void readText(message).then(
      (body) => {
        const target = new URL(message.url ?? '/', 'http://loopback')
        const [, name = '', rest = ''] = /^\/([^/]+)(\/.*)$/.exec(target.pathname) ?? []
        // The issuer's listener has its paths at the root.
        const service = name in services ? (name as Service) : 'github'
        const path = name in services ? rest : target.pathname
        answer(
          service,
          { method: message.method ?? 'GET', path, query: target.searchParams, headers: message.headers, body },
          message,
          response,
        )
      },
      () => response.destroy(), // the caller has disconnected
    )
  }
  const plain = createServer(listener)
  const secure = createTlsServer({ key: certificate.private, cert: certificate.cert }, listener)
  const sockets = new Set<Socket>()
  for (const server of [plain, secure]) {
    server.on('connection', (socket: Socket) => {
      sockets.add(socket)
      socket.on('close', () => sockets.delete(socket))
    })
  }
  const url = `http://127.0.0.1:${String(await listen(plain))}`
  const issuer = `https://127.0.0.1:${String(await listen(secure))}`

  const world: World = {
    project,
    provider: `projects/${project.number}/locations/global/workloadIdentityPools/${options.pool ?? 'github'}/providers/${options.provider ?? 'octo-org'}`,
    condition: options.condition ?? ((claims) => claims['repository_owner'] === 'octo-org'),
    issuer: { url: issuer, key: sharedSigningKey() },
    requestToken: randomBytes(40).toString('base64url'),
    jobClaims: { ...exampleJob, ...options.jobClaims },
    serviceAccounts,
    lifetimes: { federated: 300, idToken: 300, impersonated: undefined, ...options.lifetimes },
    denied: new Set(),
    clusters: (options.clusters ?? []).map((cluster) => describeCluster(project, cluster)),
    memberships: [...(options.memberships ?? [])],
    compute: {
      instances: [],
      projectMetadata: [],
      operations: new Map(),
      pendingPolls: 1,
      operationErrors: [],
      races: 0,
    },
    osLogin: { profiles: new Map(), username: undefined, keepsKeys: true, conflicts: 0 },
    tokens: createTokenStore(),
    clockOffset: options.clockOffset ?? 0,
  }

  const overrides = [
    'container',
    'compute',
    'oslogin',
    'iam',
    'iap',
    'iamcredentials',
    'cloudresourcemanager',
    'gkehub',
    'connectgateway',
    'sts',
  ]
  const envWithoutIdToken = (): Record<string, string> =>
    Object.fromEntries(
      overrides.map((name) => [
        `CLOUDSDK_API_ENDPOINT_OVERRIDES_${name.toUpperCase()}`,
        `${url}/${name}/${name === 'compute' ? 'v1/' : ''}`, // the version is a part of this base
      ]),
    )
  const account = serviceAccounts[0] ?? ''
  return {
    env: () => ({
      ...envWithoutIdToken(),
      ACTIONS_ID_TOKEN_REQUEST_URL: `${url}/github/token?api-version=2.0`,
      ACTIONS_ID_TOKEN_REQUEST_TOKEN: world.requestToken,
    }),
    envWithoutIdToken,
    calls,
    count: (operation) => calls.filter((call) => call.operation === operation).length,
    faults,
    world,
    issuer,
    issuerCertificate: certificate.cert,
    jwks: world.issuer.key.jwks,
    signIdToken: (claims) => signIdToken(world, claims),
    provider: world.provider,
    serviceAccount: account,
    credentials: ({ serviceAccount } = {}) => ({
      type: 'external_account',
      audience: `//iam.googleapis.com/${world.provider}`,
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: `${url}/sts/v1/token`,
      token_info_url: `${url}/sts/v1/introspect`,
      credential_source: {
        url: `${url}/github/token?api-version=2.0&audience=${encodeURIComponent(`https://iam.googleapis.com/${world.provider}`)}`,
        headers: { Authorization: `Bearer ${world.requestToken}` },
        format: { type: 'json', subject_token_field_name: 'value' },
      },
      ...(serviceAccount === undefined
        ? {}
        : {
            service_account_impersonation_url: `${url}/iamcredentials/v1/projects/-/serviceAccounts/${serviceAccount}:generateAccessToken`,
          }),
    }),
    serviceAccountKey: () => {
      const { privateKey, publicKey } = (accountKeys ??= generateKeyPairSync('rsa', { modulusLength: 2048 }))
      keys.set(account, publicKey.export({ type: 'spki', format: 'pem' }).toString())
      return {
        type: 'service_account',
        project_id: project.id,
        private_key_id: '1',
        private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
        client_email: account,
        token_uri: `${url}/oauth/token`,
      }
    },
    userCredentials: () => {
      const refresh = randomBytes(20).toString('base64url')
      users.set(refresh, 'dev@example.com')
      return {
        type: 'authorized_user',
        client_id: 'client',
        client_secret: 'not-so-secret',
        refresh_token: refresh,
        token_uri: `${url}/oauth/token`,
      }
    },
    identify: (token) => world.tokens.find(token),
    addCluster: (given) => {
      const cluster = describeCluster(project, given)
      world.clusters.push(cluster)
      return cluster
    },
    addInstance: (given = {}) => {
      const instance = describeInstance(project, given)
      world.compute.instances.push(instance)
      return instance
    },
    tokenReviewUrl: `${url}/control-plane/tokenreviews`,
    stop: async () => {
      const closed = [plain, secure].map((server) => new Promise((resolve) => server.close(resolve)))
      for (const socket of sockets) socket.destroy()
      await Promise.all(closed)
    },
  }
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}
