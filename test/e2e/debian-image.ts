import { createHash } from 'node:crypto'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { command, testClusterState } from './cluster.ts'

const name = 'docker.io/library/debian-tcpdump:1'
/** An image with dash as sh and with coreutils: DEBIAN_IMAGE, or on the test cluster an image built from programs of this machine. */
export async function debianImage(): Promise<{ image: string } | { missing: string }> {
  const given = process.env['DEBIAN_IMAGE']
  if (given) return { image: given }
  if (testClusterState === undefined) return { missing: 'DEBIAN_IMAGE is not set' }
  const root = mkdtempSync(join(tmpdir(), 'debian-image-'))
  try {
    // The same programs as in debian:12-slim with tcpdump: coreutils, dash, grep, sed, tcpdump.
    const files = await command('dpkg', ['-L', 'coreutils', 'dash', 'grep', 'sed', 'tcpdump']).catch(() => undefined)
    const programs = files?.split('\n').filter((path) => /^\/\S*\/?s?bin\/[^/]+$/.test(path)) ?? []
    if (!programs.some((path) => path.endsWith('/tcpdump')))
      return { missing: 'this machine is not a Debian with tcpdump' }
    for (const path of programs) await install(join(root, 'fs'), path)
    mkdirSync(join(root, 'fs/tmp'), { mode: 0o1777 })
    mkdirSync(join(root, 'fs/etc'))
    writeFileSync(join(root, 'fs/etc/passwd'), 'root:x:0:0:root:/root:/bin/sh\n')
    rmSync(join(root, 'fs/bin/sh'), { force: true })
    symlinkSync('dash', join(root, 'fs/bin/sh'))
    await command('ctr', [
      '-a',
      join(testClusterState, 'containerd.sock'),
      '-n',
      'k8s.io',
      'images',
      'import',
      await archive(root),
    ])
    return { image: name }
  } finally {
    rmSync(root, { recursive: true, force: true })
  }
}

/** Copies the program to /bin, and its libraries to the paths that the loader uses. */
async function install(root: string, path: string): Promise<void> {
  copy(path, join(root, 'bin', basename(path)))
  const libraries = await command('ldd', [path]).catch(() => '') // a script has none
  for (const [library] of libraries.matchAll(/\/\S+/g)) copy(library, join(root, library))
}

function copy(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true })
  cpSync(realpathSync(from), to)
}

/** Writes a docker-archive with one layer. */
async function archive(root: string): Promise<string> {
  await command('tar', ['-C', join(root, 'fs'), '--numeric-owner', '-cf', join(root, 'layer.tar'), '.'])
  const layer = createHash('sha256')
    .update(readFileSync(join(root, 'layer.tar')))
    .digest('hex')
  const config = {
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    config: { Env: ['PATH=/usr/bin:/bin'] },
    rootfs: { type: 'layers', diff_ids: [`sha256:${layer}`] },
  }
  writeFileSync(join(root, 'config.json'), JSON.stringify(config))
  writeFileSync(
    join(root, 'manifest.json'),
    JSON.stringify([{ Config: 'config.json', RepoTags: [name], Layers: ['layer.tar'] }]),
  )
  await command('tar', ['-C', root, '-cf', join(root, 'image.tar'), 'config.json', 'layer.tar', 'manifest.json'])
  return join(root, 'image.tar')
}
