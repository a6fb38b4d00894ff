import { ConfigurationError } from '../../../common/errors.ts'
import { formatSize } from '../../../common/quantities.ts'
import type { NodePlatform } from './access.ts'
import type { NodeFacts, SpoolDirectory } from './probe.ts'

/** Where tcpdump runs. */
export type NodeTool = { readonly kind: 'host'; readonly path: string; readonly version: string } | ToolboxTool

export interface ToolboxTool {
  readonly kind: 'toolbox'
  readonly path: string
  /** in place of the image that the node names in /etc/default/toolbox */
  readonly image: string | undefined
}

/** Of the file system's size: the kubelet evicts pods when less than 10 % is free, 15 % where images are. */
export const freeShare = 0.15
/** the smallest spool on disk that the recorder accepts */
const minSpoolBytes = 4_000_000

/** How a command becomes root. */
export type RootMethod = Exclude<NodeFacts['root'], 'none'>

/** The facts of a node whose login can become root. */
export interface RootedNodeFacts extends NodeFacts {
  readonly root: RootMethod
}

/** argv as root. */
export function commandAsRoot(root: RootMethod, argv: readonly string[]): readonly string[] {
  return root === 'already' ? argv : ['sudo', '-n', ...argv]
}

/** @throws ConfigurationError where the login cannot become root */
export function requireRoot(facts: NodeFacts, { fixes }: Pick<NodePlatform, 'fixes'>): RootedNodeFacts {
  const { root } = facts
  if (root !== 'none') return { ...facts, root }
  throw new ConfigurationError({
    code: 'E_NODE_NO_ROOT',
    input: 'node-method',
    problem: 'the login to the node cannot become root (`sudo -n` fails), which tcpdump needs',
    fix: `${fixes.rootMissing} Or use \`node-method: pod\`.`,
  })
}

/** `image`: of the toolbox, in place of the node's own. @throws ConfigurationError where the node has neither tcpdump nor a toolbox */
export function chooseTool(facts: NodeFacts, image?: string): NodeTool {
  if (facts.tcpdump !== undefined) return { kind: 'host', ...facts.tcpdump }
  if (facts.toolbox !== undefined) return { kind: 'toolbox', path: facts.toolbox, image }
  const system = [facts.os ?? 'unknown system', facts.osVersion].filter(Boolean).join(' ')
  const command = facts.os === 'ubuntu' || facts.os === 'debian' ? ' (`apt-get install tcpdump`)' : ''
  throw new ConfigurationError({
    code: 'E_NODE_TOOLS_MISSING',
    input: 'node-method',
    problem: `the node (${system}) has neither tcpdump nor COS's toolbox`,
    fix: `Install tcpdump on the nodes, for example with a DaemonSet${command}, or use \`node-method: pod\`, whose image has it.`,
  })
}

export interface SpoolChoice {
  readonly directory: string
  readonly limitBytes: number
}

/**
 * Where to record, and how many of `wantedBytes`, so that the kubelet's eviction limits are not reached.
 * @throws ConfigurationError where no disk has room
 */
export function chooseSpool(facts: NodeFacts, wantedBytes: number): SpoolChoice {
  const enough = facts.spools.find((spool) => usableBytes(spool) >= wantedBytes)
  const [largest] = facts.spools.toSorted((a, b) => usableBytes(b) - usableBytes(a))
  const chosen = enough ?? largest
  if (chosen !== undefined && usableBytes(chosen) >= Math.min(wantedBytes, minSpoolBytes)) {
    return { directory: chosen.directory, limitBytes: Math.min(wantedBytes, usableBytes(chosen)) }
  }
  const seen = facts.spools.map(
    ({ directory, freeBytes, sizeBytes }) =>
      `${directory} has ${formatSize(freeBytes)} of ${formatSize(sizeBytes)} free`,
  )
  throw new ConfigurationError({
    code: 'E_NODE_DISK_FULL',
    input: 'level',
    problem: `the node's disk has no room for a capture: ${seen.join(', ') || 'no directory on a disk can be written'}`,
    fix:
      `${freeShare * 100} % of the disk must stay free, or the kubelet evicts pods. ` +
      'Free some of it, or use `level: pod`.',
  })
}

/** What a capture may use of a disk. */
export function usableBytes({ freeBytes, sizeBytes }: SpoolDirectory): number {
  return Math.floor(freeBytes - sizeBytes * freeShare)
}
