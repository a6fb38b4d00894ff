import { readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { ConfigurationError, messageOf } from '../errors.ts'
import { shownPath } from './shown-path.ts'

export type KubeconfigSource =
  | { readonly kind: 'default' }
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'content'; readonly content: string }

/** A context, a cluster or a user of a kubeconfig, as it stands there. */
export interface Entry {
  readonly name: string
  readonly fields: Readonly<Record<string, unknown>>
  /** of the file that it comes from: its relative paths begin there; undefined for content */
  readonly folder: string | undefined
}

/** One kubeconfig, or several in one: the first that names a thing wins, as with kubectl. */
export interface Kubeconfig {
  /** what it is, for errors: its path, `the given content` */
  readonly from: string
  readonly currentContext: string | undefined
  readonly contexts: ReadonlyMap<string, Entry>
  readonly clusters: ReadonlyMap<string, Entry>
  readonly users: ReadonlyMap<string, Entry>
}

/**
 * Reads without judging: an entry that nothing uses may be broken.
 * @throws ConfigurationError where there is no file, or no kubeconfig in it; what is in it is never shown
 */
export async function readKubeconfig(source: KubeconfigSource, env: NodeJS.ProcessEnv): Promise<Kubeconfig> {
  const from = nameOf(source, env)
  const { load } = await import('js-yaml')
  const contexts = new Map<string, Entry>()
  const clusters = new Map<string, Entry>()
  const users = new Map<string, Entry>()
  let currentContext: string | undefined
  for (const { text, folder } of readFiles(source, env)) {
    const config = parse(text, load, from)
    collect(contexts, config['contexts'], 'context', folder, from)
    collect(clusters, config['clusters'], 'cluster', folder, from)
    collect(users, config['users'], 'user', folder, from)
    const current = config['current-context']
    if (typeof current === 'string' && current !== '') currentContext ??= current
  }
  return { from, currentContext, contexts, clusters, users }
}

function parse(text: string, load: (text: string) => unknown, from: string): Record<string, unknown> {
  let config: unknown
  try {
    config = text.replace(/^\s*#.*$/gm, '').trim() === '' ? {} : (load(text) ?? {}) // kubectl takes an empty file, too
  } catch (error) {
    throw unreadable(from, messageOf(error).trim().split('\n')[0]?.slice(0, 300) ?? '') // the next lines show what is in it
  }
  if (typeof config !== 'object' || Array.isArray(config)) throw unreadable(from, 'it is no mapping')
  return config as Record<string, unknown>
}

function collect(
  found: Map<string, Entry>,
  list: unknown,
  key: 'context' | 'cluster' | 'user',
  folder: string | undefined,
  from: string,
): void {
  if (list == null) return
  if (!Array.isArray(list)) throw unreadable(from, `its ${key}s are no list`)
  for (const one of list as readonly (Record<string, unknown> | null)[]) {
    const name = String((one?.['name'] as string | number | undefined) ?? '')
    const fields = one?.[key]
    if (name === '' || found.has(name)) continue
    found.set(name, {
      name,
      fields: typeof fields === 'object' && fields !== null ? (fields as Record<string, unknown>) : {},
      folder,
    })
  }
}

function unreadable(from: string, cause: string): ConfigurationError {
  return new ConfigurationError(
    `kubeconfig: ${from} cannot be read as a kubeconfig: ${cause}. ` +
      'Give the path or the content of a kubeconfig that `kubectl --kubeconfig` accepts.',
  )
}

interface File {
  readonly text: string
  readonly folder: string | undefined
}

function readFiles(source: KubeconfigSource, env: NodeJS.ProcessEnv): readonly File[] {
  if (source.kind === 'content') return [{ text: source.content, folder: undefined }]
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter(Boolean)
  const standard = join(homedir(), '.kube', 'config')
  const paths = source.kind === 'path' ? [source.path] : listed.length > 0 ? listed : [standard]
  const files = paths.map(readFile).filter((file) => file !== undefined) // kubectl skips those of KUBECONFIG that are not there
  if (files.length > 0) return files
  const shown = paths.map(shownPath)
  if (shown.includes(undefined)) {
    throw new ConfigurationError(
      `kubeconfig: got ${paths.join().length} characters that are neither the path of a file nor the content of a kubeconfig. ` +
        'They are not shown, for they may be a token; a token belongs into the input `token`, beside `api-server`.',
    )
  }
  throw new ConfigurationError(
    `kubeconfig: there is no file ${shown.join(', ')}${source.kind === 'default' && listed.length > 0 ? ' (KUBECONFIG)' : ''}. ` +
      'Set the input `kubeconfig` (a path or the content) or the variable KUBECONFIG, or write the file in a step before.',
  )
}

function readFile(path: string): File | undefined {
  try {
    return { text: readFileSync(path, 'utf8'), folder: dirname(resolve(path)) }
  } catch (error) {
    const { code = messageOf(error) } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'ENAMETOOLONG') return undefined
    throw new ConfigurationError(
      `kubeconfig: ${shownPath(path) ?? 'the given path'} cannot be read (${code}). It must be a file that this job may read.`,
    )
  }
}

function nameOf(source: KubeconfigSource, env: NodeJS.ProcessEnv): string {
  if (source.kind === 'content') return 'the given content'
  if (source.kind === 'path') return shownPath(source.path) ?? 'the given file'
  return env['KUBECONFIG'] ? 'the file of KUBECONFIG' : '~/.kube/config'
}
