import { ConfigurationError } from '../common/errors.ts'
import { readAccess, type Access } from './access.ts'
import { readDelivery, type DeliveryInputs } from './delivery.ts'
import { choiceOf } from './forms.ts'
import { readLimits, type Limits } from './limits.ts'
import { InputReader, type InputSource } from './reader.ts'
import { readRecorder, type RecorderInputs } from './recorder.ts'
import { readTarget, type TargetInputs } from './target.ts'

/** What one run is asked to do: every input read once, checked and frozen. Durations in seconds, sizes in bytes. */
export interface Request extends TargetInputs, RecorderInputs, DeliveryInputs {
  readonly limits: Limits
  readonly access: Access
  /** only: the checks run and nothing is captured */
  readonly preflight: 'on' | 'only'
}

/**
 * Reads every input.
 * @throws ConfigurationError that lists every problem of every input at once
 */
export function readRequest(source: InputSource): Request {
  const inputs = new InputReader(source)
  const request: Request = {
    ...readTarget(inputs),
    limits: readLimits(inputs),
    ...readRecorder(inputs),
    access: readAccess(inputs),
    preflight: inputs.withDefault('preflight', 'on', choiceOf(['on', 'only'])),
    ...readDelivery(inputs),
  }
  if (inputs.problems.length > 0) throw new ConfigurationError(inputs.problems, { stage: 'inputs', leftovers: [] })
  return deepFreeze(request)
}

function deepFreeze<T extends object>(value: T): T {
  for (const part of Object.values(value) as unknown[]) if (typeof part === 'object' && part !== null) deepFreeze(part)
  return Object.freeze(value)
}
