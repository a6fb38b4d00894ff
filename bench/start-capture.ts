/**
 * From the start of the process until tcpdump records in the pod: the committed action with every check on, and `kubectl debug … tcpdump`, in turn,
 * with the image on the node. Fails above 2 x kubectl's median. `node bench/start-capture.ts [PAIRS]`. Needs KUBECONFIG, and a node that is this machine.
 */
import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { setTimeout as delay } from 'node:timers/promises'
import { openWorkplace } from '../test/e2e/action.ts'
import {
  apply,
  createNamespace,
  deleteNamespace,
  kubectl,
  podAddresses,
  podManifest,
  until,
} from '../test/e2e/cluster.ts'
import { images } from '../test/e2e/images.ts'
import type { Pod } from '../src/cluster/pod.ts'
import { processIds } from '../test/runner/processes.ts'
import { median } from './median.ts'

const pairCount = Number(process.argv[2] ?? 5)
const work = await openWorkplace()
const namespace = await createNamespace('bench-start')
try {
  await apply([podManifest(namespace, 'start')])
  await podAddresses(namespace, 'start')
  const byKubectl: number[] = []
  const byAction: number[] = []
  for (let pair = 0; pair < pairCount; pair += 1) {
    byKubectl.push(await kubectlDebug(`tcp port ${String(40_000 + pair)}`))
    await untilAtRest()
    byAction.push(await action(`tcp port ${String(41_000 + pair)}`))
    await untilAtRest()
  }
  const ratio = median(byAction) / median(byKubectl)
  console.log(
    `median of ${String(pairCount)}: kubectl debug ${median(byKubectl).toFixed(0)} ms, action ${median(byAction).toFixed(0)} ms: ${ratio.toFixed(2)} x`,
  )
  if (!(ratio <= 2)) process.exitCode = 1
} finally {
  await deleteNamespace(namespace)
  await work.close()
}

/** Until tcpdump with this filter runs on the node, ms. The node is this machine. */
async function untilTcpdump(filter: string, began: number): Promise<number> {
  while (performance.now() - began < 30_000) {
    if (processIds().some((pid) => isRecording(pid, filter))) return performance.now() - began
    await delay(10)
  }
  throw new Error(`no tcpdump with the filter ${filter} within 30 s`)
}

/** Until the kubelet has reported every container of the pod: it works on one change of a pod after the other, and a start would wait for the last. */
async function untilAtRest(): Promise<void> {
  await until('the state of each ephemeral container', 30_000, async () => {
    const { spec, status } = JSON.parse(await kubectl(['-n', namespace, 'get', 'pod', 'start', '-o', 'json'])) as Pod
    const reported = (status?.ephemeralContainerStatuses ?? []).filter(({ state }) => state?.waiting === undefined)
    return reported.length === spec?.ephemeralContainers?.length || undefined
  })
  await delay(1_000) // the kubelet's look after it
}

/** Not the process that only compiles the filter. */
function isRecording(pid: number, filter: string): boolean {
  try {
    const words = readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8').split('\0')
    return words[0] === 'tcpdump' && words.includes(filter) && words.includes('-w')
  } catch {
    return false // the process has ended
  }
}

function kubectlDebug(filter: string): Promise<number> {
  const argv = ['-n', namespace, 'debug', 'start', '--image', images.capture, '--image-pull-policy', 'IfNotPresent']
  const tcpdump = ['tcpdump', '-i', 'any', '-w', '/dev/null', filter]
  const began = performance.now()
  spawn('kubectl', [...argv, '--profile', 'netadmin', '--', ...tcpdump], { stdio: 'ignore' })
  return untilTcpdump(filter, began)
}

async function action(filter: string): Promise<number> {
  const began = performance.now()
  const run = work.start({ pod: 'start', namespace, filter, duration: '2s', 'if-empty': 'ignore' })
  const ms = await untilTcpdump(filter, began)
  await run.finished
  return ms
}
