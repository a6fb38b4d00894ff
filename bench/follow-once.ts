/** Follows a finished spool once, for stream.ts: `follow-once.ts NAMESPACE POD CONTAINER FILE` prints the seconds and the CPU seconds. */
import { followSpool } from '../src/capture/follower.ts'
import { containerEndpoint } from '../src/capture/recorders/container-endpoint.ts'
import { openPartFile } from '../src/capture/part-file.ts'
import { connectKubeconfig } from '../src/cluster/kubeconfig/connect.ts'

const [namespace = '', pod = '', container = '', path = ''] = process.argv.slice(2)
const connection = await connectKubeconfig({
  source: { kind: 'default' },
  context: undefined,
  env: process.env,
  maskSecret: () => undefined,
})
await connection.credentials() // the first call reads files
const part = await openPartFile(path)

const beganMs = performance.now()
const before = process.cpuUsage()
const follower = followSpool(containerEndpoint({ connection, namespace, pod, container, uid: '' }), part, () => 0, {
  onListening: () => undefined,
  onReconnecting: (reason) => console.error(reason),
  onRemoteLine: (line) => console.error(line),
})
// The follower ends half a second after the last byte, so that "done" reaches the pod; that time is not counted.
let seconds = 0
const size = Number(process.env['BENCH_SIZE'])
const watch = setInterval(() => {
  if (seconds === 0 && part.receivedBytes === size) seconds = (performance.now() - beganMs) / 1000
}, 5)
const outcome = await follower.outcome
clearInterval(watch)
await part.close()
const { user, system } = process.cpuUsage(before)
if (outcome.trailer === undefined || outcome.reconnectCount > 0)
  throw new Error(`not followed over one connection: ${outcome.end} ${outcome.detail}`)
console.log(JSON.stringify({ seconds, cpuSeconds: (user + system) / 1e6 }))
