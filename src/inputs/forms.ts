import { isNamespaceName } from '../common/kubernetes-names.ts'
import { parseCount, parseDuration, parseSize } from '../common/quantities.ts'
import { listed, type InputForm } from './reader.ts'

export const namespaceForm: InputForm<string> = {
  accepts: 'the name of a namespace',
  parse: (text) => (isNamespaceName(text) ? text : undefined),
}

/** One of a few words. */
export function choiceOf<T extends string>(words: readonly T[]): InputForm<T> {
  return { accepts: listed(words), parse: (text) => words.find((word) => word === text) }
}

export function textMatching(pattern: RegExp, maxLength: number, accepts: string): InputForm<string> {
  return { accepts, parse: (text) => (pattern.test(text) && text.length <= maxLength ? text : undefined) }
}

/** Seconds. */
export function durationBetween(minSeconds: number, maxSeconds: number, accepts: string): InputForm<number> {
  return { accepts, parse: (text) => between(parseDuration(text), minSeconds, maxSeconds) }
}

/** Bytes. */
export function sizeBetween(minBytes: number, maxBytes: number, accepts: string): InputForm<number> {
  return { accepts, parse: (text) => between(parseSize(text), minBytes, maxBytes) }
}

export function countBetween(min: number, max: number, accepts: string): InputForm<number> {
  return { accepts, parse: (text) => between(parseCount(text), min, max) }
}

/** YAML 1.2 core schema, as core.getBooleanInput reads it. */
export const booleanForm: InputForm<boolean> = {
  accepts: 'true or false',
  parse: (text) => {
    if (/^(true|True|TRUE)$/.test(text)) return true
    return /^(false|False|FALSE)$/.test(text) ? false : undefined
  },
}

function between(value: number | undefined, min: number, max: number): number | undefined {
  return value !== undefined && value >= min && value <= max ? value : undefined
}
