import { spawnSync } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { itWith, needsRoot } from '../support/needs.ts'

/** scripts/test-programs.mjs with a PATH that contains only the programs of the test, among them a package manager that records its calls. */

const script = join(import.meta.dirname, '../../scripts/test-programs.mjs')
const needsOrdinaryUser = needsRoot === undefined ? 'a user other than root; npm test as an ordinary user' : undefined

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'programs-'))
  mkdirSync(join(folder, 'bin'))
  // `install` makes the missing programs, except dash.
  program(
    'apt-get',
    `echo "$*" >>calls; [ "$1" != install ] || for name in tcpdump busybox mksh; do echo >bin/$name; /bin/chmod 755 bin/$name; done`,
  )
  program('sudo', '[ "$1" = --non-interactive ] || exit 1; shift; exec "$@"')
  program('true', 'exit 0')
})
afterEach(() => rmSync(folder, { recursive: true }))

function program(name: string, text: string): void {
  writeFileSync(join(folder, 'bin', name), `#!/bin/sh\n${text}\n`)
  chmodSync(join(folder, 'bin', name), 0o755)
}

function run(env: NodeJS.ProcessEnv = {}): { code: number | null; output: string; calls: readonly string[] } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [script], {
    ...{ cwd: folder, encoding: 'utf8', timeout: 14_000, env: { PATH: join(folder, 'bin'), ...env } },
  })
  const calls = join(folder, 'calls')
  return {
    code: status,
    output: stdout + stderr,
    calls: existsSync(calls) ? readFileSync(calls, 'utf8').trim().split('\n') : [],
  }
}

it('installs the packages of the missing programs, says which, and names what is still missing', () => {
  const { code, output, calls } = run()
  expect(code).toBe(0)
  expect(calls).toEqual(['update', expect.stringMatching(/^install .*\btcpdump\b.* busybox\b/)])
  expect(output).toMatch(/^test: Not found: tcpdump, .*Installing tcpdump .* with apt/m)
  expect(output).toMatch(/^test: Still not found: .*\bdash\b/m)
  expect(output).not.toMatch(/Still not found: .*(tcpdump|busybox)/)
})

it('waits while another program installs packages', () => {
  program(
    'apt-get',
    'echo "$*" >>calls; [ -e once ] || { echo >once; echo "E: Could not get lock /var/lib/apt/lists/lock." >&2; exit 100; }',
  )
  const { output, calls } = run()
  expect(calls.map((call) => call.split(' ')[0])).toEqual(['update', 'update', 'install'])
  expect(output).toContain('Waiting for it')
})

it('goes on when the list of packages cannot be updated', () => {
  program(
    'apt-get',
    'echo "$*" >>calls; [ "$1" = install ] || { echo "E: The repository has no Release file." >&2; exit 100; }',
  )
  const { code, output, calls } = run()
  expect(code).toBe(0)
  expect(calls.map((call) => call.split(' ')[0])).toEqual(['update', 'install'])
  expect(output).toContain('no Release file')
})

it('installs nothing with TEST_INSTALL=no', () => {
  const { code, output, calls } = run({ TEST_INSTALL: 'no' })
  expect(code).toBe(0)
  expect(calls).toEqual([])
  expect(output).toMatch(/^test: Not found: tcpdump, .*Not installed: TEST_INSTALL is no/m)
})

itWith(needsOrdinaryUser, 'installs nothing when sudo asks for a password', () => {
  program('sudo', 'exit 1')
  const { code, output, calls } = run()
  expect(code).toBe(0)
  expect(calls).toEqual([])
  expect(output).toMatch(/Not installed: .*sudo asks for a password/)
})
