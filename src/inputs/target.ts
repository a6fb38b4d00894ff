import { isObjectName } from '../common/kubernetes-names.ts'
import { splitToolboxImage, toolboxImageForm } from '../common/toolbox-image.ts'
import { booleanForm, choiceOf, namespaceForm } from './forms.ts'
import type { InputForm, InputReader } from './reader.ts'

const levels = ['pod', 'node'] as const
const nodeMethods = ['auto', 'ssh', 'pod'] as const
export type NodeMethod = (typeof nodeMethods)[number]

export interface TargetQuery {
  readonly kind: 'pod' | 'deployment' | 'node'
  readonly name: string
}

/** What is captured, and from where. */
export interface TargetInputs {
  readonly target: TargetQuery
  readonly namespace: string | undefined
  readonly level: (typeof levels)[number]
  /** how the recorder gets onto the node; used at node level only */
  readonly nodeMethod: NodeMethod
  /** where node pods are created */
  readonly nodeNamespace: string
  /** image for the toolbox of a node without tcpdump; undefined: the node's default */
  readonly toolboxImage: string | undefined
  readonly allowHostNetwork: boolean
}

const defaultNodeMethod = 'auto'
const defaultNodeNamespace = 'packet-capture'

/** Reads the inputs that name the target. */
export function readTarget(inputs: InputReader): TargetInputs {
  const target: TargetInputs = {
    target: readQuery(inputs),
    namespace: inputs.optional('namespace', namespaceForm),
    level: inputs.withDefault('level', 'pod', choiceOf(levels)),
    nodeMethod: inputs.withDefault('node-method', defaultNodeMethod, choiceOf(nodeMethods)),
    nodeNamespace: inputs.withDefault('node-namespace', defaultNodeNamespace, namespaceForm),
    toolboxImage: inputs.optional('toolbox-image', {
      accepts: toolboxImageForm,
      parse: (text) => (splitToolboxImage(text) === undefined ? undefined : text),
    }),
    allowHostNetwork: inputs.withDefault('allow-host-network', 'false', booleanForm),
  }
  reportUnused(inputs, target)
  return target
}

/** `pod` names a pod or a deployment; at node level `node` may name a node. */
function readQuery(inputs: InputReader): TargetQuery {
  if (!inputs.isSet('node')) return readPod(inputs)
  if (inputs.text('level') !== 'node') {
    inputs.report(
      'E_INPUT_UNUSED',
      'node',
      'has no effect without `level: node`',
      'Set `level: node`, or name a `pod` instead.',
    )
  }
  if (inputs.isSet('pod')) {
    inputs.report(
      'E_INPUT_CONFLICT',
      'pod, node',
      'both name what to capture',
      'Set one of them. With `pod` and `level: node`, the node of the pod is captured.',
    )
  }
  return inputs.required('node', {
    accepts: 'the name of a node',
    parse: (text) => (isObjectName(text) ? { kind: 'node', name: text } : undefined),
  })
}

function readPod(inputs: InputReader): TargetQuery {
  const other = otherKindOf(inputs.text('pod') ?? '')
  if (other === undefined) return inputs.required('pod', podForm)
  const fix =
    other.singular === 'node'
      ? 'Set the input `node` with `level: node`, in place of `pod`.'
      : `Name one of its pods (\`kubectl get pods\`), or deployment/NAME.`
  inputs.report('E_INPUT_INVALID', 'pod', `names a ${other.singular}, which is not supported`, fix)
  return undefined as never // the run ends with the problem before the value is read
}

/** A kind of object with the names by which kubectl takes and prints it. */
interface ObjectKind {
  readonly singular: string
  readonly plural: string
  readonly short: string
  /** '' is the core group */
  readonly group: string
}

const podKind: ObjectKind = { singular: 'pod', plural: 'pods', short: 'po', group: '' }
const deploymentKind: ObjectKind = { singular: 'deployment', plural: 'deployments', short: 'deploy', group: 'apps' }
/** What has pods too, or is captured in another way: a clear error in place of "is not valid". */
const otherKinds: readonly ObjectKind[] = [
  { singular: 'statefulset', plural: 'statefulsets', short: 'sts', group: 'apps' },
  { singular: 'daemonset', plural: 'daemonsets', short: 'ds', group: 'apps' },
  { singular: 'replicaset', plural: 'replicasets', short: 'rs', group: 'apps' },
  { singular: 'job', plural: 'jobs', short: 'job', group: 'batch' },
  { singular: 'cronjob', plural: 'cronjobs', short: 'cj', group: 'batch' },
  { singular: 'replicationcontroller', plural: 'replicationcontrollers', short: 'rc', group: '' },
  { singular: 'service', plural: 'services', short: 'svc', group: '' },
  { singular: 'node', plural: 'nodes', short: 'no', group: '' },
]

const podForm: InputForm<TargetQuery> = {
  accepts: 'the name of a pod, or deployment/NAME',
  parse: (text) => {
    const [first = '', second, third] = text.split('/')
    if (third !== undefined) return undefined
    const name = second ?? first
    const kind =
      second === undefined || isNamed(first, podKind) ? 'pod' : isNamed(first, deploymentKind) && 'deployment'
    return kind && isObjectName(name) ? { kind, name } : undefined
  },
}

function otherKindOf(text: string): ObjectKind | undefined {
  const [first = '', second] = text.split('/')
  return second === undefined ? undefined : otherKinds.find((kind) => isNamed(first, kind))
}

/**
 * Whether kubectl reads the text before the slash as this kind, in any case: `deploy`, `deployment.apps` (as `-o name` prints it),
 * `deployments.v1.apps` (RESOURCE.VERSION.GROUP; the core group is empty: `pods.v1.`).
 */
function isNamed(text: string, { singular, plural, short, group }: ObjectKind): boolean {
  const [resource = '', ...rest] = text.toLowerCase().split('.')
  const suffix = rest.join('.')
  const suffixes = rest.length === 0 ? [''] : group === '' ? ['v1.'] : [group, `v1.${group}`]
  return [singular, plural, short].includes(resource) && suffixes.includes(suffix)
}

/** Inputs that the chosen level or method does not read: the user expects a capture other than the one that would be made. */
function reportUnused(
  inputs: InputReader,
  { level, nodeMethod, nodeNamespace, toolboxImage }: Partial<TargetInputs>, // an input that is not valid has no value
): void {
  if (level === 'pod') {
    const unused = [
      ...(nodeMethod === undefined || nodeMethod === defaultNodeMethod ? [] : ['node-method']),
      ...(nodeNamespace === undefined || nodeNamespace === defaultNodeNamespace ? [] : ['node-namespace']),
      ...(toolboxImage === undefined ? [] : ['toolbox-image']),
    ]
    for (const name of unused) {
      inputs.report(
        'E_INPUT_UNUSED',
        name,
        'has no effect without `level: node`',
        `Set \`level: node\`, or remove \`${name}\`.`,
      )
    }
  } else if (toolboxImage !== undefined && nodeMethod === 'pod') {
    inputs.report(
      'E_INPUT_UNUSED',
      'toolbox-image',
      'has no effect with `node-method: pod`',
      'Remove it: the image of a node pod is the input `image`.',
    )
  }
}
