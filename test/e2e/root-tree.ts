import { cpSync, existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { command } from './cluster.ts'

/** Creates a root file system that nspawn accepts: busybox, tcpdump and their libraries. */
export async function makeTree(root: string): Promise<void> {
  for (const name of ['bin', 'usr', 'etc', 'var', 'tmp', 'root', 'proc', 'sys', 'dev', 'run']) {
    mkdirSync(join(root, name), { recursive: true })
  }
  writeFileSync(join(root, 'etc/os-release'), 'ID=toolbox\n')
  writeFileSync(join(root, 'etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n')
  const find = async (program: string): Promise<string> =>
    (await command('sh', ['-c', 'command -v "$1"', 'sh', program])).trim()
  for (const path of await Promise.all(['busybox', 'tcpdump'].map(find))) {
    cpSync(realpathSync(path), join(root, 'bin', basename(path)))
    const libraries = await command('ldd', [path]).catch(() => '') // a static program has none
    for (const [library] of libraries.matchAll(/\/\S+/g)) {
      mkdirSync(dirname(join(root, library)), { recursive: true })
      cpSync(realpathSync(library), join(root, library))
    }
  }
  for (const applet of (await command('busybox', ['--list'])).trim().split('\n')) {
    const path = join(root, 'bin', applet)
    if (!existsSync(path)) symlinkSync('busybox', path)
  }
}

/** What this machine lacks for a toolbox of systemd-nspawn; undefined if nothing is missing. */
export async function toolboxMissing(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'it needs root'
  for (const [program, source] of [
    ['systemd-nspawn', 'systemd-container'],
    ['tcpdump', 'tcpdump'],
    ['busybox', 'busybox'],
    ['sudo', 'sudo'],
  ] as const) {
    const found = await command('sh', ['-c', 'command -v "$1"', 'sh', program]).catch(() => '')
    if (found === '') return `there is no ${program} (Debian: ${source})`
  }
  return undefined
}
