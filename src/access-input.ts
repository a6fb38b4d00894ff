import { messageOf } from './errors.ts'
import { parseProvider, parseServiceAccount } from './google/provider.ts'

/** The way into the cluster that the inputs name. Durations none; addresses without a trailing slash. */
export type Access =
  | { readonly kind: 'kubeconfig'; readonly source: KubeconfigInput; readonly context: string | undefined }
  | {
      readonly kind: 'direct'
      readonly server: string
      readonly certificateAuthority: string | undefined
      readonly credential:
        | { readonly kind: 'token'; readonly token: string }
        /** GitHub's id token for this audience, at an API server that trusts GitHub's issuer */
        | { readonly kind: 'oidc'; readonly audience: string }
    }
  | {
      readonly kind: 'gke'
      /** a full resource name, or a name with `location` and `projectId` (without it: the credentials' project) */
      readonly cluster: string
      readonly location: string | undefined
      readonly projectId: string | undefined
      readonly endpoint: GkeEndpoint
      readonly workloadIdentityProvider: string | undefined
      readonly serviceAccount: string | undefined
    }

export type KubeconfigInput =
  | { readonly kind: 'default' }
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'content'; readonly content: string }

const gkeEndpoints = ['auto', 'dns', 'ip', 'private', 'connect-gateway'] as const
export type GkeEndpoint = (typeof gkeEndpoints)[number]

/** Reads the inputs that say how to get in; `problem` is told each one that is wrong or does not go with the others. */
export function readAccess(input: (name: string) => string, problem: (text: string) => void): Access {
  const ways = (['kubeconfig', 'api-server', 'cluster'] as const).filter((name) => input(name) !== '')
  if (ways.length > 1) {
    problem(`${ways.join(', ')}: each of them is a way into a cluster of its own; set one`)
  }
  const [way] = ways
  const onlyWith = (owner: string, names: readonly string[]): void => {
    for (const name of names)
      if (input(name) !== '' && way !== owner) problem(`${name}: goes with ${owner}, which is not set`)
  }
  onlyWith('api-server', ['certificate-authority', 'oidc-audience', 'token'])
  onlyWith('cluster', ['location', 'project-id', 'workload-identity-provider', 'service-account'])
  if (input('context') !== '' && way !== undefined && way !== 'kubeconfig') {
    problem(`context: goes with a kubeconfig, not with ${way}`)
  }
  if (input('endpoint') !== '' && input('endpoint') !== 'auto' && way !== 'cluster') {
    problem('endpoint: goes with cluster, which is not set')
  }
  const endpoint = gkeEndpoints.find((name) => name === (input('endpoint') || 'auto'))
  if (endpoint === undefined) {
    problem(`endpoint: got ${JSON.stringify(input('endpoint'))}, takes ${gkeEndpoints.join(', ')}`)
  }
  if (way === 'api-server') return readDirect(input, problem)
  if (way === 'cluster') return readGke(input, endpoint ?? 'auto', problem)
  return {
    kind: 'kubeconfig',
    source: parseKubeconfig(input('kubeconfig'), problem),
    context: input('context') || undefined,
  }
}

function readDirect(input: (name: string) => string, problem: (text: string) => void): Access {
  const server = input('api-server').replace(/\/+$/, '')
  if (!/^https:\/\/[^\s/?#]+(\/[^\s?#]*)?$/.test(server) || !URL.canParse(server)) {
    problem(`api-server: got ${JSON.stringify(server)}, takes an https URL`)
  }
  const token = input('token')
  const audience = input('oidc-audience')
  if ((token === '') === (audience === '')) {
    problem(
      token === ''
        ? 'api-server: needs `oidc-audience` (an API server that trusts GitHub as issuer) or `token`'
        : 'oidc-audience, token: each of them is a way to authenticate; set one',
    )
  }
  return {
    kind: 'direct',
    server,
    certificateAuthority: input('certificate-authority') || undefined,
    credential: token === '' ? { kind: 'oidc', audience } : { kind: 'token', token },
  }
}

function readGke(input: (name: string) => string, endpoint: GkeEndpoint, problem: (text: string) => void): Access {
  const cluster = input('cluster')
  const location = input('location')
  const projectId = input('project-id')
  const full = fullClusterName.exec(cluster)
  if (full) {
    // The full name says both; what is said beside it can only be the same, or a slip.
    const said = { location: full.groups?.['location'], 'project-id': full.groups?.['project'] }
    for (const [name, value = ''] of Object.entries(said)) {
      const other = input(name)
      // A project's number is not compared with its id.
      if (other !== '' && other !== value && isNumber(other) === isNumber(value)) {
        problem(`${name}: got ${quoted(other)}, but cluster names ${quoted(value)}; leave it out`)
      }
    }
  } else if (!/^[a-z]([-a-z0-9]*[a-z0-9])?$/.test(cluster)) {
    problem(
      `cluster: got ${quoted(cluster)}, takes projects/P/locations/L/clusters/C, or a name with location and project-id`,
    )
  } else if (location === '') {
    // Its project may be that of the credentials; whether it is is known once they are read.
    problem('cluster: a name alone needs `location` beside it; or give projects/P/locations/L/clusters/C')
  }
  if (!full && !/^[a-z0-9-]*$/.test(location)) {
    problem(`location: got ${quoted(location)}, takes the region or zone of the cluster, such as europe-west1`)
  }
  if (!full && !/^[a-z0-9.:-]*$/.test(projectId)) {
    problem(`project-id: got ${quoted(projectId)}, takes the id of the project of the cluster`)
  }
  const provider = input('workload-identity-provider')
  const account = input('service-account')
  const check = (text: string, parse: (text: string) => unknown): void => {
    try {
      if (text !== '') parse(text)
    } catch (error) {
      problem(messageOf(error))
    }
  }
  check(provider, parseProvider)
  check(account, parseServiceAccount)
  if (account !== '' && provider === '') {
    problem(
      'service-account: goes with workload-identity-provider, which is not set; or give it to google-github-actions/auth in a step before',
    )
  }
  return {
    kind: 'gke',
    cluster,
    location: location || undefined,
    projectId: projectId || undefined,
    endpoint,
    workloadIdentityProvider: provider || undefined,
    serviceAccount: account || undefined,
  }
}

/** As GKE writes it, also as the link that the console and the API give. */
const fullClusterName =
  /^(?:(?:https?:)?\/\/container\.[^/\s]+\/(?:v1\/)?)?projects\/(?<project>[a-z0-9.:-]+)\/(?:locations|zones|regions)\/(?<location>[a-z0-9-]+)\/clusters\/[a-z0-9-]+$/

function isNumber(text: string): boolean {
  return /^\d+$/.test(text)
}

function quoted(text: string): string {
  return JSON.stringify(text.slice(0, 200))
}

function parseKubeconfig(text: string, problem: (text: string) => void): KubeconfigInput {
  if (text === '') return { kind: 'default' }
  // A kubeconfig that is still base64 must not be shown as the path of a file that is not there.
  if (/^[A-Za-z0-9+/=\s]{200,}$/.test(text)) {
    problem('kubeconfig: got base64, takes the path or the content of a kubeconfig: decode it first')
    return { kind: 'default' }
  }
  // A kubeconfig is a mapping: it has a line break or begins as JSON; a path has neither.
  return /[\n\r]|^\s*\{/.test(text) ? { kind: 'content', content: text } : { kind: 'path', path: text }
}
