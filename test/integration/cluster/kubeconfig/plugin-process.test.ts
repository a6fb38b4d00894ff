import { spawn } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isAlive } from '../../../support/processes.ts'
import { until } from '../../../support/until.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'plugin-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

it('a plugin that hangs and its child process end when the process that started the plugin ends', async () => {
  const pids = join(folder, 'pids')
  const plugin = join(folder, 'plugin')
  writeFileSync(plugin, `#!/bin/sh\nsleep 60 &\necho $$ $! >${pids}.new; mv ${pids}.new ${pids}\nwait\n`)
  chmodSync(plugin, 0o755)
  const asker = join(folder, 'asker.ts')
  const source = new URL('../../../../src/cluster/kubeconfig/plugin-process.ts', import.meta.url).href
  writeFileSync(
    asker,
    `import { existsSync } from 'node:fs'
import { runPlugin } from ${JSON.stringify(source)}
void runPlugin(${JSON.stringify(plugin)}, [], process.env, 60_000)
setInterval(() => { if (existsSync(${JSON.stringify(pids)})) process.exit(0) }, 20)
`,
  )
  const child = spawn(process.execPath, [asker], { stdio: 'ignore' })
  await until('the starting process ends', () => child.exitCode !== null)
  expect(child.exitCode).toBe(0)
  const [wrapper = 0, wrapped = 0] = readFileSync(pids, 'utf8').trim().split(' ').map(Number)
  expect(wrapped).toBeGreaterThan(0)
  await until('both are gone', () => !isAlive(wrapper) && !isAlive(wrapped))
})
