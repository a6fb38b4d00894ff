import { isDeepStrictEqual } from 'node:util'

/**
 * Checks a value against the part of JSON Schema 2020-12 that docs/result.schema.json uses. An unknown keyword is an error, so
 * that every part of the schema is checked.
 */

export type Schema = Readonly<Record<string, unknown>>

const annotations = new Set(['$schema', '$defs', 'title', 'description'])

/** The violations, each with its path; empty when the value is valid. `root` resolves `$ref`. */
export function violations(value: unknown, schema: Schema, root: Schema = schema, at = '$'): string[] {
  return Object.entries(schema).flatMap(([keyword, rule]): string[] => {
    if (annotations.has(keyword)) return []
    const check = checks[keyword]
    if (!check) throw new Error(`the schema has the keyword ${keyword}, which this check does not know`)
    return check(value, rule, { schema, root, at })
  })
}

interface Place {
  readonly schema: Schema
  readonly root: Schema
  readonly at: string
}
type Check = (value: unknown, rule: unknown, place: Place) => string[]

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function typeOf(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'array'
  return Number.isInteger(value) ? 'integer' : typeof value
}

const unless = (valid: boolean, problem: string): string[] => (valid ? [] : [problem])

const checks: Record<string, Check> = {
  $ref: (value, rule, { root, at }) => {
    const name = String(rule).replace('#/$defs/', '')
    const target = (root['$defs'] as Record<string, Schema>)[name]
    if (!target) throw new Error(`the schema has no ${String(rule)}`)
    return violations(value, target, root, at)
  },
  type: (value, rule, { at }) => {
    const types = [rule].flat()
    const type = typeOf(value)
    return unless(
      types.includes(type) || (type === 'integer' && types.includes('number')),
      `${at}: is ${type}, not ${types.join('|')}`,
    )
  },
  const: (value, rule, { at }) => unless(isDeepStrictEqual(value, rule), `${at}: is not ${JSON.stringify(rule)}`),
  enum: (value, rule, { at }) =>
    unless((rule as unknown[]).includes(value), `${at}: ${JSON.stringify(value)} is none of the allowed`),
  pattern: (value, rule, { at }) =>
    unless(
      typeof value !== 'string' || new RegExp(String(rule), 'u').test(value),
      `${at}: does not match ${String(rule)}`,
    ),
  minimum: (value, rule, { at }) =>
    unless(typeof value !== 'number' || value >= Number(rule), `${at}: is below ${String(rule)}`),
  maximum: (value, rule, { at }) =>
    unless(typeof value !== 'number' || value <= Number(rule), `${at}: is above ${String(rule)}`),
  anyOf: (value, rule, { root, at }) =>
    unless(
      (rule as Schema[]).some((one) => violations(value, one, root, at).length === 0),
      `${at}: is none of what anyOf allows`,
    ),
  required: (value, rule, { at }) =>
    isObject(value) ? (rule as string[]).flatMap((name) => unless(name in value, `${at}: has no ${name}`)) : [],
  properties: (value, rule, { root, at }) =>
    isObject(value)
      ? Object.entries(rule as Record<string, Schema>).flatMap(([name, schema]) =>
          name in value ? violations(value[name], schema, root, `${at}.${name}`) : [],
        )
      : [],
  additionalProperties: (value, rule, { schema, at }) => {
    if (rule !== false) throw new Error('additionalProperties is only known as false')
    const known = Object.keys(schema['properties'] ?? {})
    return isObject(value)
      ? Object.keys(value).flatMap((name) => unless(known.includes(name), `${at}: has ${name}, which is not described`))
      : []
  },
  items: (value, rule, { root, at }) =>
    Array.isArray(value)
      ? value.flatMap((item, i) => violations(item, rule as Schema, root, `${at}[${String(i)}]`))
      : [],
}
