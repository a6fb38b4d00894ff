import { choiceOf, countBetween } from './forms.ts'
import type { InputForm, InputReader } from './reader.ts'

const uploads = ['artifact', 'none'] as const
const severities = ['error', 'warn', 'ignore'] as const
const summaries = ['full', 'names-hidden', 'off'] as const
/** What an incomplete or an empty capture means to the job, in the words of actions/upload-artifact. */
export type Severity = (typeof severities)[number]

/** How the result is delivered. */
export interface DeliveryInputs {
  /** none: the file stays on the runner, for a later step of the job */
  readonly upload: (typeof uploads)[number]
  /** without .pcap; undefined: named after the target and the run */
  readonly artifactName: string | undefined
  readonly retentionDays: number | undefined
  readonly ifIncomplete: Severity
  readonly ifEmpty: Severity
  /** What findings of the diagnosis mean to the job: error fails it where one is an error; warn adds a warning where one is an error or a warning */
  readonly ifFinding: Severity
  /** What the log and the job summary show of the diagnosis: names-hidden shows no address and no name from packets */
  readonly summary: SummaryDetail
}

export type SummaryDetail = (typeof summaries)[number]

/** Reads what the results are named, how long they are kept and which of them fail the step. */
export function readDelivery(inputs: InputReader): DeliveryInputs {
  const upload = inputs.withDefault('upload', 'artifact', choiceOf(uploads))
  const retentionDays = inputs.optional('retention-days', countBetween(1, 400, 'a number of days from 1 to 400'))
  if (upload === 'none' && retentionDays !== undefined) {
    inputs.report('E_INPUT_UNUSED', 'retention-days', 'has no effect with `upload: none`', 'Remove it.')
  }
  return {
    upload,
    artifactName: inputs.optional('artifact-name', fileNameForm),
    retentionDays,
    ifIncomplete: inputs.withDefault('if-incomplete', 'warn', choiceOf(severities)),
    ifEmpty: inputs.withDefault('if-empty', 'warn', choiceOf(severities)),
    ifFinding: inputs.withDefault('if-finding', 'ignore', choiceOf(severities)),
    summary: inputs.withDefault('summary', 'full', choiceOf(summaries)),
  }
}

/** Characters that the artifact service and common file systems reject in a name. */
const badInFileName = /["<>:|*?\u0000-\u001f\u007f\\/]/

const fileNameForm: InputForm<string> = {
  accepts: 'a file name of at most 200 bytes without " < > : | * ? \\ / and without a dot at its start',
  parse: (text) =>
    badInFileName.test(text) || Buffer.byteLength(text) > 200 || text.startsWith('.')
      ? undefined
      : text.replace(/\.pcap$/, ''),
}
