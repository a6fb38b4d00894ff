import { spawnSync } from 'node:child_process'
import { chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { followSpool } from '../../../src/capture/follower.ts'
import { openPartFile } from '../../../src/capture/part-file.ts'
import type { RecorderEndpoint } from '../../../src/capture/recorders/endpoint.ts'
import { describeWith, itWith, needsRoot } from '../../support/needs.ts'
import { allShells, shellLack } from './scripts/recorder-rig.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'follow-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** A folder with a script `follow` that prints the name of the folder and the offset. */
function spoolDir(name: string): string {
  mkdirSync(join(folder, name))
  writeFileSync(join(folder, name, 'follow'), `echo ${name} $1`)
  return join(folder, name)
}

/** The command that starts a follower of a spool in one of these folders. */
async function startCommand(spoolDirs: readonly string[]): Promise<readonly string[]> {
  let command: readonly string[] = []
  const endpoint: RecorderEndpoint = {
    spoolDirs,
    state: () => Promise.resolve({ kind: 'gone', reason: 'the test has no pod' }),
    open: (given) => {
      command = given
      return Promise.reject(new Error('the test runs the command itself'))
    },
  }
  const part = await openPartFile(join(folder, 'x.part'))
  const events = { onListening: () => undefined, onReconnecting: () => undefined, onRemoteLine: () => undefined }
  await followSpool(endpoint, part, () => 0, events).outcome
  await part.close()
  return command
}

describeWith(needsRoot, 'the command that starts the follower', () => {
  for (const shell of allShells) {
    itWith(shellLack(shell), `with ${shell.name}, ignores a script that another user owns`, async () => {
      const [foreign, own] = [spoolDir('foreign'), spoolDir('own')]
      chownSync(join(foreign, 'follow'), 65_534, 65_534)
      const [program, flag, ...rest] = await startCommand([foreign, own])
      expect([program, flag]).toEqual(['sh', '-c'])
      const [shellProgram = '', ...options] = shell.words
      const { stdout } = spawnSync(shellProgram, [...options, '-c', ...rest], { encoding: 'utf8' })
      expect(stdout).toBe('own 0\n')
    })
  }
})
