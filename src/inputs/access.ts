import { isWithheldVariable } from '../common/child-environment.ts'
import { isClusterName, isLocation, isProject, parseFullClusterName, type ClusterName } from '../common/cluster-name.ts'
import { decodeText } from '../common/decode-text.ts'
import { parseProvider, parseServiceAccount } from '../common/workload-identity.ts'
import { choiceOf } from './forms.ts'
import { quoted, type InputForm, type InputReader } from './reader.ts'

/** How the action authenticates to the cluster. URLs have no trailing slash. */
export type Access =
  | {
      readonly kind: 'kubeconfig'
      readonly source: KubeconfigInput
      readonly context: string | undefined
      /** variables of the step and of the job (INPUT_*, ACTIONS_*) that an exec plugin receives */
      readonly pluginVariables: readonly string[]
    }
  | {
      readonly kind: 'direct'
      readonly server: string
      readonly certificateAuthority: string | undefined
      readonly credential:
        | { readonly kind: 'token'; readonly token: string }
        /** GitHub's ID token for this audience, for an API server that trusts GitHub as an issuer */
        | { readonly kind: 'oidc'; readonly audience: string }
    }
  | {
      readonly kind: 'gke'
      /** a full resource name, or a name with `location` and `projectId` (without it: the project of the credentials) */
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
  /** `wasBase64`: decoded from the input, which the log says */
  | { readonly kind: 'content'; readonly content: string; readonly wasBase64: boolean }

const gkeEndpoints = ['auto', 'dns', 'ip', 'private', 'connect-gateway'] as const
export type GkeEndpoint = (typeof gkeEndpoints)[number]

/** The inputs that select a cluster; at most one of them is set. */
const selectors = ['kubeconfig', 'api-server', 'cluster'] as const
type Selector = (typeof selectors)[number]

/** Inputs that only one selector reads. */
const ownedBy: readonly (readonly [owner: Selector, names: readonly string[]])[] = [
  ['api-server', ['certificate-authority', 'oidc-audience', 'token']],
  ['cluster', ['location', 'project-id', 'workload-identity-provider', 'service-account']],
]

/** Inputs that only a kubeconfig reads, also one that no input names. */
const ofKubeconfigs = [
  ['context', 'It selects a context of a kubeconfig.'],
  ['exec-env', 'It is for an exec plugin of a kubeconfig.'],
] as const

const maxVariableCount = 50

const variablesForm: InputForm<readonly string[]> = {
  accepts: 'names of variables that begin with ACTIONS_ or INPUT_, separated by commas or line breaks',
  parse: (text) => {
    const names = text.split(/[\s,]+/).filter((name) => name !== '')
    const isValid = names.every((name) => /^\w{1,200}$/.test(name) && isWithheldVariable(name))
    return isValid && names.length <= maxVariableCount ? [...new Set(names)] : undefined
  },
}

/** Reads the inputs that say how the action authenticates to the cluster. */
export function readAccess(inputs: InputReader): Access {
  const set = selectors.filter((name) => inputs.isSet(name))
  const [selector] = set
  if (set.length > 1) {
    inputs.report(
      'E_INPUT_CONFLICT',
      set.join(', '),
      'each of these inputs selects a cluster, and more than one is set',
      'Set one of them.',
    )
  }
  reportUnused(inputs, selector)
  const endpoint = inputs.withDefault('endpoint', 'auto', choiceOf(gkeEndpoints))
  if (selector === 'api-server') return readDirect(inputs)
  if (selector === 'cluster') return readGke(inputs, endpoint)
  return {
    kind: 'kubeconfig',
    source: readKubeconfig(inputs),
    context: inputs.text('context'),
    pluginVariables: inputs.withDefault('exec-env', '', variablesForm),
  }
}

function reportUnused(inputs: InputReader, selector: Selector | undefined): void {
  const unused = (name: string, owner: string): void =>
    inputs.report(
      'E_INPUT_UNUSED',
      name,
      `has no effect without \`${owner}\``,
      `Set \`${owner}\`, or remove \`${name}\`.`,
    )
  for (const [owner, names] of ownedBy) {
    if (selector === owner) continue
    for (const name of names) if (inputs.isSet(name)) unused(name, owner)
  }
  if (selector !== undefined && selector !== 'kubeconfig') {
    for (const [name, use] of ofKubeconfigs) {
      if (!inputs.isSet(name)) continue
      inputs.report('E_INPUT_UNUSED', name, `has no effect with \`${selector}\``, `${use} Remove it.`)
    }
  }
  if ((inputs.text('endpoint') ?? 'auto') !== 'auto' && selector !== 'cluster') unused('endpoint', 'cluster')
}

function readDirect(inputs: InputReader): Access {
  const server = inputs.required('api-server', {
    accepts: 'an https URL without user, query and fragment',
    parse: (text) => {
      const url = text.replace(/\/+$/, '')
      return /^https:\/\/[^\s/?#@\\]+(\/[^\s?#\\]*)?$/.test(url) && URL.canParse(url) ? url : undefined
    },
  })
  const token = inputs.text('token')
  const audience = inputs.text('oidc-audience')
  if (token !== undefined && audience !== undefined) {
    inputs.report(
      'E_INPUT_CONFLICT',
      'oidc-audience, token',
      'each of these inputs selects an authentication method, and both are set',
      'Set one of them.',
    )
  }
  if (token === undefined && audience === undefined) {
    inputs.report(
      'E_INPUT_MISSING',
      'api-server',
      'no credentials are set for it',
      'Set `oidc-audience` (for an API server that trusts GitHub as an issuer) or `token`.',
    )
  }
  return {
    kind: 'direct',
    server,
    certificateAuthority: inputs.text('certificate-authority'),
    credential: token === undefined ? { kind: 'oidc', audience: audience ?? '' } : { kind: 'token', token },
  }
}

function readGke(inputs: InputReader, endpoint: GkeEndpoint): Access {
  const cluster = inputs.text('cluster') ?? ''
  const full = parseFullClusterName(cluster)
  if (full) compareWithFullName(inputs, full)
  else checkShortName(inputs, cluster)
  const provider = inputs.text('workload-identity-provider')
  const account = inputs.text('service-account')
  if (provider !== undefined) inputs.collect(() => parseProvider(provider))
  if (account !== undefined) inputs.collect(() => parseServiceAccount(account))
  if (account !== undefined && provider === undefined) {
    inputs.report(
      'E_INPUT_UNUSED',
      'service-account',
      'has no effect without `workload-identity-provider`',
      'Set `workload-identity-provider`, or give the service account to google-github-actions/auth in an earlier step.',
    )
  }
  return {
    kind: 'gke',
    cluster,
    location: inputs.text('location'),
    projectId: inputs.text('project-id'),
    endpoint,
    workloadIdentityProvider: provider,
    serviceAccount: account,
  }
}

/** A full name has the location and the project in it; the inputs beside it can only repeat them. */
function compareWithFullName(inputs: InputReader, { location, project }: ClusterName): void {
  const named = { location, 'project-id': project }
  for (const [name, value] of Object.entries(named)) {
    const other = inputs.text(name)
    // The number of a project is not compared with its id.
    if (other === undefined || other === value || isNumber(other) !== isNumber(value)) continue
    inputs.report(
      'E_INPUT_CONFLICT',
      name,
      `is ${quoted(other)}, but \`cluster\` names ${quoted(value)}`,
      `Remove \`${name}\`.`,
    )
  }
}

function checkShortName(inputs: InputReader, cluster: string): void {
  if (!isClusterName(cluster)) {
    inputs.report(
      'E_INPUT_INVALID',
      'cluster',
      `${quoted(cluster)} is not valid`,
      'Use projects/P/locations/L/clusters/C, or a name with `location` and `project-id`.',
    )
  } else if (!inputs.isSet('location')) {
    // The project may be that of the credentials; whether it is one is known once they are read.
    inputs.report(
      'E_INPUT_MISSING',
      'cluster',
      'a name without a location does not identify a cluster',
      'Set `location`, or use projects/P/locations/L/clusters/C.',
    )
  }
  inputs.optional('location', {
    accepts: 'the region or zone of the cluster, such as europe-west1',
    parse: (text) => (isLocation(text) ? text : undefined),
  })
  inputs.optional('project-id', {
    accepts: 'the id of the project of the cluster',
    parse: (text) => (isProject(text) ? text : undefined),
  })
}

function isNumber(text: string): boolean {
  return /^\d+$/.test(text)
}

function readKubeconfig(inputs: InputReader): KubeconfigInput {
  const text = inputs.text('kubeconfig')
  if (text === undefined) return { kind: 'default' }
  if (/^[A-Za-z0-9+/=\s]+$/.test(text)) {
    const decoded = decodeText(Buffer.from(text, 'base64'))
    if ('text' in decoded && /\bclusters\b/.test(decoded.text)) {
      return { kind: 'content', content: decoded.text, wasBase64: true }
    }
    // It must not be shown as the path of a missing file.
    if (text.length >= 200) {
      inputs.report(
        'E_INPUT_INVALID',
        'kubeconfig',
        'is base64, but not of a kubeconfig',
        'Use the path, the content, or the base64 of a kubeconfig.',
      )
      return { kind: 'default' }
    }
  }
  // A kubeconfig is a mapping: it has a line break or begins as JSON; a path has neither.
  return /[\n\r]|^\s*\{/.test(text)
    ? { kind: 'content', content: text, wasBase64: false }
    : { kind: 'path', path: text }
}
