import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRunner } from '../../runner/runner.ts'
import type { StepProcess, StepResult } from '../../runner/step-process.ts'
import { startResults, type ResultsService } from '../../sandbox/results/start.ts'
import type { CaptureJson } from '../action.ts'
import { developerKubeconfigPath } from '../cluster.ts'
import { images } from '../images.ts'

/** One step with a separate results service; post starts when the trial starts it, or never. */
export interface Step {
  main: StepProcess
  results: ResultsService
  /** the name of the capture container, as soon as the log contains it */
  container(): Promise<string>
  capturing(): Promise<void>
  post(): Promise<StepResult>
}

const root = join(import.meta.dirname, '../../..')

/** Starts steps and closes them together. */
export function createSteps(): {
  start(
    inputs: Record<string, string>,
    options?: { env?: Record<string, string>; before?: (results: ResultsService) => void },
  ): Promise<Step>
  close(): Promise<void>
} {
  const open: (() => Promise<void>)[] = []
  return {
    start: async (inputs, { env = {}, before } = {}) => {
      const folder = mkdtempSync(join(tmpdir(), 'packet-capture-trial-'))
      const results = await startResults({ directory: join(folder, 'artifacts') })
      before?.(results)
      const runner = createRunner({
        actionPath: root,
        temp: folder,
        env: { ...results.env(), KUBECONFIG: developerKubeconfigPath(), ...env },
      })
      const main = runner.start('main', { with: { image: images.capture, ...inputs } })
      open.push(async () => {
        await results.stop()
        for (const pid of runner.orphans()) process.kill(pid, 'SIGKILL')
        rmSync(folder, { recursive: true, force: true })
      })
      return {
        main,
        results,
        container: async () => (await main.waitForLog(/ephemeral container (\S+) to pod/, 60_000))[1] ?? '',
        capturing: async () => {
          await main.waitForLog(/^Capturing pod /m, 60_000)
        },
        post: () => runner.start('post').done,
      }
    },
    close: async () => {
      for (const end of open) await end()
    },
  }
}

/** The first capture of the output `result`. */
export function captureOf({ outputs }: StepResult): CaptureJson {
  const { captures } = JSON.parse(outputs['result'] ?? '{"captures":[]}') as { captures: CaptureJson[] }
  const [capture] = captures
  if (!capture) throw new Error('the step has no output `result`')
  return capture
}
