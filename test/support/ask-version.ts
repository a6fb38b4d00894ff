/**
 * Asks the API server of the environment's kubeconfig for its version, as the action connects to it. Exit code 1: refused, with the cause on
 * stderr. A process of its own, because what it trusts is decided once in a process.
 */
import { call } from '../../src/cluster/api.ts'
import { connectKubeconfig } from '../../src/cluster/kubeconfig/connect.ts'

try {
  const { env } = process
  const maskSecret = (): void => undefined
  const connection = await connectKubeconfig({ source: { kind: 'default' }, context: undefined, env, maskSecret })
  await call(connection, 'GET', '/version')
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}
