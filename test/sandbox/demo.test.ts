import { spawn, type ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { processIds, processTree } from '../runner/processes.ts'
import { describeWith, firstLack, needsProgram } from '../support/needs.ts'
import { until } from '../support/until.ts'
import { podsLack } from './cluster/start.ts'

/** `npm run demo` in a terminal: `script` gives it a terminal of its own, whose keyboard is the standard input of `script`. */

const root = join(import.meta.dirname, '../..')

describeWith(
  firstLack(await podsLack(), needsProgram('script', 'apt-get install bsdutils')),
  'Ctrl-C in the demo',
  () => {
    it.concurrent(
      'while the cluster starts ends it and leaves nothing behind',
      async () => {
        const demo = startDemo()
        await demo.pressAt(/A small cluster starts/, 3)
        const output = await demo.ended()
        expect(output).toContain('Stopped before the capture began: nothing was recorded.')
        await demo.expectNothingLeft()
      },
      180_000,
    )

    it.concurrent(
      'during the capture, again while it stops and again in the post step is one cancel: the file is complete and kept',
      async () => {
        const demo = startDemo()
        await demo.pressAt(/Capturing pod/)
        await demo.pressAt(/Stopping, as GitHub cancels a workflow run/)
        await demo.pressAt(/\(post step\)/)
        const output = await demo.ended()
        expect(output).toContain('| Stopped | run cancelled |')
        expect(output).toContain('The capture was cancelled with Ctrl-C.')
        expectKeptFile(output)
        await demo.expectNothingLeft()
      },
      180_000,
    )

    it.concurrent(
      'during the upload keeps the file',
      async () => {
        const demo = startDemo()
        await demo.pressAt(/▾ Upload /)
        expectKeptFile(await demo.ended())
        await demo.expectNothingLeft()
      },
      180_000,
    )
  },
)

/** The file that the demo says it kept has the size and the hash that it prints. Removes the file. */
function expectKeptFile(output: string): void {
  const [, packets, path = '', bytes = '', sha256] =
    /([\d,]+) packets, verdict complete, uploaded as .* and copied here:\s+(\S+)\s+([\d,]+) bytes, sha256 (\w+)/.exec(
      output,
    ) ?? []
  expect(Number(packets)).toBeGreaterThan(0)
  const content = readFileSync(path)
  expect(content.length).toBe(Number(bytes.replaceAll(',', '')))
  expect(createHash('sha256').update(content).digest('hex')).toBe(sha256)
  // The pod's interface, whichever interface has its number on this machine.
  expect(output).toMatch(/ eth0 +Out IP 10\.88\.[\d.]+ > /)
  rmSync(path)
}

interface TerminalDemo {
  /** Presses Ctrl-C, once or several times, as soon as the output matches. */
  pressAt(pattern: RegExp, times?: number): Promise<void>
  /** The output, after the demo has ended with the exit code of Ctrl-C. */
  ended(): Promise<string>
  /** No temporary file, process or namespace of the demo is there. */
  expectNothingLeft(): Promise<void>
}

function startDemo(): TerminalDemo {
  const temp = mkdtempSync(join(tmpdir(), 'demo-test-'))
  const child = spawn('script', ['--quiet', '--return', '--flush', '--command', 'node scripts/demo.mjs', '/dev/null'], {
    cwd: root,
    env: { ...process.env, TMPDIR: temp },
    stdio: ['pipe', 'pipe', 'inherit'],
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (output += chunk))
  const seen = watchProcesses(child)
  return {
    async pressAt(pattern, times = 1) {
      await until(`the output matches ${String(pattern)}`, () => pattern.test(output), { timeoutMs: 120_000 })
      child.stdin.write('\u0003'.repeat(times))
    },
    async ended() {
      await until('the demo has ended', () => child.exitCode !== null, { timeoutMs: 60_000 })
      expect({ exitCode: child.exitCode, output }).toEqual({ exitCode: 130, output })
      return output.replaceAll('\r\n', '\n')
    },
    async expectNothingLeft() {
      expect(seen.namespaceCount()).toBeGreaterThan(2) // the node and its pods: the watch saw them
      await until('the processes of the demo have ended', () => !processIds().some((pid) => seen.has(pid)))
      expect(readdirSync(temp)).toEqual([])
      rmSync(temp, { recursive: true })
    },
  }
}

interface ProcessWatch {
  /** Whether it is one of the processes that were seen, or in the network namespace of one. */
  has(pid: number): boolean
  namespaceCount(): number
}

/** Watches the processes that descend from a child, until it ends. */
function watchProcesses(child: ChildProcess): ProcessWatch {
  const own = namespaceOf(process.pid)
  const processes = new Set<string>()
  const namespaces = new Set<string>()
  const look = (): void => {
    if (child.pid === undefined || child.exitCode !== null) return
    for (const pid of processTree(child.pid)) {
      processes.add(identity(pid))
      const namespace = namespaceOf(pid)
      if (namespace !== '' && namespace !== own) namespaces.add(namespace)
    }
    processes.delete('')
  }
  const timer = setInterval(look, 50)
  child.once('close', () => clearInterval(timer))
  return {
    has: (pid) => processes.has(identity(pid)) || namespaces.has(namespaceOf(pid)),
    namespaceCount: () => namespaces.size,
  }
}

/** The number of a process and its start time, because numbers are used again; empty if it has ended. */
function identity(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? '' : `${String(pid)} ${fields[19] ?? ''}`
  } catch {
    return ''
  }
}

/** Of the network; empty if the process has ended. */
function namespaceOf(pid: number): string {
  try {
    return readlinkSync(`/proc/${String(pid)}/ns/net`)
  } catch {
    return ''
  }
}
