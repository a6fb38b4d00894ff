import { ConfigurationError } from '../../../common/errors.ts'
import { toOneLine } from '../../../common/remote-text.ts'
import type { SshSession } from '../../../ssh/session.ts'
import { probeScript } from '../../scripts/node-scripts.ts'

/** What a node has that a capture needs to know. */
export interface NodeFacts {
  /** ID of /etc/os-release: `cos`, `ubuntu`, …; undefined where it has none */
  readonly os: string | undefined
  /** its VERSION_ID; on COS the milestone */
  readonly osVersion: string | undefined
  /** on the host itself */
  readonly tcpdump: { readonly path: string; readonly version: string } | undefined
  /** the path of COS's toolbox */
  readonly toolbox: string | undefined
  /** the toolboxes that are unpacked already, by the names of their folders */
  readonly toolboxTrees: readonly string[]
  /** how a command becomes root: as it is, with `sudo -n`, or not at all */
  readonly root: 'already' | 'sudo' | 'none'
  /** directories on a disk that root can write to, in order of preference */
  readonly spools: readonly SpoolDirectory[]
  readonly bootId: string | undefined
  /** the node's clock, epoch seconds */
  readonly clockSeconds: number
}

export interface SpoolDirectory {
  readonly directory: string
  /** as stat names it: `ext2/ext3`, `overlayfs`, … */
  readonly fileSystem: string
  /** without the blocks that are reserved for root */
  readonly freeBytes: number
  readonly sizeBytes: number
}

/** What runs a command on the node. */
export type CommandRunner = Pick<SshSession, 'run'>

/** COS unpacks its toolbox here. */
export const toolboxFolder = '/var/lib/toolbox'

/**
 * /var/lib first: only root can write there, so no other user can have created a file of the capture's name. All are below /var, which survives a
 * reboot on COS, where /tmp is memory. Nothing is executed there: COS mounts /var noexec.
 */
const defaultDirectories = ['/var/lib', '/var/cache', '/var/log', '/var/tmp']
const memoryFileSystems = /^(tmpfs|ramfs|hugetlbfs|devtmpfs|rootfs)$/

const maxFactCount = 1_000
const maxFactCharacters = 500

/** Reads the facts with one command. @throws ConfigurationError where the node is no Linux with a POSIX shell; what `run` throws */
export async function probeNode(
  node: CommandRunner,
  directories: readonly string[] = defaultDirectories,
): Promise<NodeFacts> {
  const { code, stdout, stderr } = await node.run(['sh', '-c', probeScript, 'sh', toolboxFolder, ...directories])
  const facts = parseFacts(stdout)
  if (facts !== undefined) return facts
  const output = toOneLine(stderr || stdout, 300)
  throw new ConfigurationError({
    code: 'E_NODE_SHELL',
    input: 'node-method',
    problem: `the login shell of the node does not run the check of the node (exit code ${code}: ${output || 'no output'})`,
    fix: 'Capture on a Linux node (Container-Optimized OS or Ubuntu) whose login gives a POSIX shell, or use `node-method: pod`.',
  })
}

function parseFacts(text: string): NodeFacts | undefined {
  const all = factsIn(text)
  const values = (key: string): string[] => all.filter(([name]) => name === key).map(([, value]) => value)
  const value = (key: string): string | undefined => values(key)[0] || undefined
  const root = value('root')
  const clock = value('clock') ?? ''
  if ((root !== 'already' && root !== 'sudo' && root !== 'none') || !/^\d{1,12}$/.test(clock)) return undefined
  const [, path, version = ''] = /^(\S+) ?(.*)$/.exec(value('tcpdump') ?? '') ?? []
  return {
    os: unquoted(value('ID')),
    osVersion: unquoted(value('VERSION_ID')),
    tcpdump: path === undefined ? undefined : { path, version: version.replace(/^tcpdump version /, '') },
    toolbox: value('toolbox'),
    toolboxTrees: values('tree'),
    root,
    spools: values('spool').flatMap(parseSpool),
    bootId: value('boot'),
    clockSeconds: Number(clock),
  }
}

/** Key and value of each line. The node is not trusted: what it says goes to the log and to errors. */
function factsIn(text: string): readonly (readonly [string, string])[] {
  const lines = [...text.matchAll(/^fact (.*)$/gm)].slice(0, maxFactCount)
  return lines.map(([, line = '']) => {
    const [, key = '', value = ''] = /^(\w+)[ =](.*)$/.exec(line) ?? []
    return [key, toOneLine(value, maxFactCharacters)]
  })
}

function parseSpool(line: string): SpoolDirectory[] {
  const [, block, available, total, fileSystem = '', directory = ''] =
    /^(\d{1,15}) (\d{1,15}) (\d{1,15}) (\S+) (\/.*)$/.exec(line) ?? []
  // A file system without a size (such as /proc) holds no files.
  if (block === undefined || Number(total) === 0 || memoryFileSystems.test(fileSystem)) return []
  const bytes = (blocks: string | undefined): number => Number(block) * Number(blocks)
  return [{ directory, fileSystem, freeBytes: bytes(available), sizeBytes: bytes(total) }]
}

/** os-release(5): values may be quoted. */
function unquoted(value: string | undefined): string | undefined {
  return value?.replace(/^(["'])(.*)\1$/, '$2')
}
