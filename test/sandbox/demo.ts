/**
 * The second half of `npm run demo` (the first is scripts/demo.mjs): one capture from beginning to end, by the committed
 * action, against the sandbox's cluster and results service, started as GitHub's runner starts it.
 * `--check` only says whether this machine and this user can run it.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  chownSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, join, relative } from 'node:path'
import { createRunner, type Runner } from '../runner/runner.ts'
import type { StepProcess, StepResult } from '../runner/step-process.ts'
import { sandboxSupport, startCluster, type SandboxCluster } from './cluster/start.ts'
import { startResults, type ResultsService } from './results/start.ts'

const root = join(import.meta.dirname, '../..')

/** What a workflow would say. */
const inputs = {
  pod: 'deployment/checkout',
  namespace: 'shop',
  duration: '10s',
  filter: 'tcp port 8080',
}

const support = await sandboxSupport()
if (process.argv.includes('--check')) {
  if (!support.supported) console.error(support.reason)
  process.exitCode = support.supported ? 0 : 1
} else if (!support.supported) {
  fail(support.reason)
} else if (!existsSync(join(root, 'dist/index.js'))) {
  fail(
    'dist/index.js is not there. It is committed with the sources: check out the whole repository, or `npm run build`.',
  )
} else {
  await demo()
}

async function demo(): Promise<void> {
  const temp = mkdtempSync(join(tmpdir(), 'packet-capture-demo-'))
  let cluster: SandboxCluster | undefined
  let results: ResultsService | undefined
  try {
    title('A small cluster starts on this machine')
    cluster = await startCluster()
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
      onLine: printLine,
    })

    title('The step of a workflow, run as the runner runs it')
    console.log('- uses: OWNER/kubernetes-packet-capture@SHA # v1\n  with:')
    for (const [name, value] of Object.entries(inputs)) console.log(`    ${name}: ${value}`)
    console.log()
    const { main, post } = await runStep(runner)

    title('The job summary')
    console.log([main.summary, post.summary].filter(Boolean).join('\n'))

    title('What you have now')
    report(main, post, results)
  } catch (error) {
    fail(error instanceof Error ? (error.stack ?? error.message) : String(error))
  } finally {
    await results?.stop()
    await cluster?.stop()
    rmSync(temp, { recursive: true, force: true })
  }
}

/** main, then post; Ctrl-C cancels the step as the button on GitHub does, and post still comes. */
async function runStep(runner: Runner): Promise<{ main: StepResult; post: StepResult }> {
  const running: StepProcess = runner.start('main', { with: inputs })
  const cancel = (): void => {
    running.cancel()
  }
  process.once('SIGINT', cancel)
  const main = await running.done
  console.log(`\n(post step)`)
  const post = await runner.start('post').done
  process.removeListener('SIGINT', cancel)
  return { main, post }
}

/** Says what came out, or why it is not what the demo promises. */
function report(main: StepResult, post: StepResult, results: ResultsService): void {
  const artifact = results.artifacts[0]
  const { verdict = 'none', packets = '0' } = main.outputs
  if (main.exitCode !== 0 || post.exitCode !== 0 || artifact === undefined || verdict !== 'complete') {
    const errors = [...main.annotations, ...post.annotations].filter((one) => one.level === 'error')
    const reason = errors[0]?.message ?? main.outputs['verdict-reason']
    fail(`the capture did not come out whole (verdict: ${verdict}): ${reason ?? 'the reason is in the log above'}`)
    return
  }
  const pcap = keep(artifact.path, artifact.name)
  const shown = relative(process.cwd(), pcap)
  const digest = createHash('sha256').update(readFileSync(pcap)).digest('hex')
  console.log(`${packets} packets, verdict ${verdict}, uploaded as the artifact ${artifact.name} and copied here:`)
  console.log(`  ${pcap}\n  ${artifact.size.toLocaleString('en')} bytes, sha256 ${digest}`)
  console.log(
    `\nOpen it:\n  wireshark ${shown}\n  tcpdump -n -r ${shown}\n\nIts first HTTP messages (tcpdump gives the pod's interfaces the names that their numbers have here):`,
  )
  const read = spawnSync('tcpdump', ['-n', '-r', pcap, '-c', '4', 'tcp[tcpflags] & tcp-push != 0'], {
    encoding: 'utf8',
  })
  console.log(read.stdout.replace(/^/gm, '  ').trimEnd())
}

/** Copies the artifact into demo/, or leaves it in the temporary folder's parent where the checkout cannot be written. */
function keep(path: string, artifactName: string): string {
  // The store puts the artifact's number before its name.
  const name = basename(artifactName)
  const copy = (folder: string): string => {
    mkdirSync(folder, { recursive: true })
    copyFileSync(path, join(folder, name))
    return folder
  }
  let folder: string
  try {
    folder = copy(join(root, 'demo'))
  } catch {
    folder = copy(mkdtempSync(join(tmpdir(), 'packet-capture-')))
  }
  // Under sudo the result still belongs to the person who asked for it.
  const [uid, gid] = [Number(process.env.SUDO_UID), Number(process.env.SUDO_GID)]
  if (uid > 0) for (const one of [folder, join(folder, name)]) chownSync(one, uid, gid)
  return join(folder, name)
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
