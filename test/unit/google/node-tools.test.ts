import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import {
  asRoot,
  chooseSpool,
  chooseTool,
  prepareToolbox,
  probeNode,
  toolboxCommand,
  type NodeFacts,
  type NodeTool,
} from '../../../src/google/node-tools.ts'
import type { Finished, RunOptions } from '../../../src/google/ssh.ts'
import { refusal } from './refusal.ts'

const cos: NodeFacts = {
  os: 'cos',
  osVersion: '121',
  tcpdump: undefined,
  toolbox: '/usr/bin/toolbox',
  toolboxTrees: ['root-registry.example_cos-cloud_toolbox-v20220722'],
  root: 'sudo',
  spools: [{ directory: '/var/lib', fileSystem: 'ext2/ext3', free: 60e9, size: 100e9 }],
  bootId: 'a',
  clock: 1_800_000_000,
}
const tool: Extract<NodeTool, { kind: 'toolbox' }> = { kind: 'toolbox', path: '/usr/bin/toolbox', image: undefined }

/** A session whose far end is this machine, with `folder` before its PATH. */
function local(folder: string): { run(argv: readonly string[], options?: RunOptions): Promise<Finished> } {
  return {
    run: ([program = '', ...args], { stdin } = {}) =>
      new Promise((resolve, reject) => {
        const env = { ...process.env, PATH: `${folder}:${process.env['PATH'] ?? ''}` }
        const child = spawn(program, args, { env })
        const text = { stdout: '', stderr: '' }
        child.stdout.on('data', (chunk) => (text.stdout += String(chunk)))
        child.stderr.on('data', (chunk) => (text.stderr += String(chunk)))
        child.once('error', reject)
        child.once('close', (code) => resolve({ code: code ?? -1, ...text }))
        child.stdin.end(stdin ?? '')
      }),
  }
}

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'node-tools-'))
  mkdirSync(join(folder, 'bin'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))
const script = (name: string, text: string): void =>
  writeFileSync(join(folder, 'bin', name), `#!/bin/sh\n${text}\n`, { mode: 0o755 })

describe('probeNode', () => {
  it('tells what this machine is and has', async () => {
    script('tcpdump', 'echo "tcpdump version 4.99.3" >&2; echo "libpcap version 1.10.3" >&2')
    script('toolbox', 'exit 0')
    const facts = await probeNode(local(join(folder, 'bin')), [folder, join(folder, 'absent')])
    expect(facts.tcpdump).toEqual({ path: join(folder, 'bin/tcpdump'), version: '4.99.3' })
    expect(facts.toolbox).toBe(join(folder, 'bin/toolbox'))
    expect(readFileSync('/etc/os-release', 'utf8')).toMatch(new RegExp(`^ID="?${facts.os}"?$`, 'm'))
    expect(facts.bootId).toBe(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim())
    expect(Math.abs(facts.clock - Date.now() / 1000)).toBeLessThan(5)
    if (process.getuid?.() === 0) expect(facts.root).toBe('already')
    expect(facts.spools.map(({ directory }) => directory)).toEqual([folder])
    const [place] = facts.spools
    expect(place?.size).toBeGreaterThan(place?.free ?? Number.POSITIVE_INFINITY)
    expect(place?.free).toBeGreaterThan(1e6)
  })

  it('takes no memory for a disk, and no directory that cannot be written', async () => {
    const { spools } = await probeNode(local(join(folder, 'bin')), ['/dev/shm', '/proc', folder])
    expect(spools.map(({ directory }) => directory)).toEqual([folder])
  })

  it('becomes root by sudo -n where it may, and says so where it may not', async () => {
    for (const name of ['sh', 'cat', 'head', 'stat', 'date', 'ls', 'test']) {
      symlinkSync(`/usr/bin/${name}`, join(folder, 'bin', name))
    }
    script('id', 'echo 1000')
    script('sudo', '[ "$1" = -n ] && shift && exec "$@"')
    expect((await probeNode(local(join(folder, 'bin')), [folder])).root).toBe('sudo')
    script('sudo', 'echo "sudo: a password is required" >&2; exit 1')
    expect((await probeNode(local(join(folder, 'bin')), [folder])).root).toBe('none')
  })

  it('reads past what a login shell says of its own', async () => {
    const text =
      'Welcome!\nfact ID="cos"\nfact VERSION_ID=121\nfact root sudo\nfact spool 4096 100 1000 ext2/ext3 /var/lib\nfact clock 12\n'
    const facts = await probeNode({ run: () => Promise.resolve({ code: 0, stdout: text, stderr: '' }) })
    expect(facts).toMatchObject({ os: 'cos', osVersion: '121', root: 'sudo', clock: 12, tcpdump: undefined })
    expect(facts.spools).toEqual([{ directory: '/var/lib', fileSystem: 'ext2/ext3', free: 409_600, size: 4_096_000 }])
  })

  it('a shell that is none is told with its words', async () => {
    const run = (): Promise<Finished> =>
      Promise.resolve({ code: 1, stdout: 'This account is currently not available.\n', stderr: '' })
    expect(await refusal(() => probeNode({ run }))).toMatch(/exit code 1: This account is currently not available\./)
  })
})

describe('chooseTool', () => {
  it("takes the host's tcpdump before the toolbox", () => {
    expect(chooseTool({ ...cos, tcpdump: { path: '/usr/sbin/tcpdump', version: '4.99' } })).toEqual({
      ...{ kind: 'host', path: '/usr/sbin/tcpdump', version: '4.99' },
    })
    expect(chooseTool(cos, 'registry.example/p/r/tcpdump:1')).toMatchObject({ kind: 'toolbox' })
  })

  it('names the fix where there is neither', async () => {
    const message = await refusal(() => chooseTool({ ...cos, os: 'ubuntu', osVersion: '24.04', toolbox: undefined }))
    expect(message).toMatch(
      /^node-method: the node \(ubuntu 24\.04\) has neither .*`apt-get install tcpdump`.* node-method: pod/,
    )
  })
})

describe('chooseSpool', () => {
  const with_ = (...spools: [string, number, number][]): NodeFacts => ({
    ...cos,
    spools: spools.map(([directory, free, size]) => ({ directory, fileSystem: 'ext2/ext3', free, size })),
  })

  it('gives what is wanted where 15 % stay free after it', () => {
    expect(chooseSpool(with_(['/var/lib', 25e9, 100e9]), 10e9)).toEqual({ directory: '/var/lib', limit: 10e9 })
  })

  it('gives less where only less leaves 15 %', () => {
    expect(chooseSpool(with_(['/var/lib', 16e9, 100e9]), 10e9)).toEqual({ directory: '/var/lib', limit: 1e9 })
  })

  it('goes to a disk with more room', () => {
    const facts = with_(['/var/lib', 16e9, 100e9], ['/var/tmp', 40e9, 100e9])
    expect(chooseSpool(facts, 10e9)).toEqual({ directory: '/var/tmp', limit: 10e9 })
    expect(chooseSpool(facts, 80e9)).toEqual({ directory: '/var/tmp', limit: 25e9 })
  })

  it.each([[[['/var/lib', 15e9, 100e9]] as [string, number, number][]], [[] as [string, number, number][]]])(
    'refuses %j',
    async (spools) => {
      const message = await refusal(() => chooseSpool(with_(...spools), 10e9))
      expect(message).toMatch(/no room for a capture: .*15 % of it must stay free/)
      if (spools.length > 0) expect(message).toContain('/var/lib has 15.0 GB of 100 GB free')
    },
  )
})

describe('asRoot and toolboxCommand', () => {
  it('go by sudo where the login is not root', () => {
    expect(asRoot(cos, ['id'])).toEqual(['sudo', '-n', 'id'])
    expect(asRoot({ ...cos, root: 'already' }, ['id'])).toEqual(['id'])
    expect(() => asRoot({ ...cos, root: 'none' }, ['id'])).toThrow(/osAdminLogin/)
  })

  it('give the toolbox no terminal, and a directory of the host at its own path', () => {
    expect(toolboxCommand(cos, tool, ['sh', '-c', 'x y'], '/var/lib/packet-capture-1')).toEqual([
      ...['sudo', '-n', '/usr/bin/toolbox', '--quiet', '--pipe', '--bind=/var/lib/packet-capture-1'],
      ...['sh', '-c', 'x y'],
    ])
  })

  it('hand an image over in a HOME of its own, which is gone afterwards', async () => {
    script('toolbox', 'echo "$HOME"; cat "$HOME/.toolboxrc"; echo "$@"; exit 5')
    const image = 'registry.example:443/p/r/tcpdump:1.2'
    const argv = toolboxCommand({ ...cos, root: 'already' }, { ...tool, path: join(folder, 'bin/toolbox'), image }, [
      'id',
      '-u',
    ])
    // /run is root's
    const words = argv.map((word) => word.replace('/run/packet', `${folder}/packet`))
    const { code, stdout } = await local(join(folder, 'bin')).run(words)
    const [home = '', ...lines] = stdout.trim().split('\n')
    expect(lines).toEqual([
      'TOOLBOX_DOCKER_IMAGE=registry.example:443/p/r/tcpdump',
      'TOOLBOX_DOCKER_TAG=1.2',
      '--quiet --pipe id -u',
    ])
    expect(code).toBe(5)
    expect(() => readFileSync(join(home, '.toolboxrc'))).toThrow(/ENOENT/)
  })

  it.each(['a$(id)', 'x;y', 'name@sha256:00', 'two words', 'a\nb'])('refuse the image %j', (image) => {
    expect(() => toolboxCommand(cos, { ...tool, image }, ['id'])).toThrow(/^toolbox-image: .* toolbox takes NAME:TAG/)
  })
})

describe('prepareToolbox', () => {
  /** A toolbox by what each command inside it gives; every command line that it was given. */
  function toolbox(answers: (inside: string) => Partial<Finished>, after: readonly string[] = cos.toolboxTrees) {
    const lines: string[] = []
    const run = (argv: readonly string[]): Promise<Finished> => {
      lines.push(argv.join(' '))
      const [, inside = ''] = / --pipe (.*)$/s.exec(argv.join(' ')) ?? []
      const answer = argv.includes('ls') ? { stdout: `${after.join('\n')}\n` } : answers(inside)
      return Promise.resolve({ code: 0, stdout: '', stderr: '', ...answer })
    }
    return { run, lines }
  }

  it('warms it up apart from the capture, within bounds on the node', async () => {
    const { run, lines } = toolbox((inside) =>
      inside === 'true' ? {} : { stdout: 'tcpdump version 4.99.5\nlibpcap\n' },
    )
    const left: unknown[] = []
    expect(await prepareToolbox({ run }, cos, tool, { stays: (what) => left.push(what) })).toBe('4.99.5')
    expect(left).toEqual([undefined])
    expect(lines[0]).toBe('sudo -n timeout -k 10 600 /usr/bin/toolbox --quiet --pipe true')
    expect(lines.join('\n')).not.toContain('apt-get')
  })

  it('installs tcpdump where it has none, and tells what it leaves', async () => {
    let has = false
    const said: string[] = []
    const { run, lines } = toolbox(
      (inside) => {
        if (inside.includes('apt-get')) has = true
        if (inside.includes('--version')) return has ? { stdout: 'tcpdump version 4.99.3\n' } : { code: 127 }
        return {}
      },
      ['root-new'],
    )
    const facts = { ...cos, toolboxTrees: [] }
    const left: unknown[] = []
    const options = { say: (text: string) => said.push(text), stays: (what?: string) => left.push(what) }
    expect(await prepareToolbox({ run }, facts, tool, options)).toBe('4.99.3')
    expect(left).toEqual([
      'the toolbox of the node, which was being unpacked to /var/lib/toolbox', // all that a killed run can know
      'the toolbox of the node, unpacked to /var/lib/toolbox: root-new',
    ])
    expect(lines.find((line) => line.includes('apt-get'))).toMatch(/^sudo -n timeout -k 10 240 /)
    expect(said).toEqual([expect.stringMatching(/fetched and unpacked/), expect.stringMatching(/is installed/)])
  })

  it('names the way out where the packages cannot be had', async () => {
    const { run } = toolbox((inside) => {
      if (inside.includes('apt-get')) return { code: 100, stderr: 'E: Failed to fetch\n' }
      return inside === 'true' ? {} : { code: 127 }
    })
    const left: unknown[] = []
    const facts = { ...cos, toolboxTrees: [] }
    const options = { stays: (what?: string) => left.push(what) }
    expect(await refusal(() => prepareToolbox({ run }, facts, tool, options))).toMatch(
      /E: Failed to fetch\. .*Cloud NAT/,
    )
    expect(left.at(-1)).toEqual(expect.stringContaining(cos.toolboxTrees[0] ?? '')) // it was unpacked all the same
  })

  it('has no more time than it is given', async () => {
    const { run, lines } = toolbox(() => ({ code: 124 }))
    expect(await refusal(() => prepareToolbox({ run }, cos, tool, { seconds: 20 }))).toMatch(
      /^start-timeout: .*within the 20 s/,
    )
    expect(lines[0]).toMatch(/^sudo -n timeout -k 10 20 /)
  })

  it('names the way out where it does not start', async () => {
    const { run } = toolbox(() => ({ code: 1, stderr: 'Directory tree is currently busy.\n' }))
    expect(await refusal(() => prepareToolbox({ run }, cos, tool))).toMatch(
      /does not start: Directory tree is currently busy\./,
    )
  })

  it('does not begin to pull what has no room', async () => {
    const { run, lines } = toolbox(() => ({}))
    const facts: NodeFacts = {
      ...cos,
      toolboxTrees: [],
      spools: [{ directory: '/var/lib', fileSystem: 'ext2/ext3', free: 19e9, size: 100e9 }],
    }
    expect(await refusal(() => prepareToolbox({ run }, facts, tool))).toMatch(
      /no room for the toolbox \(5\.00 GB; it has 4\.00 GB/,
    )
    expect(lines).toEqual([])
  })
})
