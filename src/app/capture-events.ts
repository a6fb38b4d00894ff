import type { CaptureRecord } from '../capture/record.ts'
import { subjectOf } from '../capture/recorders/methods.ts'
import type { CaptureEvents } from '../capture/recorders/recorder.ts'
import { formatDuration } from '../common/quantities.ts'
import type { Log } from '../runner/log.ts'

/** The events of one capture as lines of the log. */
export function logEvents(record: CaptureRecord, log: Log): CaptureEvents {
  const { interface: name, durationSeconds } = record.plan
  return {
    onTouchingNode: () => undefined,
    onCreated: (what) => log.info(what),
    onCaution: (text) => log.warning(text),
    onWaiting: (reason) => log.info(`Waiting: ${reason}`),
    onListening: () => log.info(`Capturing ${subjectOf(record)} on ${name} for ${formatDuration(durationSeconds)}`),
    onReconnecting: (reason) => log.info(`Connection lost (${reason}); reconnecting`),
    onRemoteLine: (line) => log.info(`Recorder output: ${line}`),
  }
}
