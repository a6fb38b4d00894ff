import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { outsideScript } from '../../../../src/capture/scripts/node-scripts.ts'
import { until } from '../../../support/until.ts'

let folder: string
let child: ChildProcess | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'node-outside-'))
})
afterEach(() => {
  child?.kill('SIGKILL')
  rmSync(folder, { recursive: true, force: true })
})

/** Runs a one-line recorder as the runner does on a node; returns its run folder. */
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

describe('the script that runs the recorder on a node', () => {
  it('stops only the processes that the recorder leaves running', async () => {
    const run = begin('echo $$ >inside.pid; sleep 60 & echo $! >left; kill -9 $$', '60')
    const code = await until(
      'the end of the recorder',
      () => existsSync(join(run, 'ended')) && readFileSync(join(run, 'ended'), 'utf8'),
    )
    expect(code).toBe('137\n')
    const left = Number(readFileSync(join(run, 'left'), 'utf8'))
    await until('the end of the leftover process', () => !runs(left))
    expect(child?.exitCode).toBeNull() // it keeps the last message for a runner that connects later
    expect(existsSync(run)).toBe(true)
  })

  it('keeps the last message for a while, then deletes all files of the capture', async () => {
    const run = begin('exit 3', '1')
    expect(
      await until(
        'the end of the recorder',
        () => existsSync(join(run, 'ended')) && readFileSync(join(run, 'ended'), 'utf8'),
      ),
    ).toBe('3\n')
    await until('nothing there', () => !existsSync(run))
  })

  it('deletes nothing outside its folder, for every folder name', async () => {
    const beside = join(folder, 'packet-capture-unit-1')
    mkdirSync(beside)
    const run = begin('exit 0', '0')
    await until('nothing there', () => !existsSync(run))
    await until('the end of the recorder', () => child?.exitCode === 0)
    expect(existsSync(beside)).toBe(true)
  })
})
