import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { startGoogle } from '../../../sandbox/google/start.ts'

it('the metadata of an instance is not logged, even when the logging of Google’s client is enabled', async () => {
  const google = await startGoogle()
  try {
    const secret = 'KUBELET_KEY '.repeat(30_000)
    const instance = google.addInstance({ metadata: [{ key: 'kube-env-2', value: secret }] })
    const script = `
      const [{ openGoogleApis }, { describeInstance }, { addKey }] = await Promise.all([import('./apis.ts'), import('./instance.ts'), import('./metadata-key.ts')])
      const token = () => Promise.resolve({ value: process.env.TOKEN, expiresAtMs: Date.now() + 300000 })
      const apis = openGoogleApis({ token, universe: 'googleapis.com' }, process.env)
      const { status } = await describeInstance(apis, { project: 'shop-prod', zone: 'europe-west1-b', name: process.env.NAME })
      const error = await addKey(apis, { project: 'shop-prod', zone: 'europe-west1-b', name: process.env.NAME }, 'ssh-ed25519 AAAA', new Date()).catch((error) => error)
      console.log(status, error.message)
    `
    const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
      cwd: join(import.meta.dirname, '../../../../src/google/compute'),
      env: {
        ...google.envWithoutIdToken(),
        ...{ TOKEN: google.world.tokens.issue(google.serviceAccount, 'ya29.c.', 300), NAME: instance.name },
        ...{ GOOGLE_SDK_NODE_LOGGING: '*', GOOGLE_SDK_NODE_ENABLE_TRACING: 'true', NODE_DEBUG: 'compute' },
      },
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => (output += chunk.toString()))
    await new Promise((resolve) => child.on('close', resolve))
    expect(output).toContain('RUNNING node-method: the SSH key cannot be changed')
    expect(output).not.toMatch(/KUBELET|kube-env|TPM_BOOTSTRAP/)
  } finally {
    await google.stop()
  }
}, 60_000)
