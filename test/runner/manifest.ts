import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { load } from 'js-yaml'

/** The parts of an action.yml that the runner needs. */
export interface Manifest {
  /** The folder of action.yml and its files. */
  folder: string
  using: string
  main: string
  post?: string
  postIf: string
  inputs: { name: string; default: string }[]
}

interface ActionFile {
  inputs?: Record<string, { default?: string | number | boolean | object | null } | null>
  runs?: { using?: string; main?: string; post?: string; 'post-if'?: string }
}

/** Reads an action.yml as strictly as the runner's parser. */
export function readManifest(path: string): Manifest {
  const { inputs = {}, runs = {} } = load(readFileSync(path, 'utf8')) as ActionFile
  if (runs.using !== 'node24') throw new Error(`${path}: runs.using is '${String(runs.using)}', expected 'node24'`)
  if (runs.main === undefined) throw new Error(`${path}: runs.main is missing`)
  const folder = dirname(path)
  return {
    folder,
    using: runs.using,
    main: join(folder, runs.main),
    ...(runs.post === undefined ? {} : { post: join(folder, runs.post) }),
    postIf: runs['post-if'] ?? 'always()',
    inputs: Object.entries(inputs).map(([name, input]) => {
      const value = input?.default ?? ''
      // Numbers and booleans of YAML become text.
      if (typeof value === 'object') throw new Error(`${path}: the default of '${name}' is not a scalar`)
      return { name, default: String(value) }
    }),
  }
}

/** `INPUT_` variables: the name in upper case, its spaces as underscores, its hyphens kept. */
export function inputVariables(manifest: Manifest, given: Record<string, string>): Record<string, string> {
  const values = new Map(manifest.inputs.map((input) => [variable(input.name), input.default]))
  for (const [name, value] of Object.entries(given)) values.set(variable(name), value)
  return Object.fromEntries(values)
}

/** The unknown input names: the runner warns about them and passes them on. */
export function unexpectedInputs(manifest: Manifest, given: Record<string, string>): string[] {
  const known = new Set(manifest.inputs.map((input) => variable(input.name)))
  return Object.keys(given).filter((name) => !known.has(variable(name)))
}

const variable = (name: string): string => `INPUT_${name.replaceAll(' ', '_').toUpperCase()}`
