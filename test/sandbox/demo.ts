/**
 * The second half of `npm run demo` (the first is scripts/demo.mjs): one capture from beginning to end, by the committed
 * action, against the sandbox's cluster and results service, started as GitHub's runner starts it.
 * `--check` prints whether this machine and this user can run it, as JSON of a SandboxSupport.
 */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { constants, tmpdir } from 'node:os'
import { join } from 'node:path'
import { createRunner, type Runner } from '../runner/runner.ts'
import { sandboxSupport, startCluster, type SandboxCluster } from './cluster/start.ts'
import { firstMessages, keepFile, resultOf, type Outcome } from './demo-result.ts'
import { startResults, type ResultsService } from './results/start.ts'
import { decodeCharacterReferences } from '../support/character-references.ts'

const root = join(import.meta.dirname, '../..')

/** The inputs of the workflow step. */
const inputs = {
  pod: 'deployment/checkout',
  namespace: 'shop',
  duration: '10s',
  filter: 'tcp port 8080',
}

const NOTHING_RECORDED = 'Stopped before the capture began: nothing was recorded.'

if (process.argv.includes('--check')) console.log(JSON.stringify(await sandboxSupport()))
else if (process.argv.includes('--own-session')) await demo(stopRequest())
else process.exitCode = await inOwnSession()

/**
 * Runs the demo in a session of its own, where Ctrl-C does not reach its processes: a process that the terminal interrupts
 * between its start and its own setsid() ends at once. This process takes the signals of the terminal and passes them on.
 * Returns the exit code.
 */
async function inOwnSession(): Promise<number> {
  const child = spawn(process.execPath, [...process.execArgv, import.meta.filename, '--own-session'], {
    stdio: 'inherit',
    detached: true,
  })
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => child.kill(name))
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null]
  // The signal came before the demo had its handler.
  if (signal === 'SIGINT') console.log(NOTHING_RECORDED)
  return code ?? 128 + (signal === null ? 0 : constants.signals[signal])
}

/**
 * Aborts on Ctrl-C, and when the terminal closes or somebody ends this process. Once or several times, it is one request: npm and the
 * terminal each send a SIGINT for one Ctrl-C.
 */
function stopRequest(): AbortSignal {
  const controller = new AbortController()
  const request = (): void => {
    if (!controller.signal.aborted)
      console.log('\nStopping, as GitHub cancels a workflow run. This takes some seconds.')
    controller.abort()
  }
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, request)
  // The terminal or the reader of a pipe may be gone; what was started still has to be removed.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', request)
  return controller.signal
}

async function demo(stop: AbortSignal): Promise<void> {
  const temp = mkdtempSync(join(tmpdir(), 'packet-capture-demo-'))
  let cluster: SandboxCluster | undefined
  let results: ResultsService | undefined
  try {
    if (!existsSync(join(root, 'dist/index.js')))
      throw new Error(
        'dist/index.js is not there. It is committed: check out the whole repository, or run `npm run build`',
      )
    title('A small cluster starts on this machine')
    cluster = await startCluster()
    stop.throwIfAborted()
    console.log(
      `API server ${cluster.server}; in namespace shop two pods of the deployment checkout talk to each other:`,
    )
    console.log('HTTP on port 8080, some answers are 503, and metrics on port 9090 which the filter leaves out.')
    results = await startResults({ directory: join(temp, 'artifacts') })
    writeFileSync(join(temp, 'kubeconfig'), cluster.kubeconfig('dev'), { mode: 0o600 })
    const runner = createRunner({
      actionPath: root,
      temp,
      env: { ...results.env(), KUBECONFIG: join(temp, 'kubeconfig') },
      detached: true,
      onLine: printLine,
    })
    stop.throwIfAborted()

    title('The step of a workflow, run as the runner runs it')
    console.log('- uses: OWNER/kubernetes-packet-capture@SHA # v1\n  with:')
    for (const [name, value] of Object.entries(inputs)) console.log(`    ${name}: ${value}`)
    console.log('\nCtrl-C cancels it, as the button on GitHub does.\n')
    const outcome = await runStep(runner, stop)

    const summary = [outcome.main.summary, outcome.post.summary].filter(Boolean).join('\n')
    if (summary !== '') title('The job summary')
    console.log(decodeCharacterReferences(summary).replaceAll('<wbr>', ''))

    title('What you have now')
    await report(outcome, { cluster, results })
  } catch (error) {
    if (error === stop.reason) console.log(NOTHING_RECORDED)
    else fail(error instanceof Error ? error.message : String(error))
  } finally {
    await Promise.allSettled([results?.stop(), cluster?.stop()])
    rmSync(temp, { recursive: true, force: true })
  }
  // The code of a program that SIGINT ended (POSIX shells: 128 + 2).
  if (stop.aborted) process.exitCode = 130
}

/** main, then post. A stop cancels main as the button on GitHub does; post always runs. */
async function runStep(runner: Runner, stop: AbortSignal): Promise<Outcome> {
  const running = runner.start('main', { with: inputs })
  const cancel = (): void => {
    running.cancel()
  }
  stop.addEventListener('abort', cancel)
  const main = await running.done
  stop.removeEventListener('abort', cancel)
  console.log(`\n(post step)`)
  const post = await runner.start('post').done
  return { main, post, cancelled: stop.aborted }
}

/** Keeps the file and prints where it is; then why the result is not the expected one, if so. */
async function report(
  outcome: Outcome,
  { cluster, results }: { cluster: SandboxCluster; results: ResultsService },
): Promise<void> {
  const { main, post, cancelled } = outcome
  const result = resultOf(outcome)
  const { verdict, packets, file } = result
  const artifact = results.captures[0]
  const source = artifact?.path ?? file
  if (source === undefined) {
    console.log('There is no file: no packet had been recorded.')
  } else {
    const uploaded = artifact === undefined ? 'not uploaded,' : `uploaded as the artifact ${artifact.name}`
    console.log(`${packets} packets, verdict ${verdict}, ${uploaded} and copied here:`)
    console.log(keepFile(source, artifact?.name ?? source, root))
    console.log(await firstMessages(source, result, cluster))
  }
  if (cancelled) {
    console.log('\nThe capture was cancelled with Ctrl-C.')
  } else if (main.exitCode !== 0 || post.exitCode !== 0 || artifact === undefined || verdict !== 'complete') {
    const errors = [...main.annotations, ...post.annotations].filter((one) => one.level === 'error')
    const reason = errors[0]?.message ?? result.verdictReason
    fail(`the capture is not complete (verdict: ${verdict}): ${reason ?? 'the reason is in the log above'}`)
  }
}

function printLine(line: string): void {
  const [, command, text = line] = /^##\[(\w+)\](.*)$/s.exec(line) ?? []
  if (command === 'group') console.log(`▾ ${text}`)
  else if (command === 'error' || command === 'warning' || command === 'notice')
    console.log(`${command.toUpperCase()} ${text}`)
  else if (command !== 'endgroup' && !line.startsWith('::add-mask::')) console.log(text)
}

function title(text: string): void {
  console.log(`\n━━ ${text} ${'━'.repeat(Math.max(0, 76 - text.length))}`)
}

function fail(reason: string): void {
  console.error(`demo: ${reason}`)
  process.exitCode = 1
}
