/** One following of a finished spool, for stream.ts: `follow-once.ts NAMESPACE POD CONTAINER FILE` prints the seconds and the CPU seconds. */
import { followSpool } from '../src/capture/follow.ts'
import { containerPlace } from '../src/capture/pod-place.ts'
import { openPartFile } from '../src/capture/part-file.ts'
import { connectKubeconfig } from '../src/cluster/kubeconfig.ts'

const [namespace = '', pod = '', container = '', path = ''] = process.argv.slice(2)
const connection = await connectKubeconfig({ kind: 'default' }, undefined, process.env, () => undefined)
await connection.credentials() // the first time it reads files
const part = await openPartFile(path)

const began = performance.now()
const before = process.cpuUsage()
const follower = followSpool(containerPlace({ connection, namespace, pod, container, uid: '' }), part, () => 0, {
  listening: () => undefined,
  interrupted: (reason) => console.error(reason),
  foreign: (line) => console.error(line),
})
// It ends half a second after the last byte, so that "done" is on its way; that half second is not the stream's.
let seconds = 0
const size = Number(process.env['BENCH_SIZE'])
const watch = setInterval(() => {
  if (seconds === 0 && part.received() === size) seconds = (performance.now() - began) / 1000
}, 5)
const outcome = await follower.outcome
clearInterval(watch)
await part.close()
const { user, system } = process.cpuUsage(before)
if (outcome.trailer === undefined || outcome.resumed > 0)
  throw new Error(`not followed in one go: ${outcome.end} ${outcome.detail}`)
console.log(JSON.stringify({ seconds, cpu: (user + system) / 1e6 }))
