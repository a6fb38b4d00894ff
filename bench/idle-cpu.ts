/**
 * The CPU time of a capture with nothing to record: recorder and follower with all their processes, from the control group of the capture
 * container, as a mean over 60 s. Fails above 4 millicores. `node bench/idle-cpu.ts [SECONDS]`. Needs KUBECONFIG, and a node that is this machine.
 */
import { setTimeout as delay } from 'node:timers/promises'
import { openWorkplace } from '../test/e2e/action.ts'
import {
  apply,
  createNamespace,
  deleteNamespace,
  ephemeralNames,
  podAddresses,
  podManifest,
} from '../test/e2e/cluster.ts'
import { containerCpu } from '../test/e2e/container-cpu.ts'

const limitMillicores = 4
const seconds = Number(process.argv[2] ?? 60)
const work = await openWorkplace()
const namespace = await createNamespace('bench-idle')
try {
  await apply([podManifest(namespace, 'idle')])
  await podAddresses(namespace, 'idle')
  const action = work.start({
    pod: 'idle',
    namespace,
    filter: 'tcp port 9',
    duration: `${String(seconds + 8)}s`,
    'if-empty': 'ignore',
  })
  await action.capturing()
  const [name = ''] = await ephemeralNames(namespace, 'idle')
  const cpu = await containerCpu(namespace, 'idle', name)
  await delay(3_000)
  const before = cpu() ?? Number.NaN
  await delay(seconds * 1000)
  const millicores = (((cpu() ?? Number.NaN) - before) / seconds) * 1000
  await action.finished
  console.log(`idle: ${millicores.toFixed(2)}m over ${String(seconds)} s`)
  if (!(millicores <= limitMillicores)) process.exitCode = 1
} finally {
  await deleteNamespace(namespace)
  await work.close()
}
