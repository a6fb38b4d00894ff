import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRunner } from '../runner/runner.ts'
import type { StepProcess, StepResult } from '../runner/step-process.ts'
import { startResults, type ResultsService } from '../sandbox/results/start.ts'
import { developerKubeconfigPath } from './cluster.ts'
import { images } from './images.ts'

/** Runs the committed dist as a GitHub runner does, several times and in parallel, against one results service. */
export interface Workplace {
  results: ResultsService
  start(inputs: Record<string, string>, options?: RunOptions): ActionRun
  /** runs main and post to their end */
  run(inputs: Record<string, string>, options?: RunOptions): Promise<RunResult>
  close(): Promise<void>
}

export interface RunOptions {
  env?: Record<string, string>
  /** do not set KUBECONFIG to the kubeconfig of the test suite */
  withoutKubeconfig?: boolean
  /** the runner has failed: post does not run */
  withoutPost?: boolean
}

export interface ActionRun {
  main: StepProcess
  /** every line of main's log with the time at which it was written, ms */
  lines: { at: number; text: string }[]
  /** resolves when tcpdump is listening */
  capturing(): Promise<void>
  /** after main and post */
  finished: Promise<RunResult>
}

export interface RunResult {
  main: StepResult
  post: StepResult
  lines: ActionRun['lines']
  /** the first capture of the output `result` */
  capture: CaptureJson | undefined
}

/** The parts of the output `result` that the tests look at. */
export interface CaptureJson {
  target: { level: string; method: string; namespace: string; pod: string; node: string; container: string }
  capture: { recordedSeconds: number; pausedSeconds: number; stopReason: string; resumed: number }
  verdict: { verdict: string; reason: string }
  packets: number
  bytes: number
  dropped: number | null
  sha256: string
  pcapPath: string | null
  artifact: { id: number; name: string; url: string; digest: string } | null
}

const root = join(import.meta.dirname, '../..')

export async function openWorkplace(): Promise<Workplace> {
  const folder = mkdtempSync(join(tmpdir(), 'packet-capture-e2e-'))
  const results = await startResults({ directory: join(folder, 'artifacts') })
  let runs = 0
  const open = new Map<StepProcess, Promise<unknown>>()

  const start: Workplace['start'] = (inputs, options = {}) => {
    runs += 1
    const lines: ActionRun['lines'] = []
    const runner = createRunner({
      actionPath: root,
      temp: join(folder, `run-${String(runs)}`),
      env: { ...results.env(), ...(options.withoutKubeconfig ? {} : { KUBECONFIG: developerKubeconfigPath() }) },
      onLine: (text) => lines.push({ at: performance.now(), text }),
    })
    const main = runner.start('main', { with: { image: images.capture, ...inputs }, env: options.env ?? {} })
    const ended = async (step: StepProcess): Promise<StepResult> => {
      open.set(step, step.done)
      const result = await step.done
      open.delete(step)
      return result
    }
    const finish = async (): Promise<RunResult> => {
      const first = await ended(main)
      const ofMain = [...lines]
      if (options.withoutPost) return { main: first, post: first, lines: ofMain, capture: undefined }
      const post = await ended(runner.start('post', { env: options.env ?? {} }))
      const json = first.outputs['result'] ?? post.outputs['result']
      const captures = json === undefined ? [] : (JSON.parse(json) as { captures: CaptureJson[] }).captures
      return { main: first, post, lines: ofMain, capture: captures[0] }
    }
    return {
      main,
      lines,
      capturing: async () => {
        await main.waitForLog(/^Capturing (pod|node) /m, 60_000)
      },
      finished: finish(),
    }
  }

  return {
    results,
    start,
    run: (inputs, options) => start(inputs, options).finished,
    close: async () => {
      // After a test that timed out: its processes would write into a folder that no longer exists. First main, then its post.
      while (open.size > 0) {
        for (const step of open.keys()) step.kill('SIGKILL')
        await Promise.allSettled(open.values())
      }
      await results.stop()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
