import { ConfigurationError } from '../../../common/errors.ts'
import { formatSize } from '../../../common/quantities.ts'
import { toOneLine } from '../../../common/remote-text.ts'
import { splitToolboxImage, toolboxImageForm } from '../../../common/toolbox-image.ts'
import type { CommandResult } from '../../../ssh/command.ts'
import { toolboxImageScript, toolboxInstallScript, toolboxVersionScript } from '../../scripts/node-scripts.ts'
import type { NodePlatform } from './access.ts'
import { toolboxFolder, type CommandRunner } from './probe.ts'
import { commandAsRoot, usableBytes, type RootedNodeFacts, type RootMethod, type ToolboxTool } from './tool.ts'

/** What the default toolbox takes in /var: 2 to 3 GB, and its archive while it is unpacked. */
const toolboxBytes = 5_000_000_000

// Limits that hold on the node itself, because an SSH channel that ends stops nothing.
const maxPullSeconds = 600
const maxInstallSeconds = 240
const maxVersionSeconds = 60

/** Exit codes of `timeout` (coreutils): the limit has passed; -k was needed, too. */
const timedOutCodes = [124, 137]

export interface ToolboxCommand {
  readonly root: RootMethod
  readonly tool: ToolboxTool
  readonly argv: readonly string[]
  /** a directory of the host that the toolbox has at the same path; it has the host's /var at /media/root/var */
  readonly bind?: string
  /** a directory of the host, removed with the capture, for the file that names the image; without it there is one for this command */
  readonly home?: string
}

/**
 * argv in the toolbox, as root. `--pipe`: without it nspawn gives the command a terminal, which turns \\n into \\r\\n and mixes stderr into stdout.
 * @throws ConfigurationError where `image` is not the name of an image
 */
export function toolboxCommand({ root, tool, argv, bind, home = '' }: ToolboxCommand): readonly string[] {
  const toolbox = [tool.path, '--quiet', '--pipe', ...(bind === undefined ? [] : [`--bind=${bind}`])]
  if (tool.image === undefined) return commandAsRoot(root, [...toolbox, ...argv])
  const script = ['sh', '-c', toolboxImageScript, 'sh', home, ...splitImage(tool.image)]
  return commandAsRoot(root, [...script, ...toolbox, ...argv])
}

/** The file that the two parts are written to is read by a shell. */
function splitImage(image: string): readonly [string, string] {
  const parts = splitToolboxImage(image)
  if (parts !== undefined) return parts
  throw new ConfigurationError({
    code: 'E_INPUT_INVALID',
    input: 'toolbox-image',
    problem: `${JSON.stringify(image.slice(0, 200))} cannot be the image of the toolbox`,
    fix: `Write it as ${toolboxImageForm}.`,
  })
}

export interface ToolboxOptions extends Pick<NodePlatform, 'fixes'> {
  /** for all steps together */
  readonly maxSeconds?: number
  /** called before a step that takes minutes */
  onProgress?(text: string): void
  /** Called with what is left on the node, in words, whether or not the rest succeeds; each call replaces the one before. */
  onLeftover?(leftover: string | undefined): void
}

/**
 * Makes the toolbox ready with commands of its own: the first one pulls and unpacks an image and reports that on stdout, and only one may run
 * at a time. Installs tcpdump where the image has none.
 * @returns tcpdump's version
 * @throws ConfigurationError where there is no room, no access to the image or the packages, or not enough time
 */
export async function prepareToolbox(
  node: CommandRunner,
  facts: RootedNodeFacts,
  tool: ToolboxTool,
  options: ToolboxOptions,
): Promise<string> {
  const toolbox = new Toolbox(node, facts, tool, options)
  toolbox.requireRoom()
  const isNew = await toolbox.unpack()
  const version = (await toolbox.version()) ?? (await toolbox.install(isNew))
  return version
}

class Toolbox {
  readonly #node: CommandRunner
  readonly #facts: RootedNodeFacts
  readonly #tool: ToolboxTool
  readonly #options: ToolboxOptions
  readonly #endMs: number

  constructor(node: CommandRunner, facts: RootedNodeFacts, tool: ToolboxTool, options: ToolboxOptions) {
    this.#node = node
    this.#facts = facts
    this.#tool = tool
    this.#options = options
    this.#endMs = performance.now() + (options.maxSeconds ?? Infinity) * 1000
  }

  get #isUnpacked(): boolean {
    return this.#facts.toolboxTrees.length > 0
  }

  requireRoom(): void {
    const bytes = this.#facts.spools.reduce((most, spool) => Math.max(most, usableBytes(spool)), 0)
    if (this.#isUnpacked || this.#tool.image !== undefined || bytes >= toolboxBytes) return
    throw new ConfigurationError({
      code: 'E_NODE_DISK_FULL',
      input: 'node-method',
      problem:
        `the node has no tcpdump, and its disk has no room for the toolbox (${formatSize(toolboxBytes)}; ` +
        `${formatSize(bytes)} can be used)`,
      fix: 'Set `toolbox-image` to a small image that has tcpdump, or use `node-method: pod`.',
    })
  }

  /** @returns whether the toolbox was unpacked now; undefined where the node does not report it */
  async unpack(): Promise<boolean | undefined> {
    if (!this.#isUnpacked) {
      this.#options.onProgress?.('the node downloads and unpacks its toolbox, which takes minutes')
      this.#options.onLeftover?.(`the toolbox of the node, which was being unpacked to ${toolboxFolder}`)
    }
    let newTrees: readonly string[] | undefined
    try {
      const first = await this.#run(['true'], maxPullSeconds)
      if (first.code !== 0) throw this.#doesNotStart(first)
    } finally {
      newTrees = await this.#newTrees()
      const leftover = `the toolbox of the node, unpacked to ${toolboxFolder}: ${newTrees?.join(', ') ?? ''}`
      if (newTrees !== undefined) this.#options.onLeftover?.(newTrees.length > 0 ? leftover : undefined)
    }
    return newTrees === undefined ? undefined : newTrees.length > 0
  }

  async version(): Promise<string | undefined> {
    const { code, stdout, stderr } = await this.#run(['sh', '-c', toolboxVersionScript], maxVersionSeconds)
    return code === 0 ? `${stdout}${stderr}`.split('\n')[0]?.replace(/^tcpdump version /, '') : undefined
  }

  /** `isNew`: a toolbox that was unpacked now is the leftover, with everything in it */
  async install(isNew: boolean | undefined): Promise<string> {
    this.#options.onProgress?.('tcpdump is installed into the toolbox')
    const output = await this.#run(['sh', '-c', toolboxInstallScript], maxInstallSeconds)
    const version = await this.version()
    if (version === undefined) throw this.#hasNoTcpdump(output)
    if (isNew === false) this.#options.onLeftover?.('tcpdump, installed into the toolbox of the node')
    return version
  }

  async #run(argv: readonly string[], maxSeconds: number): Promise<CommandResult> {
    const { root } = this.#facts
    const leftSeconds = Math.max(1, Math.ceil((this.#endMs - performance.now()) / 1000))
    const seconds = Math.min(maxSeconds, leftSeconds)
    const command = withTimeout(root, seconds, toolboxCommand({ root, tool: this.#tool, argv }))
    const result = await this.#node.run(command, {
      timeoutMs: (seconds + 30) * 1000,
      maxOutputBytes: 16 * 1024 * 1024,
    })
    if (leftSeconds < maxSeconds && timedOutCodes.includes(result.code)) throw this.#outOfTime()
    return result
  }

  /** Folders of toolboxes that were not there when the node was probed; undefined where it does not report them. */
  async #newTrees(): Promise<readonly string[] | undefined> {
    const { root, toolboxTrees } = this.#facts
    const listed = await this.#node.run(commandAsRoot(root, ['ls', toolboxFolder])).catch(() => undefined)
    return listed?.stdout.split('\n').filter((tree) => tree !== '' && !toolboxTrees.includes(tree))
  }

  #doesNotStart(output: CommandResult): ConfigurationError {
    return new ConfigurationError({
      code: 'E_TOOLBOX_NOT_STARTED',
      input: 'node-method',
      problem: 'the toolbox of the node does not start',
      message: lastLines(output),
      fix:
        `Check that the node can pull ${this.#tool.image ?? 'the image of its toolbox'}, and that no other toolbox is running. ` +
        `${this.#options.fixes.imageNotPulled} Or use \`node-method: pod\`.`,
    })
  }

  #hasNoTcpdump(output: CommandResult): ConfigurationError {
    return new ConfigurationError({
      code: 'E_TOOLBOX_TCPDUMP_MISSING',
      input: 'node-method',
      problem: 'the toolbox of the node has no tcpdump, and apt-get cannot install it',
      message: lastLines(output),
      fix:
        `${this.#options.fixes.internetMissing} ` +
        'Otherwise set `toolbox-image` to an image that has tcpdump, or use `node-method: pod`.',
    })
  }

  #outOfTime(): ConfigurationError {
    const seconds = Math.max(0, this.#options.maxSeconds ?? 0)
    return new ConfigurationError({
      code: 'E_START_TIMEOUT',
      input: 'start-timeout',
      problem: `the toolbox of the node is not ready within the ${seconds} s that are left`,
      fix:
        'Raise `start-timeout`: the first toolbox of a node takes minutes. ' +
        'Or set `toolbox-image` to a small image that has tcpdump, or use `node-method: pod`.',
    })
  }
}

/** TERM to nspawn kills what runs inside. */
function withTimeout(root: RootMethod, seconds: number, argv: readonly string[]): readonly string[] {
  const limit = ['timeout', '-k', '10', String(seconds)]
  // sudo passes a signal on only to its own child, so timeout must run below sudo.
  return root === 'sudo' && argv[0] === 'sudo' ? ['sudo', '-n', ...limit, ...argv.slice(2)] : [...limit, ...argv]
}

function lastLines({ code, stdout, stderr }: CommandResult): string {
  const lines = (stderr.trim() || stdout.trim()).split('\n').slice(-2).join(' ')
  return toOneLine(lines.slice(-300)) || `exit code ${code}`
}
