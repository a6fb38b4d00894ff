import type { ScalarTagDefinition, Schema } from 'js-yaml'
import { fieldTypeProblem } from './field-types.ts'
import { yamlProblem } from './yaml-problem.ts'

type Fields = Readonly<Record<string, unknown>>

/** A content that is not a kubeconfig. `message` is a clause that says what is wrong: fields, names and positions, no other value. */
export class InvalidKubeconfig extends Error {
  override readonly name = 'InvalidKubeconfig'
}

/**
 * The content as kubectl reads it: YAML 1.1 (`yes` is true), the first document alone, the last one of equal keys, every field of client-go's
 * type, no name twice in a list.
 * @throws InvalidKubeconfig
 */
export async function parseKubeconfig(text: string): Promise<Fields> {
  const document = firstDocument(text.replace(/^\uFEFF/, ''))
  if (document.replace(/^(\s*#.*|---)$/gm, '').trim() === '') return {} // kubectl accepts an empty file, too
  const yaml = await import('js-yaml')
  const config = loadDocument(yaml, document)
  const problem = fieldTypeProblem(config) ?? kindProblem(config) ?? repeatedName(config)
  if (problem !== undefined) throw new InvalidKubeconfig(problem)
  return config
}

function loadDocument(yaml: Yaml & Pick<typeof import('js-yaml'), 'load'>, document: string): Fields {
  try {
    return (yaml.load(document, { schema: goSchema(yaml), json: true }) ?? {}) as Fields
  } catch (error) {
    throw new InvalidKubeconfig(yamlProblem(document, error))
  }
}

/** kubectl ignores everything after the first document. A marker at the start of a line ends a document even inside of a block of text. */
function firstDocument(text: string): string {
  const lines = text.split(/\r\n|\r|\n/)
  const isMarker = (line: string): boolean => /^(---|\.\.\.)(\s|$)/.test(line)
  const contentAt = lines.findIndex((line) => !/^\s*(#|$)|^%/.test(line))
  const startAt = contentAt >= 0 && /^---(\s|$)/.test(lines[contentAt] ?? '') ? contentAt + 1 : Math.max(contentAt, 0)
  const length = lines.slice(startAt).findIndex(isMarker)
  return length < 0 ? lines.join('\n') : lines.slice(0, startAt + length).join('\n')
}

type Yaml = Pick<typeof import('js-yaml'), 'FAILSAFE_SCHEMA' | 'defineScalarTag' | 'NOT_RESOLVED'> &
  Readonly<Record<'nullYaml11Tag' | 'boolYaml11Tag' | 'mergeTag', ScalarTagDefinition>>

/** The scalars of go-yaml v2: YAML 1.1 without its times, and without numbers to the base of 60. */
function goSchema({ FAILSAFE_SCHEMA, defineScalarTag, NOT_RESOLVED, ...tags }: Yaml): Schema {
  const number = defineScalarTag('tag:yaml.org,2002:float', {
    implicit: true,
    implicitFirstChars: [...'0123456789+-.'],
    resolve: (source) => {
      const plain = source.replace(/_/g, '')
      const isNumber =
        /^[-+]?(\.\d+|\d+(\.\d*)?)(e[-+]?\d+)?$/i.test(plain) ||
        /^[-+]?0(x[\da-f]+|b[01]+|o[0-7]+)$/i.test(plain) ||
        /^[-+]?\.(inf|Inf|INF)$|^\.(nan|NaN|NAN)$/.test(plain)
      return isNumber ? Number(plain) : NOT_RESOLVED
    },
    identify: () => false,
  })
  return FAILSAFE_SCHEMA.withTags(tags.nullYaml11Tag, tags.boolYaml11Tag, tags.mergeTag, number)
}

function kindProblem({ kind, apiVersion }: Fields): string | undefined {
  if ((kind ?? '') !== '' && kind !== 'Config') return 'its kind is not Config'
  if ((apiVersion ?? '') !== '' && apiVersion !== 'v1') return 'its apiVersion is not v1'
  return undefined
}

function repeatedName(config: Fields): string | undefined {
  for (const list of ['clusters', 'contexts', 'users']) {
    const entries = (config[list] ?? []) as readonly ({ readonly name?: string | null } | null)[]
    const names = entries.map((entry) => entry?.name ?? '')
    const repeated = names.find((name, index) => names.indexOf(name) !== index)
    if (repeated !== undefined) return `its ${list} have the name ${JSON.stringify(repeated)} twice`
  }
  return undefined
}
