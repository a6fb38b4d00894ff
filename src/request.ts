import { readAccess, type Access } from './access-input.ts'
import { ConfigurationError } from './errors.ts'
import { splitToolboxImage, toolboxImageForm } from './google/toolbox-image.ts'
import { parseCount, parseDuration, parseSize } from './quantities.ts'

/** What one run was asked to do: every input read once, checked, frozen. Durations in seconds, sizes in bytes. */
export interface Request {
  readonly target: TargetInput
  readonly namespace: string | undefined
  readonly level: 'pod' | 'node'
  /** how the node is reached; of use at node level only */
  readonly nodeMethod: NodeMethod
  /** where node pods are made */
  readonly nodeNamespace: string
  /** of the toolbox of a node without tcpdump; undefined: the node's own */
  readonly toolboxImage: string | undefined
  readonly limits: Limits
  readonly filter: string
  readonly interface: string
  /** bytes of each packet that are kept */
  readonly snaplen: number
  readonly image: string
  readonly capabilities: readonly Capability[]
  readonly allowHostNetwork: boolean
  readonly access: Access
  /** only: nothing is captured */
  readonly preflight: 'on' | 'only'
  readonly startTimeout: number
  /** seconds without a word from the runner after which the recorder ends by itself */
  readonly ownerTimeout: number
  /** bytes of the node's disk that the spool may take */
  readonly spoolLimit: number
  /** undefined: named after the target and the run */
  readonly artifactName: string | undefined
  readonly retentionDays: number | undefined
  readonly ifIncomplete: Severity
  readonly ifEmpty: Severity
}

export interface Limits {
  /** seconds */
  readonly duration: number
  /** bytes of pcap */
  readonly size: number
  readonly packets: number | undefined
}

export type TargetInput = { readonly kind: 'pod' | 'deployment' | 'node'; readonly name: string }
const nodeMethods = ['auto', 'ssh', 'pod'] as const
export type NodeMethod = (typeof nodeMethods)[number]
const capabilities = ['NET_RAW', 'NET_ADMIN'] as const
export type Capability = (typeof capabilities)[number]
const severities = ['error', 'warn', 'ignore'] as const
/** What an incomplete or an empty capture means to the job, in the words of actions/upload-artifact. */
export type Severity = (typeof severities)[number]

const longestDuration = 6 * 3600
/** An empty input means its default, so that a workflow can pass on an input of its own that was left empty. action.yml says the same defaults. */
const defaultImage =
  'docker.io/nicolaka/netshoot:v0.14@sha256:7f08c4aff13ff61a35d30e30c5c1ea8396eac6ab4ce19fd02d5a4b3b5d0d09a2'
const defaultNodeMethod = 'auto'
const defaultNodeNamespace = 'packet-capture'
/** DNS subdomain and label, RFC 1123 as Kubernetes reads it (apimachinery, pkg/util/validation). */
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const label = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/
/** What the artifact service and common file systems refuse in a name. */
const badInFileName = /["<>:|*?\u0000-\u001f\u007f\\/]/

/**
 * Reads every input. `input` gives the text of an input by its name, trimmed, '' where it is not set.
 * @throws ConfigurationError that lists every problem of every input at once
 */
export function readRequest(input: (name: string) => string): Request {
  const problems: string[] = []
  const read = <T>(name: string, takes: string, parse: (text: string) => T | undefined): T => {
    const text = input(name)
    const value = parse(text)
    if (value === undefined) problems.push(`${name}: got ${quoted(text)}, takes ${takes}`)
    return value as T // a problem stops the run below, before anything reads the value
  }
  const readOptional = <T>(name: string, takes: string, parse: (text: string) => T | undefined): T | undefined =>
    input(name) === '' ? undefined : read(name, takes, parse)

  const request: Request = {
    target: readTarget(input, read, (text) => problems.push(text)),
    namespace: readOptional('namespace', 'the name of a namespace', matching(label, 63)),
    level: read('level', 'pod or node', (text) => (['pod', 'node'] as const).find((word) => word === (text || 'pod'))),
    nodeMethod: read('node-method', nodeMethods.join(', '), (text) =>
      nodeMethods.find((word) => word === (text || defaultNodeMethod)),
    ),
    nodeNamespace: read('node-namespace', 'the name of a namespace', (text) =>
      matching(label, 63)(text || defaultNodeNamespace),
    ),
    toolboxImage: readOptional('toolbox-image', toolboxImageForm, (text) =>
      splitToolboxImage(text) === undefined ? undefined : text,
    ),
    limits: {
      duration: read('duration', '90, 90s, 5m or 1h30m, from 1s to 6h', (text) =>
        between(parseDuration(text || '60s'), 1, longestDuration),
      ),
      size: read('max-size', 'a size of at least 1KB: 500MB, 1GB, 64MiB or bytes', (text) =>
        between(parseSize(text || '1GB'), 1000, 1e15),
      ),
      packets: readOptional('max-packets', 'a number from 1 to 2147483647', (text) =>
        between(parseCount(text), 1, 2147483647),
      ),
    },
    filter: read(
      'filter',
      'a pcap filter on one line of at most 4096 characters, its parentheses in pairs',
      parseFilter,
    ),
    interface: read('interface', "any, or an interface's name of at most 15 characters", (text) =>
      matching(/^[^\s/:-][^\s/:]*$/, 15)(text || 'any'),
    ),
    snaplen: read('snaplen', 'bytes a packet, from 64 to 262144', (text) =>
      between(parseCount(text || '262144'), 64, 262144),
    ),
    image: read('image', 'an image reference', (text) => matching(/^[a-z0-9][\w./:@-]*$/i, 512)(text || defaultImage)),
    capabilities: read('capabilities', `${capabilities.join(', ')}, or nothing`, parseCapabilities),
    allowHostNetwork: read('allow-host-network', 'true or false', parseBoolean),
    access: readAccess(input, (text) => problems.push(text)),
    preflight: read('preflight', 'on or only', (text) =>
      (['on', 'only'] as const).find((word) => word === (text || 'on')),
    ),
    startTimeout: read('start-timeout', '90, 90s or 2m, from 5s to 1h', (text) =>
      between(parseDuration(text || '2m'), 5, 3600),
    ),
    ownerTimeout: read('owner-timeout', '90, 90s or 2m, from 20s to 1h', (text) =>
      between(parseDuration(text || '60s'), 20, 3600),
    ),
    spoolLimit: read('spool-limit', 'a size from 8MB to 10GB: 64MB, 200MB or bytes', (text) =>
      between(parseSize(text || '64MB'), 8e6, 10e9),
    ),
    artifactName: readOptional(
      'artifact-name',
      'a file name of at most 200 bytes without " < > : | * ? \\ /',
      (text) =>
        badInFileName.test(text) || Buffer.byteLength(text) > 200 || text.startsWith('.')
          ? undefined
          : text.replace(/\.pcap$/, ''),
    ),
    retentionDays: readOptional('retention-days', 'a number of days from 1 to 400', (text) =>
      between(parseCount(text), 1, 400),
    ),
    ifIncomplete: read('if-incomplete', 'error, warn or ignore', parseSeverity),
    ifEmpty: read('if-empty', 'error, warn or ignore', parseSeverity),
  }
  problems.push(...strayInputs(request))
  if (problems.length > 0) {
    const heading = problems.length === 1 ? 'An input is wrong' : `${problems.length} inputs are wrong`
    throw new ConfigurationError(`${heading}; nothing was contacted.\n${problems.map((p) => `  ${p}`).join('\n')}`)
  }
  return deepFreeze(request)
}

/** Inputs that would be read by nobody: whoever sets one means a capture that this is not. */
function strayInputs({ level, nodeMethod, nodeNamespace, toolboxImage }: Request): readonly string[] {
  if (level === 'pod') {
    // What is wrong in itself is undefined, and a problem already.
    const stray = [
      ...([undefined, defaultNodeMethod].includes(nodeMethod) ? [] : ['node-method']),
      ...([undefined, defaultNodeNamespace].includes(nodeNamespace) ? [] : ['node-namespace']),
      ...(toolboxImage === undefined ? [] : ['toolbox-image']),
    ]
    return stray.map((name) => `${name}: goes with \`level: node\`, which is not set; set it, or leave ${name} out`)
  }
  if (toolboxImage === undefined || nodeMethod !== 'pod') return []
  return [
    'toolbox-image: goes with `node-method` ssh or auto, but that is pod; leave it out, a node pod is made of `image`',
  ]
}

/** A pod, or a deployment's, by `pod`; at node level also a node by its own name. */
function readTarget(
  input: (name: string) => string,
  read: (name: string, takes: string, parse: (text: string) => TargetInput | undefined) => TargetInput,
  problem: (text: string) => void,
): TargetInput {
  const takes = 'the name of a pod, or deployment/NAME'
  if (input('node') === '') return read('pod', takes, parseTarget)
  if (input('level') !== 'node') problem('node: goes with `level: node`, which is not set')
  if (input('pod') !== '')
    problem('pod, node: each of them names what to capture; set one (with `pod`, its own node is taken)')
  return read('node', 'the name of a node', (text) =>
    subdomain.test(text) && text.length <= 253 ? { kind: 'node', name: text } : undefined,
  )
}

/** Whether Kubernetes would take it as the name of a namespace; it becomes a part of addresses and of commands. */
export function isNamespaceName(text: string): boolean {
  return matching(label, 63)(text) !== undefined
}

function parseTarget(text: string): TargetInput | undefined {
  const [first, second, third] = text.split('/')
  if (third !== undefined || first === undefined) return undefined
  const name = second ?? first
  const kind = second === undefined ? 'pod' : kinds.get(first)
  return kind && name.length <= 253 && subdomain.test(name) ? { kind, name } : undefined
}
const kinds = new Map<string, 'pod' | 'deployment'>([
  ['pod', 'pod'],
  ['pods', 'pod'],
  ['deployment', 'deployment'],
  ['deployments', 'deployment'],
  ['deploy', 'deployment'],
])

function parseFilter(text: string): string | undefined {
  return text.length <= 4096 && !/[\u0000-\u001f\u007f]/.test(text) && inPairs(text) ? text : undefined
}

/** A filter that closes what it has not opened would leave the parentheses that narrow it to a pod. */
function inPairs(text: string): boolean {
  let open = 0
  for (const character of text) {
    if (character === '(') open += 1
    if (character === ')') open -= 1
    if (open < 0) return false
  }
  return open === 0
}

function parseCapabilities(text: string): readonly Capability[] | undefined {
  const words = text.split(/[\s,]+/).filter((word) => word !== '')
  const known = words.map((word) => capabilities.find((capability) => capability === word.toUpperCase()))
  return known.includes(undefined) ? undefined : [...new Set(known as Capability[])]
}

function parseSeverity(text: string): Severity | undefined {
  return text === '' ? 'warn' : severities.find((severity) => severity === text)
}

/** YAML 1.2 core schema, as core.getBooleanInput reads it. */
function parseBoolean(text: string): boolean | undefined {
  if (/^(true|True|TRUE)$/.test(text)) return true
  return /^(false|False|FALSE|)$/.test(text) ? false : undefined
}

function matching(pattern: RegExp, longest: number): (text: string) => string | undefined {
  return (text) => (pattern.test(text) && text.length <= longest ? text : undefined)
}

function between(value: number | undefined, least: number, most: number): number | undefined {
  return value !== undefined && value >= least && value <= most ? value : undefined
}

function quoted(text: string): string {
  if (text === '') return 'nothing'
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text)
}

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value) as unknown[]) if (typeof part === 'object' && part !== null) deepFreeze(part)
  return Object.freeze(value)
}
