import type { Endpoint } from '../decoded-packet.ts'

/** The worst connection of a finding, or an exchange in it, as a short list of steps. Its texts hold names as they are in packets. */
export interface Sequence {
  /** the finding's title */
  readonly title: string
  readonly client: Endpoint
  readonly server: Endpoint
  /** ms since the epoch: the times of the steps count from it */
  readonly startMs: number
  /** at most 12 */
  readonly steps: readonly SequenceStep[]
}

export type SequenceStep =
  | {
      readonly kind: 'message'
      readonly sender: 'client' | 'server'
      readonly text: string
      /** ms after the start; undefined: it is not known */
      readonly atMs: number | undefined
      /** number of its packet; undefined: it is not known */
      readonly frame: number | undefined
      /** there was no answer */
      readonly isLost: boolean
    }
  | { readonly kind: 'note'; readonly text: string }

export const maxStepsCount = 12

/** A step of a sequence before its times are counted from the start. */
export type TimedStep =
  | {
      readonly sender: 'client' | 'server'
      readonly text: string
      readonly timeNs?: number | undefined
      readonly frame?: number | undefined
      readonly isLost?: boolean
    }
  | { readonly note: string }

export interface TimedSequence {
  readonly client: Endpoint
  readonly server: Endpoint
  readonly startNs: number
  readonly steps: readonly TimedStep[]
}

/** `baseMs`: ms since the epoch that the times of packets count from. */
export function toSequence(title: string, { client, server, startNs, steps }: TimedSequence, baseMs: number): Sequence {
  return {
    title,
    client,
    server,
    startMs: baseMs + startNs / 1e6,
    steps: steps.slice(0, maxStepsCount).map((step) => toStep(step, startNs)),
  }
}

function toStep(step: TimedStep, startNs: number): SequenceStep {
  if ('note' in step) return { kind: 'note', text: step.note }
  const { sender, text, timeNs, frame, isLost = false } = step
  const atMs = timeNs === undefined ? undefined : (timeNs - startNs) / 1e6
  return { kind: 'message', sender, text, atMs, frame, isLost }
}
