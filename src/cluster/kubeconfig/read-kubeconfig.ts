import { homedir } from 'node:os'
import { delimiter, dirname, join, resolve } from 'node:path'
import { decodeText } from '../../common/decode-text.ts'
import { ConfigurationError, messageOf } from '../../common/errors.ts'
import { readRegularFile, UnreadableFile } from '../../common/read-file.ts'
import { loggablePath } from '../loggable-path.ts'
import { textOf, unexpandedHint, type Entry } from './entry.ts'
import { InvalidKubeconfig, parseKubeconfig } from './parse.ts'

export type KubeconfigSource =
  | { readonly kind: 'default' }
  | { readonly kind: 'path'; readonly path: string }
  | { readonly kind: 'content'; readonly content: string }

/** One kubeconfig, or several merged as kubectl merges them: the first definition of a name wins. */
export interface Kubeconfig {
  /** no file exists, or none has an entry */
  readonly isEmpty: boolean
  /** for errors: its path, or `the given content` */
  readonly origin: string
  readonly currentContext: string | undefined
  readonly contexts: ReadonlyMap<string, Entry>
  readonly clusters: ReadonlyMap<string, Entry>
  readonly users: ReadonlyMap<string, Entry>
}

/**
 * Reads the entries; of those that no context uses only the types of their fields are checked, as by kubectl.
 * @param mayBeMissing whether a kubeconfig without a file is an empty one; otherwise it is an error
 * @throws ConfigurationError where there is no file, or it is not a kubeconfig; the content is never shown
 */
export async function readKubeconfig(
  source: KubeconfigSource,
  env: NodeJS.ProcessEnv,
  mayBeMissing: boolean,
): Promise<Kubeconfig> {
  const origin = originOf(source, env)
  const contexts = new Map<string, Entry>()
  const clusters = new Map<string, Entry>()
  const users = new Map<string, Entry>()
  let currentContext: string | undefined
  for (const { text, folder } of readFiles(source, env, mayBeMissing)) {
    const config = await parse(text, origin)
    const lists = [
      ['context', contexts],
      ['cluster', clusters],
      ['user', users],
    ] as const
    for (const [kind, known] of lists) {
      for (const entry of entriesIn(config, kind, folder)) if (!known.has(entry.name)) known.set(entry.name, entry)
    }
    const current = config['current-context']
    if (typeof current === 'string' && current !== '') currentContext ??= current
  }
  const isEmpty = currentContext === undefined && contexts.size + clusters.size + users.size === 0
  return { isEmpty, origin, currentContext, contexts, clusters, users }
}

async function parse(text: string, origin: string): Promise<Readonly<Record<string, unknown>>> {
  try {
    return await parseKubeconfig(text)
  } catch (error) {
    throw error instanceof InvalidKubeconfig ? unreadable(origin, error.message) : error
  }
}

function entriesIn(
  config: Readonly<Record<string, unknown>>,
  kind: 'context' | 'cluster' | 'user',
  folder: string | undefined,
): readonly Entry[] {
  const list = (config[`${kind}s`] ?? []) as readonly (Readonly<Record<string, unknown>> | null)[]
  return list.flatMap((item) => {
    const name = textOf(item?.['name'])
    return name === undefined ? [] : [{ name, fields: (item?.[kind] ?? {}) as Record<string, unknown>, folder }]
  })
}

function unreadable(origin: string, cause: string): ConfigurationError {
  return new ConfigurationError({
    code: 'E_KUBECONFIG_INVALID',
    input: 'kubeconfig',
    problem: `${origin} cannot be read as a kubeconfig`,
    message: cause,
    fix: 'Give the path or the content of a kubeconfig that `kubectl --kubeconfig` accepts.',
  })
}

interface File {
  readonly text: string
  readonly folder: string | undefined
}

function readFiles(source: KubeconfigSource, env: NodeJS.ProcessEnv, mayBeMissing: boolean): readonly File[] {
  if (source.kind === 'content') return [{ text: source.content, folder: undefined }]
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter(Boolean)
  const defaultPath = join(env['HOME'] ?? homedir(), '.kube', 'config')
  const paths = source.kind === 'path' ? [source.path] : listed.length > 0 ? listed : [defaultPath]
  const files = paths.map(readFile).filter((file) => file !== undefined) // kubectl skips missing files of KUBECONFIG
  if (files.length > 0 || mayBeMissing) return files
  const shown = paths.map(loggablePath)
  if (shown.includes(undefined)) {
    throw new ConfigurationError({
      code: 'E_KUBECONFIG_NOT_FOUND',
      input: 'kubeconfig',
      problem: `got ${paths.join().length} characters that are neither the path of a file nor the content of a kubeconfig; they are not shown, because they may be a token`,
      fix: 'Give the path or the content of a kubeconfig. A token belongs in the input `token`, together with `api-server`.',
    })
  }
  const isFromVariable = source.kind === 'default' && listed.length > 0
  throw new ConfigurationError({
    code: 'E_KUBECONFIG_NOT_FOUND',
    input: 'kubeconfig',
    problem: `there is no file ${shown.join(', ')}${isFromVariable ? ' (KUBECONFIG)' : ''}`,
    fix: `Set the input \`kubeconfig\` (a path or the content) or the variable KUBECONFIG, or create the file in an earlier step.${unexpandedHint(paths.join())}`,
  })
}

function readFile(path: string): File | undefined {
  let bytes: Buffer
  try {
    bytes = readRegularFile(path)
  } catch (error) {
    if (error instanceof UnreadableFile && ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG'].includes(error.code)) return undefined
    throw new ConfigurationError({
      code: 'E_KUBECONFIG_NOT_FOUND',
      input: 'kubeconfig',
      problem: `${loggablePath(path) ?? 'the given path'} cannot be read (${messageOf(error)})`,
      fix: 'Give the path of a file that this job may read.',
    })
  }
  const decoded = decodeText(bytes)
  if ('problem' in decoded) throw unreadable(loggablePath(path) ?? 'the given file', decoded.problem)
  return { text: decoded.text, folder: dirname(resolve(path)) }
}

function originOf(source: KubeconfigSource, env: NodeJS.ProcessEnv): string {
  if (source.kind === 'content') return 'the given content'
  if (source.kind === 'path') return loggablePath(source.path) ?? 'the given file'
  return env['KUBECONFIG'] ? 'the file of KUBECONFIG' : '~/.kube/config'
}
