import { countBetween, durationBetween, sizeBetween, textMatching } from './forms.ts'
import type { InputForm, InputReader } from './reader.ts'

const capabilities = ['NET_RAW', 'NET_ADMIN'] as const
export type Capability = (typeof capabilities)[number]

/** How the recorder runs and what it records. */
export interface RecorderInputs {
  /** a pcap filter, as in pcap-filter(7); undefined: every packet is captured */
  readonly filter: string | undefined
  readonly interface: string
  /** bytes of each packet that are kept */
  readonly snaplen: number
  readonly image: string
  readonly capabilities: readonly Capability[]
  readonly startTimeoutSeconds: number
  /** how long the recorder runs without contact from the runner before it ends by itself */
  readonly heartbeatTimeoutSeconds: number
  /** how much of the node's disk the spool may use */
  readonly spoolLimitBytes: number
}

const defaultImage =
  'docker.io/nicolaka/netshoot:v0.14@sha256:7f08c4aff13ff61a35d30e30c5c1ea8396eac6ab4ce19fd02d5a4b3b5d0d09a2'

/** Reads the options of the recorder. */
export function readRecorder(inputs: InputReader): RecorderInputs {
  return {
    filter: inputs.optional('filter', filterForm),
    interface: inputs.withDefault(
      'interface',
      'any',
      textMatching(/^[^\s/:-][^\s/:]*$/, 15, 'any, or the name of an interface of at most 15 characters'),
    ),
    snaplen: inputs.withDefault('snaplen', '262144', countBetween(64, 262144, 'a number of bytes from 64 to 262144')),
    image: inputs.withDefault('image', defaultImage, textMatching(/^[a-z0-9][\w./:@-]*$/i, 512, 'an image reference')),
    capabilities: inputs.withDefault('capabilities', '', capabilitiesForm),
    startTimeoutSeconds: inputs.withDefault(
      'start-timeout',
      '2m',
      durationBetween(5, 3600, 'a duration from 5s to 1h, such as 90, 90s or 2m'),
    ),
    heartbeatTimeoutSeconds: inputs.withDefault(
      'heartbeat-timeout',
      '60s',
      durationBetween(20, 3600, 'a duration from 20s to 1h, such as 90, 90s or 2m'),
    ),
    spoolLimitBytes: inputs.withDefault(
      'spool-limit',
      '256MB',
      sizeBetween(8e6, 10e9, 'a size from 8MB to 10GB, such as 128MB, 256MB or a number of bytes'),
    ),
  }
}

const filterForm: InputForm<string> = {
  accepts: 'a pcap filter of at most 4096 characters and with balanced parentheses',
  parse: (text) => {
    const filter = onOneLine(text)
    return filter.length <= 4096 && !/[\u0000-\u001f\u007f]/.test(filter) && hasBalancedParentheses(filter)
      ? filter
      : undefined
  },
}

/** YAML keeps the line breaks and the indentation of a block (`filter: |`); between the words of a filter they mean a space. */
function onOneLine(text: string): string {
  return text.trim().replace(/[ \t]*\r?\n\s*/g, ' ')
}

/** A filter that closes a parenthesis it did not open would escape the expression that narrows it to the pod. */
function hasBalancedParentheses(text: string): boolean {
  let open = 0
  for (const character of text) {
    if (character === '(') open += 1
    if (character === ')') open -= 1
    if (open < 0) return false
  }
  return open === 0
}

const capabilitiesForm: InputForm<readonly Capability[]> = {
  accepts: 'NET_RAW or NET_ADMIN, or leave it empty',
  parse: (text) => {
    const words = text.split(/[\s,]+/).filter((word) => word !== '')
    const known = words.map((word) => capabilities.find((capability) => capability === word.toUpperCase()))
    return known.includes(undefined) ? undefined : [...new Set(known as Capability[])]
  },
}
