import { randomUUID } from 'node:crypto'
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CaptureResult } from '../capture/capture-result.ts'
import type { RunningCapture } from '../capture/capture.ts'
import type { CaptureRecord } from '../capture/record.ts'
import { ConfigurationError, messageOf } from '../common/errors.ts'
import { saveState } from '../runner/step-files.ts'

/**
 * How far main came. begun: nothing is on a node yet; starting: something may be; delivered: main has uploaded and summarised, but could not
 * remove everything; done: nothing is left to do.
 */
export type Phase = 'begun' | 'starting' | 'recording' | 'captured' | 'delivered' | 'done'

/** main has reported the result, or there is none. */
export function isReported(phase: Phase): boolean {
  return phase === 'delivered' || phase === 'done'
}

/**
 * What GITHUB_STATE holds: the post step gets it in one environment variable, for which Linux has 128 KiB (MAX_ARG_STRLEN). What is large lies
 * in `folder`, one file for each capture. No secrets: the debug log shows it.
 */
export interface StatePointer {
  readonly phase: Phase
  readonly folder: string
  /** of the captures that post must finish; at most `maxNamedCaptureCount` */
  readonly captureIds: readonly string[]
  readonly captureCount: number
}

/** What post must know to finish or to remove one capture. */
export interface CaptureState {
  readonly record: CaptureRecord
  readonly hints: readonly string[]
  readonly cautions?: readonly string[] | undefined
  /** whether something of the capture may be in the cluster or on its node */
  readonly isTouched: boolean
  /** the image by its digest; undefined where the recorder had not started, or has none */
  readonly imageId?: string | undefined
  /** what was put on the node and cannot be removed, in words */
  readonly leftover?: string | undefined
  /** what was captured, where it is whole on the disk and only its delivery is missing */
  readonly result?: CaptureResult | undefined
}

/** A capture whose state is kept. */
export interface StatedCapture {
  readonly recorder: { readonly record: CaptureRecord }
  readonly hints: readonly string[]
  readonly cautions?: readonly string[]
}

export const stateName = 'capture'

/** 33 bytes each: 33 kB. With more captures post lists the folder. */
const maxNamedCaptureCount = 1_000

/** Saves what post needs, each time before the thing is created that post would have to remove. */
export class StateKeeper {
  readonly #folder: string
  readonly #captures: Map<string, CaptureState>
  #phase: Phase = 'begun'

  /**
   * `temp`: the folder of the part files.
   * @throws ConfigurationError where nothing can be written there
   */
  constructor(temp: string, captures: readonly StatedCapture[]) {
    this.#folder = join(temp, `state-${randomUUID()}`)
    this.#captures = new Map(
      captures.map(({ recorder: { record }, hints, cautions }) => [
        record.captureId,
        { record, hints, cautions, isTouched: false },
      ]),
    )
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 })
      for (const capture of this.#captures.values()) this.#write(capture)
    } catch (error) {
      throw notWritable(temp, error)
    }
    this.#save()
  }

  /** Before something is put where post would have to remove it. `leftover`: what of it cannot be removed, in words. */
  touching(record: CaptureRecord, leftover?: string): void {
    this.#change(record, { isTouched: true, leftover })
    if (this.#phase !== 'starting') this.enter('starting')
  }

  started({ record, imageId }: Pick<RunningCapture, 'record' | 'imageId'>): void {
    this.#change(record, { isTouched: true, imageId })
  }

  /** A result that post need not fetch again; without a delivery post delivers it. */
  captured(result: CaptureResult): void {
    this.#change(result.record, { result })
  }

  /** Nothing of this capture is left to finish. */
  forget({ captureId }: CaptureRecord): void {
    this.#captures.delete(captureId)
    this.#save()
    rmSync(this.#path(captureId), { force: true })
  }

  /** How many captures post would have to finish. */
  get captureCount(): number {
    return this.#captures.size
  }

  enter(phase: Phase): void {
    this.#phase = phase
    this.#save()
    if (phase === 'done') rmSync(this.#folder, { recursive: true, force: true })
  }

  #change({ captureId }: CaptureRecord, changes: Partial<CaptureState>): void {
    const capture = this.#captures.get(captureId)
    if (capture === undefined) return
    const changed = { ...capture, ...changes }
    this.#captures.set(captureId, changed)
    this.#write(changed)
  }

  /** A file that is replaced by its rename is whole at each moment. */
  #write(capture: CaptureState): void {
    const path = this.#path(capture.record.captureId)
    writeFileSync(`${path}.new`, JSON.stringify(capture), { mode: 0o600 })
    renameSync(`${path}.new`, path)
  }

  #path(captureId: string): string {
    return statePath(this.#folder, captureId)
  }

  #save(): void {
    const pointer: StatePointer = {
      phase: this.#phase,
      folder: this.#folder,
      captureIds: [...this.#captures.keys()].slice(0, maxNamedCaptureCount),
      captureCount: this.#captures.size,
    }
    saveState(stateName, pointer)
  }
}

/** The file of one capture's state. */
export function statePath(folder: string, captureId: string): string {
  return join(folder, `${captureId}.json`)
}

function notWritable(folder: string, error: unknown): ConfigurationError {
  return new ConfigurationError(
    {
      code: 'E_RUNNER_DISK',
      input: 'RUNNER_TEMP',
      problem: `the folder ${folder} on the runner is not writable`,
      message: messageOf(error),
      fix: 'Free space on the disk of the runner, or correct the permissions of the folder.',
    },
    { leftovers: [], cause: error },
  )
}
