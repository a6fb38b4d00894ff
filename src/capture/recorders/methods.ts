import type { CaptureRecord } from '../record.ts'
import { ephemeralMethod } from './ephemeral-container-method.ts'
import type { MethodTraits } from './method.ts'
import { nodePodMethod } from './node-job-method.ts'
import { sshMethod } from './ssh/method.ts'

export type { MethodTraits } from './method.ts'

/** How the capture of a record is made, for code that has only the record. */
export function methodOf(record: CaptureRecord): MethodTraits {
  const { method } = record
  switch (method.kind) {
    case 'container':
      return ephemeralMethod(record)
    case 'node-pod':
      return nodePodMethod(record, method.namespace)
    case 'ssh':
      return sshMethod(record)
  }
}

/** What is captured, for a sentence: `pod web`, `node a`, or the pod on its node. */
export function subjectOf(record: CaptureRecord): string {
  return methodOf(record).subject
}
