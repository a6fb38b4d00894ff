// Starts the sandbox's cluster for manual use: `node test/sandbox/cli.ts` (Node 24), then kubectl in another terminal, then Ctrl-C.

import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sandboxSupport, startCluster } from './cluster/start.ts'

const support = await sandboxSupport()
if (!support.supported) {
  console.error(`The sandbox cannot run here: ${support.reason}: ${support.remedy}`)
  process.exitCode = 1
} else {
  const cluster = await startCluster()
  const directory = await mkdtemp(join(tmpdir(), 'sandbox-'))
  const admin = join(directory, 'admin.kubeconfig')
  const dev = join(directory, 'dev.kubeconfig')
  await writeFile(admin, cluster.kubeconfig('admin'), { mode: 0o600 })
  await writeFile(dev, cluster.kubeconfig('dev'), { mode: 0o600 })
  console.log(`A cluster in ${support.mode === 'root' ? 'namespaces of root' : 'user namespaces'} listens on ${cluster.server}

export KUBECONFIG=${dev}        (${admin} may do everything)

kubectl get pods -o wide
kubectl exec checkout-7d9f8c6b5-zm8tn -- tcpdump -i any -c 10 -Z root tcp port 8080
kubectl debug checkout-7d9f8c6b5-zm8tn --image=any --container=look -- sh -c 'sleep 60'
kubectl auth can-i --list

Ctrl-C ends it.`)
  let stopping = false
  const stop = (): void => {
    if (stopping) return
    stopping = true
    void cluster.stop().then(() => rm(directory, { recursive: true, force: true }))
  }
  process.on('SIGINT', stop).on('SIGTERM', stop)
}
