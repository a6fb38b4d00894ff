import { spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { probeNode } from '../../../../src/capture/recorders/ssh/probe.ts'
import {
  chooseSpool,
  chooseTool,
  commandAsRoot,
  requireRoot,
  type RootedNodeFacts,
  type ToolboxTool,
} from '../../../../src/capture/recorders/ssh/tool.ts'
import { prepareToolbox, toolboxCommand } from '../../../../src/capture/recorders/ssh/toolbox.ts'
import type { CommandResult, RunOptions } from '../../../../src/ssh/command.ts'
import { refusal } from '../../../support/refusal.ts'

const cos: RootedNodeFacts = {
  os: 'cos',
  osVersion: '121',
  tcpdump: undefined,
  toolbox: '/usr/bin/toolbox',
  toolboxTrees: ['root-registry.example_cos-cloud_toolbox-v20220722'],
  root: 'sudo',
  spools: [{ directory: '/var/lib', fileSystem: 'ext2/ext3', freeBytes: 60e9, sizeBytes: 100e9 }],
  bootId: 'a',
  clockSeconds: 1_800_000_000,
}
const fixes = {
  rootMissing: 'Grant the role of an admin.',
  imageNotPulled: 'Grant the role of a reader.',
  internetMissing: 'Open the Internet.',
}
const tool: ToolboxTool = { kind: 'toolbox', path: '/usr/bin/toolbox', image: undefined }

/** A session that runs its commands on this machine, with `folder` first in PATH. */
function local(folder: string): { run(argv: readonly string[], options?: RunOptions): Promise<CommandResult> } {
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
  // not tmpdir(): /tmp is in memory on many machines, and a spool must not be
  folder = mkdtempSync('/var/tmp/node-tools-')
  mkdirSync(join(folder, 'bin'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))
const script = (name: string, text: string): void =>
  writeFileSync(join(folder, 'bin', name), `#!/bin/sh\n${text}\n`, { mode: 0o755 })

describe('probeNode', () => {
  it('reports the facts of this machine', async () => {
    script('tcpdump', 'echo "tcpdump version 4.99.3" >&2; echo "libpcap version 1.10.3" >&2')
    script('toolbox', 'exit 0')
    const facts = await probeNode(local(join(folder, 'bin')), [folder, join(folder, 'absent')])
    expect(facts.tcpdump).toEqual({ path: join(folder, 'bin/tcpdump'), version: '4.99.3' })
    expect(facts.toolbox).toBe(join(folder, 'bin/toolbox'))
    expect(readFileSync('/etc/os-release', 'utf8')).toMatch(new RegExp(`^ID="?${facts.os}"?$`, 'm'))
    expect(facts.bootId).toBe(readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim())
    expect(Math.abs(facts.clockSeconds - Date.now() / 1000)).toBeLessThan(5)
    if (process.getuid?.() === 0) expect(facts.root).toBe('already')
    expect(facts.spools.map(({ directory }) => directory)).toEqual([folder])
    const [spool] = facts.spools
    expect(spool?.sizeBytes).toBeGreaterThan(spool?.freeBytes ?? Number.POSITIVE_INFINITY)
    expect(spool?.freeBytes).toBeGreaterThan(1e6)
  })

  it('leaves out memory file systems and directories that cannot be written', async () => {
    const { spools } = await probeNode(local(join(folder, 'bin')), ['/dev/shm', '/proc', folder])
    expect(spools.map(({ directory }) => directory)).toEqual([folder])
  })

  it('detects whether sudo -n makes the login root', async () => {
    for (const name of ['sh', 'cat', 'head', 'stat', 'date', 'ls', 'test']) {
      symlinkSync(`/usr/bin/${name}`, join(folder, 'bin', name))
    }
    script('id', 'echo 1000')
    script('sudo', '[ "$1" = -n ] && shift && exec "$@"')
    expect((await probeNode(local(join(folder, 'bin')), [folder])).root).toBe('sudo')
    script('sudo', 'echo "sudo: a password is required" >&2; exit 1')
    expect((await probeNode(local(join(folder, 'bin')), [folder])).root).toBe('none')
  })

  it('ignores the output of a login shell', async () => {
    const text =
      'Welcome!\nfact ID="cos"\nfact VERSION_ID=121\nfact root sudo\nfact spool 4096 100 1000 ext2/ext3 /var/lib\nfact clock 12\n'
    const facts = await probeNode({ run: () => Promise.resolve({ code: 0, stdout: text, stderr: '' }) })
    expect(facts).toMatchObject({ os: 'cos', osVersion: '121', root: 'sudo', clockSeconds: 12, tcpdump: undefined })
    expect(facts.spools).toEqual([
      { directory: '/var/lib', fileSystem: 'ext2/ext3', freeBytes: 409_600, sizeBytes: 4_096_000 },
    ])
  })

  it('reports the output of a login without a shell', async () => {
    const run = (): Promise<CommandResult> =>
      Promise.resolve({ code: 1, stdout: 'This account is currently not available.\n', stderr: '' })
    expect(await refusal(() => probeNode({ run }))).toMatch(/exit code 1: This account is currently not available\./)
  })
})

describe('chooseTool', () => {
  it("prefers the host's tcpdump to the toolbox", () => {
    expect(chooseTool({ ...cos, tcpdump: { path: '/usr/sbin/tcpdump', version: '4.99' } })).toEqual({
      ...{ kind: 'host', path: '/usr/sbin/tcpdump', version: '4.99' },
    })
    expect(chooseTool(cos, 'registry.example/p/r/tcpdump:1')).toMatchObject({ kind: 'toolbox' })
  })

  it('names the fix when the node has neither', async () => {
    const message = await refusal(() => chooseTool({ ...cos, os: 'ubuntu', osVersion: '24.04', toolbox: undefined }))
    expect(message).toMatch(
      /^node-method: the node \(ubuntu 24\.04\) has neither .*`apt-get install tcpdump`.* `node-method: pod`/,
    )
  })
})

describe('chooseSpool', () => {
  const with_ = (...spools: [string, number, number][]): RootedNodeFacts => ({
    ...cos,
    spools: spools.map(([directory, freeBytes, sizeBytes]) => ({
      directory,
      fileSystem: 'ext2/ext3',
      freeBytes,
      sizeBytes,
    })),
  })

  it('uses the requested size when 15 % of the disk remains free', () => {
    expect(chooseSpool(with_(['/var/lib', 25e9, 100e9]), 10e9)).toEqual({ directory: '/var/lib', limitBytes: 10e9 })
  })

  it('uses a smaller size when the requested one leaves less than 15 % free', () => {
    expect(chooseSpool(with_(['/var/lib', 16e9, 100e9]), 10e9)).toEqual({ directory: '/var/lib', limitBytes: 1e9 })
  })

  it('chooses a disk with more free space', () => {
    const facts = with_(['/var/lib', 16e9, 100e9], ['/var/tmp', 40e9, 100e9])
    expect(chooseSpool(facts, 10e9)).toEqual({ directory: '/var/tmp', limitBytes: 10e9 })
    expect(chooseSpool(facts, 80e9)).toEqual({ directory: '/var/tmp', limitBytes: 25e9 })
  })

  it.each([[[['/var/lib', 15e9, 100e9]] as [string, number, number][]], [[] as [string, number, number][]]])(
    'rejects %j',
    async (spools) => {
      const message = await refusal(() => chooseSpool(with_(...spools), 10e9))
      expect(message).toMatch(/no room for a capture: .*15 % of the disk must stay free/)
      if (spools.length > 0) expect(message).toContain('/var/lib has 15.0 GB of 100 GB free')
    },
  )
})

describe('commandAsRoot and toolboxCommand', () => {
  it('use sudo when the login is not root', () => {
    expect(commandAsRoot('sudo', ['id'])).toEqual(['sudo', '-n', 'id'])
    expect(commandAsRoot('already', ['id'])).toEqual(['id'])
    expect(() => requireRoot({ ...cos, root: 'none' }, { fixes })).toThrow(
      /cannot become root .* Grant the role of an admin\. Or/,
    )
  })

  it('run the toolbox without a terminal, and mount a directory of the host at the same path', () => {
    const command = { root: 'sudo', tool, argv: ['sh', '-c', 'x y'], bind: '/var/lib/packet-capture-1' } as const
    expect(toolboxCommand(command)).toEqual([
      ...['sudo', '-n', '/usr/bin/toolbox', '--quiet', '--pipe', '--bind=/var/lib/packet-capture-1'],
      ...['sh', '-c', 'x y'],
    ])
  })

  it('pass an image in a temporary HOME, and delete it afterwards', async () => {
    script('toolbox', 'echo "$HOME"; cat "$HOME/.toolboxrc"; echo "$@"; exit 5')
    const image = 'registry.example:443/p/r/tcpdump:1.2'
    const imageTool = { ...tool, path: join(folder, 'bin/toolbox'), image }
    const argv = toolboxCommand({ root: 'already', tool: imageTool, argv: ['id', '-u'] })
    // only root can write to /run
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

  it.each(['a$(id)', 'x;y', 'name@sha256:00', 'two words', 'a\nb'])('reject the image %j', (image) => {
    expect(() => toolboxCommand({ root: 'sudo', tool: { ...tool, image }, argv: ['id'] })).toThrow(
      /^toolbox-image: .* Write it as NAME:TAG/,
    )
  })
})

describe('prepareToolbox', () => {
  /** A fake toolbox with the result of each command inside it; records all command lines. */
  function toolbox(answers: (inside: string) => Partial<CommandResult>, after: readonly string[] = cos.toolboxTrees) {
    const lines: string[] = []
    const run = (argv: readonly string[]): Promise<CommandResult> => {
      lines.push(argv.join(' '))
      const [, inside = ''] = / --pipe (.*)$/s.exec(argv.join(' ')) ?? []
      const answer = argv.includes('ls') ? { stdout: `${after.join('\n')}\n` } : answers(inside)
      return Promise.resolve({ code: 0, stdout: '', stderr: '', ...answer })
    }
    return { run, lines }
  }

  it('unpacks the toolbox with a separate command and a time limit on the node', async () => {
    const { run, lines } = toolbox((inside) =>
      inside === 'true' ? {} : { stdout: 'tcpdump version 4.99.5\nlibpcap\n' },
    )
    const left: unknown[] = []
    expect(await prepareToolbox({ run }, cos, tool, { fixes, onLeftover: (what) => left.push(what) })).toBe('4.99.5')
    expect(left).toEqual([undefined])
    expect(lines[0]).toBe('sudo -n timeout -k 10 600 /usr/bin/toolbox --quiet --pipe true')
    expect(lines.join('\n')).not.toContain('apt-get')
  })

  it('installs tcpdump when the toolbox has none, and reports what is not removed', async () => {
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
    const options = {
      fixes,
      onProgress: (text: string) => said.push(text),
      onLeftover: (what?: string) => left.push(what),
    }
    expect(await prepareToolbox({ run }, facts, tool, options)).toBe('4.99.3')
    expect(left).toEqual([
      'the toolbox of the node, which was being unpacked to /var/lib/toolbox', // a killed run knows no more
      'the toolbox of the node, unpacked to /var/lib/toolbox: root-new',
    ])
    expect(lines.find((line) => line.includes('apt-get'))).toMatch(/^sudo -n timeout -k 10 240 /)
    expect(said).toEqual([expect.stringMatching(/downloads and unpacks/), expect.stringMatching(/is installed/)])
  })

  it('names the fix when the packages cannot be downloaded', async () => {
    const { run } = toolbox((inside) => {
      if (inside.includes('apt-get')) return { code: 100, stderr: 'E: Failed to fetch\n' }
      return inside === 'true' ? {} : { code: 127 }
    })
    const left: unknown[] = []
    const facts = { ...cos, toolboxTrees: [] }
    const options = { fixes, onLeftover: (what?: string) => left.push(what) }
    expect(await refusal(() => prepareToolbox({ run }, facts, tool, options))).toMatch(
      /E: Failed to fetch\. .*Open the Internet\. Otherwise/,
    )
    expect(left.at(-1)).toEqual(expect.stringContaining(cos.toolboxTrees[0] ?? '')) // the image was unpacked anyway
  })

  it('stops at its time limit', async () => {
    const { run, lines } = toolbox(() => ({ code: 124 }))
    expect(await refusal(() => prepareToolbox({ run }, cos, tool, { fixes, maxSeconds: 20 }))).toMatch(
      /^start-timeout: .*within the 20 s/,
    )
    expect(lines[0]).toMatch(/^sudo -n timeout -k 10 20 /)
  })

  it('reports the output of a toolbox that does not start', async () => {
    const { run } = toolbox(() => ({ code: 1, stderr: 'Directory tree is currently busy.\n' }))
    expect(await refusal(() => prepareToolbox({ run }, cos, tool, { fixes }))).toMatch(
      /does not start: Directory tree is currently busy\. .* Grant the role of a reader\./,
    )
  })

  it('does not pull the image when the disk is too full', async () => {
    const { run, lines } = toolbox(() => ({}))
    const facts: RootedNodeFacts = {
      ...cos,
      toolboxTrees: [],
      spools: [{ directory: '/var/lib', fileSystem: 'ext2/ext3', freeBytes: 19e9, sizeBytes: 100e9 }],
    }
    expect(await refusal(() => prepareToolbox({ run }, facts, tool, { fixes }))).toMatch(
      /no room for the toolbox \(5\.00 GB; 4\.00 GB can be used/,
    )
    expect(lines).toEqual([])
  })
})
