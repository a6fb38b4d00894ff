import { spawnSync } from 'node:child_process'
import type { Lack } from './needs.ts'

/** The behaviour of older ones differs from what the tests compare with: Debian 12 has 1.20, which cannot exec by WebSocket. */
const oldestMinor = 30

export function isRecentKubectl(path: string): boolean {
  const { stdout } = spawnSync(path, ['version', '--client', '--output=json'], { encoding: 'utf8', timeout: 10_000 })
  const minor = /"minor": "(\d+)/.exec(stdout ?? '')?.[1]
  return Number(minor) >= oldestMinor
}

export const kubectlLack = (paths: readonly string[]): Lack =>
  paths.some(isRecentKubectl)
    ? undefined
    : `kubectl 1.${String(oldestMinor)} or newer; install it: https://kubernetes.io/docs/tasks/tools/`
