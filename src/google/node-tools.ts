import { ConfigurationError } from '../errors.ts'
import { formatSize } from '../quantities.ts'
import type { RunOptions, SshSession } from './ssh.ts'
import { splitToolboxImage, toolboxImageForm } from './toolbox-image.ts'

/** What a node has that a capture on it needs to know. */
export interface NodeFacts {
  /** ID of /etc/os-release: `cos`, `ubuntu`, …; '' where there is none */
  readonly os: string
  /** its VERSION_ID; on COS the milestone */
  readonly osVersion: string
  /** on the host itself */
  readonly tcpdump: { readonly path: string; readonly version: string } | undefined
  /** the path of COS' toolbox */
  readonly toolbox: string | undefined
  /** the toolboxes that have been unpacked already, by the names of their folders */
  readonly toolboxTrees: readonly string[]
  /** how a command becomes root: as it is, by `sudo -n`, or not at all */
  readonly root: 'already' | 'sudo' | 'none'
  /** directories on disk that root can write to, best first */
  readonly spools: readonly SpoolPlace[]
  readonly bootId: string
  /** the node's clock, s since the epoch */
  readonly clock: number
}

export interface SpoolPlace {
  readonly directory: string
  /** as stat names it: `ext2/ext3`, `overlayfs`, … */
  readonly fileSystem: string
  /** bytes, without those that are reserved for root */
  readonly free: number
  readonly size: number
}

/** Where tcpdump runs. */
export type NodeTool =
  | { readonly kind: 'host'; readonly path: string; readonly version: string }
  /** `image`: in place of the one that the node names in /etc/default/toolbox */
  | { readonly kind: 'toolbox'; readonly path: string; readonly image: string | undefined }

export interface ToolboxOptions {
  /** for all of it, s */
  readonly seconds?: number
  /** told what takes its time */
  say?(text: string): void
  /** Told what stays on the node, in words, whatever becomes of the rest; each time in place of what it was told before. */
  stays?(what: string | undefined): void
}

type Runner = Pick<SshSession, 'run'>

/** Of the file system's size: the kubelet evicts pods when less than 10 % is free, 15 % where images lie. */
export const keepFree = 0.15
/** The least spool on disk that the recorder takes, bytes. */
const leastSpool = 4_000_000
/** What the default toolbox takes in /var: 2 to 3 GB, and its archive while it is unpacked. */
const toolboxSize = 5_000_000_000
const toolboxFolder = '/var/lib/toolbox'

/**
 * /var/lib first: only root can write there, so nobody has laid a trap under our name. All lie below /var, which outlives a reboot on COS,
 * where /tmp is memory. Nothing is executed there: COS mounts /var noexec.
 */
const spoolDirectories = ['/var/lib', '/var/cache', '/var/log', '/var/tmp']
const memoryFileSystems = /^(tmpfs|ramfs|hugetlbfs|devtmpfs|rootfs)$/

/** One line a fact, each begun by `fact`: a login shell may say things of its own. */
const probeScript = `
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
say() { printf 'fact %s\\n' "$*"; }
while IFS= read -r line; do
  case $line in ID=* | VERSION_ID=*) say "$line" ;; esac
done </etc/os-release
root=
if [ "$(id -u)" = 0 ]; then say root already
elif sudo -n true </dev/null >/dev/null 2>&1; then root='sudo -n'; say root sudo
else say root none; fi
path=$(command -v tcpdump) && say tcpdump "$path" "$(tcpdump --version 2>&1 | head -n 1)"
path=$(command -v toolbox) && say toolbox "$path"
for tree in $($root ls ${toolboxFolder} 2>/dev/null); do say tree "$tree"; done
for place in "$@"; do
  $root test -d "$place" -a -w "$place" || continue
  say spool "$(stat -f -c '%S %a %b %T' "$place")" "$place"
done
read -r boot </proc/sys/kernel/random/boot_id && say boot "$boot"
say clock "$(date +%s)"
`

/** Looks at the node, in one run. @throws ConfigurationError where it is not a Linux that we know our way about; what `run` throws */
export async function probeNode(
  session: Runner,
  directories: readonly string[] = spoolDirectories,
): Promise<NodeFacts> {
  const { code, stdout, stderr } = await session.run(['sh', '-c', probeScript, 'sh', ...directories])
  const facts = parseFacts(stdout)
  if (facts === undefined) {
    const words = (stderr || stdout).replace(/\s+/g, ' ').trim().slice(0, 300)
    throw new ConfigurationError(
      `node-method: the node's shell gives no account of it (exit code ${code}: ${words || 'no words'}). ` +
        'It must be a Linux node (Container-Optimized OS or Ubuntu) whose login gives a POSIX shell. Or use node-method: pod.',
    )
  }
  return facts
}

function parseFacts(text: string): NodeFacts | undefined {
  const all: [string, string][] = []
  for (const [, line = ''] of text.matchAll(/^fact (.*)$/gm)) {
    const [, key = '', value = ''] = /^(\w+)[ =](.*)$/.exec(line) ?? []
    all.push([key, value.trim()])
  }
  const values = (key: string): string[] => all.filter(([name]) => name === key).map(([, value]) => value)
  const value = (key: string): string => values(key)[0] ?? ''
  const root = value('root')
  if ((root !== 'already' && root !== 'sudo' && root !== 'none') || !/^\d+$/.test(value('clock'))) return undefined
  const [, path, version = ''] = /^(\S+) ?(.*)$/.exec(value('tcpdump')) ?? []
  return {
    os: unquoted(value('ID')),
    osVersion: unquoted(value('VERSION_ID')),
    tcpdump: path === undefined ? undefined : { path, version: version.replace(/^tcpdump version /, '') },
    toolbox: value('toolbox') || undefined,
    toolboxTrees: values('tree'),
    root,
    spools: values('spool').flatMap(parseSpool),
    bootId: value('boot'),
    clock: Number(value('clock')),
  }
}

function parseSpool(line: string): SpoolPlace[] {
  const [, block, available, total, fileSystem = '', directory = ''] =
    /^(\d+) (\d+) (\d+) (\S+) (\/.*)$/.exec(line) ?? []
  // A file system without a size (/proc and its like) holds no files.
  if (block === undefined || Number(total) === 0 || memoryFileSystems.test(fileSystem)) return []
  return [{ directory, fileSystem, free: Number(block) * Number(available), size: Number(block) * Number(total) }]
}

/** os-release(5): values may stand in quotes. */
function unquoted(value: string): string {
  return value.replace(/^(["'])(.*)\1$/, '$2')
}

/** How argv is run as root on the node. @throws ConfigurationError where the login may not */
export function asRoot(facts: NodeFacts, argv: readonly string[]): readonly string[] {
  if (facts.root === 'already') return argv
  if (facts.root === 'sudo') return ['sudo', '-n', ...argv]
  throw new ConfigurationError(
    'node-method: the login to the node may not become root (`sudo -n` is refused), and tcpdump needs it. ' +
      'With OS Login grant roles/compute.osAdminLogin (not osLogin alone). Or use node-method: pod.',
  )
}

/** `image`: for the toolbox, in place of the node's own. @throws ConfigurationError where the node has neither tcpdump nor toolbox */
export function chooseTool(facts: NodeFacts, image?: string): NodeTool {
  if (facts.tcpdump !== undefined) return { kind: 'host', ...facts.tcpdump }
  if (facts.toolbox !== undefined) return { kind: 'toolbox', path: facts.toolbox, image }
  const install =
    facts.os === 'ubuntu' || facts.os === 'debian' ? ' (`apt-get install tcpdump`, e.g. by a DaemonSet)' : ''
  throw new ConfigurationError(
    `node-method: the node (${facts.os || 'an unknown system'} ${facts.osVersion}) has neither tcpdump nor COS' toolbox. ` +
      `Install tcpdump on it${install}, or use node-method: pod, which brings its own.`,
  )
}

/**
 * Where to record, and how many bytes of the wanted ones, so that the kubelet's eviction limits stay far.
 * @throws ConfigurationError where no disk has room
 */
export function chooseSpool(facts: NodeFacts, wanted: number): { readonly directory: string; readonly limit: number } {
  const room = ({ free, size }: SpoolPlace): number => Math.floor(free - size * keepFree)
  const enough = facts.spools.find((place) => room(place) >= wanted)
  const [most] = facts.spools.toSorted((a, b) => room(b) - room(a))
  const chosen = enough ?? most
  if (chosen !== undefined && room(chosen) >= Math.min(wanted, leastSpool)) {
    return { directory: chosen.directory, limit: Math.min(wanted, room(chosen)) }
  }
  const seen = facts.spools.map(
    ({ directory, free, size }) => `${directory} has ${formatSize(free)} of ${formatSize(size)} free`,
  )
  throw new ConfigurationError(
    `level: the node's disk has no room for a capture: ${seen.join(', ') || 'no directory on a disk can be written'}; ` +
      `${keepFree * 100} % of it must stay free, or the kubelet evicts pods. Free some of it, or use level: pod.`,
  )
}

/**
 * argv in the toolbox, as root. `--pipe`: otherwise nspawn gives it a terminal, which turns \\n into \\r\\n and mixes stderr into stdout.
 * `directory` of the host is seen at the same path: the toolbox itself has the host's /var at /media/root/var.
 * `home`, a directory of the host that goes with the capture, takes the file that names the image; else there is one for this run.
 */
export function toolboxCommand(
  facts: NodeFacts,
  tool: Extract<NodeTool, { kind: 'toolbox' }>,
  argv: readonly string[],
  directory?: string,
  home = '',
): readonly string[] {
  const bind = directory === undefined ? [] : [`--bind=${directory}`]
  const toolbox = [tool.path, '--quiet', '--pipe', ...bind]
  if (tool.image === undefined) return asRoot(facts, [...toolbox, ...argv])
  // toolbox reads its image from a file in HOME only, and root's own must not be touched.
  return asRoot(facts, ['sh', '-c', withImage, 'sh', home, ...splitImage(tool.image), ...toolbox, ...argv])
}

/** The traps: `timeout` ends this shell and the toolbox below it at once. */
const withImage = `
HOME=$1
if [ -z "$HOME" ]; then
  HOME=$(mktemp -d /run/packet-capture-home-XXXXXX) || exit 1
  trap 'rm -rf "$HOME"' EXIT
  trap 'exit 143' INT TERM HUP
fi
export HOME
printf 'TOOLBOX_DOCKER_IMAGE=%s\\nTOOLBOX_DOCKER_TAG=%s\\n' "$2" "$3" >"$HOME/.toolboxrc"
shift 3
"$@"
exit $?
`

/** @throws ConfigurationError for what is no name of an image: toolbox' file is read by a shell */
function splitImage(image: string): readonly [string, string] {
  const parts = splitToolboxImage(image)
  if (parts !== undefined) return parts
  throw new ConfigurationError(
    `toolbox-image: ${JSON.stringify(image.slice(0, 200))} cannot be the toolbox' image: toolbox takes ${toolboxImageForm}.`,
  )
}

/** Bounds of the node's own, s: an SSH channel that ends stops nothing. */
const pullLimit = 600
const installLimit = 240

/**
 * Makes the toolbox ready in runs of their own: the first one pulls and unpacks an image and says so on stdout, and only one at a time may
 * run. Installs tcpdump where the image has none.
 * @returns tcpdump's version
 * @throws ConfigurationError where there is no room, no way to the image or to the packages, or not the time
 */
export async function prepareToolbox(
  session: Runner,
  facts: NodeFacts,
  tool: Extract<NodeTool, { kind: 'toolbox' }>,
  options: ToolboxOptions = {},
): Promise<string> {
  const end = performance.now() + (options.seconds ?? Infinity) * 1000
  const inside = async (argv: readonly string[], most: number): ReturnType<Runner['run']> => {
    const left = Math.max(1, Math.ceil((end - performance.now()) / 1000))
    const seconds = Math.min(most, left)
    const limits: RunOptions = { timeout: (seconds + 30) * 1000, maxOutput: 16 * 1024 * 1024 }
    const finished = await session.run(bounded(facts, seconds, toolboxCommand(facts, tool, argv)), limits)
    if (left < most && (finished.code === timedOut || finished.code === killed)) throw noTime(options.seconds ?? 0)
    return finished
  }
  const room = facts.spools.reduce((most, { free, size }) => Math.max(most, free - size * keepFree), 0)
  if (facts.toolboxTrees.length === 0 && tool.image === undefined && room < toolboxSize) {
    throw new ConfigurationError(
      `node-method: the node has no tcpdump, and its disk no room for the toolbox (${formatSize(toolboxSize)}; ` +
        `it has ${formatSize(Math.max(room, 0))} that can be used). Give a small image with tcpdump by toolbox-image, or use node-method: pod.`,
    )
  }
  if (facts.toolboxTrees.length === 0) {
    options.say?.('the toolbox of the node is fetched and unpacked: this takes minutes')
    options.stays?.(`the toolbox of the node, which was being unpacked to ${toolboxFolder}`)
  }
  let unpacked: readonly string[] | undefined = []
  try {
    const warm = await inside(['true'], pullLimit)
    if (warm.code !== 0) {
      throw new ConfigurationError(
        `node-method: the toolbox of the node does not start: ${lastWords(warm)}. Can the node pull ${tool.image ?? 'the image of its toolbox'} ` +
          '(Private Google Access, roles/artifactregistry.reader)? Is another toolbox at work on it? Or use node-method: pod.',
      )
    }
  } finally {
    unpacked = await newTrees(session, facts)
    const what = `the toolbox of the node, unpacked to ${toolboxFolder}: ${unpacked?.join(', ') ?? ''}`
    if (unpacked !== undefined) options.stays?.(unpacked.length > 0 ? what : undefined)
  }
  const version = async (): Promise<string | undefined> => {
    const { code, stdout, stderr } = await inside(['sh', '-c', 'tcpdump --version 2>&1'], 60)
    return code === 0 ? `${stdout}${stderr}`.split('\n')[0]?.replace(/^tcpdump version /, '') : undefined
  }
  const found = await version()
  if (found !== undefined) return found
  options.say?.('tcpdump is installed into the toolbox')
  const install =
    'export DEBIAN_FRONTEND=noninteractive; apt-get -q update && exec apt-get -qy --no-install-recommends install tcpdump'
  const made = await inside(['sh', '-c', install], installLimit)
  const installed = await version()
  if (installed === undefined) {
    throw new ConfigurationError(
      `node-method: the toolbox of the node has no tcpdump, and apt-get installs none: ${lastWords(made)}. ` +
        'The node needs a way to the Internet for that (Cloud NAT). Else give an image with tcpdump by toolbox-image, or use node-method: pod.',
    )
  }
  if (unpacked?.length === 0) options.stays?.('tcpdump, installed into the toolbox of the node')
  return installed
}

/** Of `timeout` (coreutils): its limit has passed; -k was needed, too. */
const timedOut = 124
const killed = 137

function noTime(seconds: number): ConfigurationError {
  return new ConfigurationError(
    `start-timeout: the toolbox of the node is not ready within the ${String(Math.max(0, seconds))} s that are left of it. Raise start-timeout: the first toolbox of ` +
      'a node takes minutes. Or give a small image with tcpdump by toolbox-image, or use node-method: pod.',
  )
}

/** Folders of toolboxes that were not there when the node was looked at; undefined where it does not tell. */
async function newTrees(session: Runner, facts: NodeFacts): Promise<readonly string[] | undefined> {
  const listed = await session.run(asRoot(facts, ['ls', toolboxFolder])).catch(() => undefined)
  return listed?.stdout.split('\n').filter((tree) => tree !== '' && !facts.toolboxTrees.includes(tree))
}

/** TERM to nspawn kills what is inside. */
function bounded(facts: NodeFacts, seconds: number, argv: readonly string[]): readonly string[] {
  const [first, ...rest] = argv
  const limit = ['timeout', '-k', '10', String(seconds)]
  // sudo hands a signal on only to a child of its own, so timeout stands within it.
  return facts.root === 'sudo' && first === 'sudo' ? ['sudo', '-n', ...limit, ...rest.slice(1)] : [...limit, ...argv]
}

function lastWords({ code, stdout, stderr }: { code: number; stdout: string; stderr: string }): string {
  const words = (stderr.trim() || stdout.trim()).split('\n').slice(-2).join(' ').replace(/\s+/g, ' ').slice(-300)
  return words || `exit code ${code}`
}
