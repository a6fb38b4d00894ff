import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { outsideScript } from '../../../src/capture/scripts.ts'
import { until } from '../until.ts'

let folder: string
let child: ChildProcess | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'node-outside-'))
})
afterEach(() => {
  child?.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

/** Runs a recorder of one line, as the runner does on a node; the folder of its run. */
function begin(inside: string, keep: string): string {
  const run = join(folder, 'packet-capture-unit-1.run')
  mkdirSync(run)
  writeFileSync(join(run, 'outside'), outsideScript)
  writeFileSync(join(run, 'inside'), inside)
  child = spawn('sh', ['outside', '60', keep], {
    cwd: run,
    env: { ...process.env, CAPTURE_NAME: 'packet-capture-unit-1' },
    stdio: 'ignore',
  })
  return run
}
const runs = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

describe('what runs the recorder on a node', () => {
  it('ends what the recorder leaves running, and only that', async () => {
    const run = begin('echo $$ >inside.pid; sleep 60 & echo $! >left; kill -9 $$', '60')
    const code = await until(
      'its end',
      () => existsSync(join(run, 'ended')) && readFileSync(join(run, 'ended'), 'utf8'),
    )
    expect(code).toBe('137\n')
    const left = Number(readFileSync(join(run, 'left'), 'utf8'))
    await until('the end of what was left', () => !runs(left))
    expect(child?.exitCode).toBeNull() // it keeps the last words for a runner that comes late
    expect(existsSync(run)).toBe(true)
  })

  it('keeps the last words for a while, then removes everything of the capture', async () => {
    const run = begin('exit 3', '1')
    expect(
      await until('its end', () => existsSync(join(run, 'ended')) && readFileSync(join(run, 'ended'), 'utf8')),
    ).toBe('3\n')
    await until('nothing there', () => !existsSync(run))
  })

  it('removes nothing beside its own folder, whatever its name', async () => {
    const beside = join(folder, 'packet-capture-unit-1')
    mkdirSync(beside)
    const run = begin('exit 0', '0')
    await until('nothing there', () => !existsSync(run))
    await until('its end', () => child?.exitCode === 0)
    expect(existsSync(beside)).toBe(true)
  })
})
